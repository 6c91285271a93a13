"""What a house states itself: read exactly, named where it is wrong, and believed from the load that brought it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pipelines import warehouse
from pipelines.errors import BadPriceListError
from pipelines.pricing import overrides, statements, tables
from pipelines.settings import Settings

CONTRACT = """\
contracts:
  - tenant: acme
    provider: openai
    model: gpt-4o
    meter: input
    currency: USD
    amount: 2.10
    per: 1000000 tokens
    valid_from: 2026-01-01T00:00:00Z
    evidence: annex B
"""
FIRST = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path):
    settings = Settings(home=tmp_path / "home", threads=2, memory_limit="1GB")
    settings.create_home()
    return settings


@pytest.fixture
def clock(monkeypatch):
    """The instant of each load, a day after the one before it."""
    instants = iter(FIRST + timedelta(days=n) for n in range(20))
    monkeypatch.setattr(tables, "now", lambda: next(instants))


def written(settings, text, name="acme.yml"):
    path = settings.overrides / name
    path.write_text(text, encoding="utf-8")
    return path


def beliefs(settings):
    with warehouse.reading(settings) as connection:
        return connection.execute(
            "select unit_amount * 1000000, known_from, known_to from raw.price_statements where tenant = 'acme' order by all"
        ).fetchall()


def test_the_example_is_valid_and_exact():
    found = overrides.check([overrides.EXAMPLE])
    assert [(s.tenant, s.row.provider, s.row.meter, s.row.service_tier, s.row.amount) for s in found] == [
        ("acme", "openai", "input", "standard", Decimal("2.10")),
        ("acme", "deepseek", "output", "standard", Decimal("1.50")),
        ("globex", "anthropic", "multiplier", "standard", Decimal("0.85")),
        ("globex", "anthropic", "multiplier", "batch", Decimal("0.85")),
        (None, "mistral", "output", "standard", Decimal("6.00")),
    ]
    night = found[1].row.window
    assert (night.hours, night.weekdays, night.zone) == ((("22:00", "06:00"),), (1, 2, 3, 4, 5), "Europe/Berlin")
    assert found[1].row.valid_from == datetime(2026, 8, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("meter: input", "meter: inputs", 5, "contracts.0.meter: meter 'inputs' is not registered"),
        ("meter: input", "meter: multiplier", 5, "contracts.0.meter: "),
        ("provider: openai", "provider: opnai", 3, "contracts.0.provider: provider 'opnai' is not registered"),
        ("currency: USD", "currency: USDT", 2, "contracts.0: currency 'USDT' is not registered"),
        ("amount: 2.10", "amount: 2,10", 7, "contracts.0.amount: "),
        ("amount: 2.10", "amount: -1", 7, "contracts.0.amount: "),
        ("amount: 2.10", "amount: 1e3", 7, "contracts.0.amount: "),
        ("amount: 2.10", "amount: 0.0000000000001", 2, "contracts.0: 1E-13 per 1000000 tokens is not exact"),
        ("per: 1000000 tokens", "per: 0 tokens", 8, "contracts.0.per.quantity: "),
        ("per: 1000000 tokens", "per: factor", 8, "contracts.0.per.quantity: "),
        ("2026-01-01T00:00:00Z", "2026-01-01", 9, "contracts.0.valid_from: '2026-01-01' needs a time and a zone"),
        ("2026-01-01T00:00:00Z", "20260101", 9, "contracts.0.valid_from: '20260101' needs a time and a zone"),
        ("2026-01-01T00:00:00Z", "January", 9, "contracts.0.valid_from: 'January' is no instant"),
        ("evidence: annex B", "valid_to: 2025-01-01T00:00:00Z\n    evidence: annex B", 2, "valid_to must come after"),
        ("model: gpt-4o", "model: '*'", 2, "contracts.0: a price is of one model"),
        ("evidence: annex B", "evidence:", 10, "contracts.0.evidence: Field required"),
        ("evidence: annex B", "evidence: annex B\n    cost: 3", 11, "contracts.0.cost: Extra inputs"),
        ("evidence: annex B", "tenant: globex", 10, "tenant: is given twice"),
        ("contracts:", "contract:", 1, "contract: Extra inputs"),
        ("  - tenant: acme", "  - tenant: &a acme\n    by: *a", 3, "an alias is not allowed"),
        ("meter: input", "meter: [", 7, "expected"),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_field(settings, old, new, line, words):
    path = written(settings, CONTRACT.replace(old, new))
    with pytest.raises(BadPriceListError) as caught:
        overrides.check([path])
    assert str(caught.value).startswith(f"{path} line {line}: ")
    assert words in str(caught.value)


@pytest.mark.parametrize("percent", ["0", "101", "-5", "15%"])
def test_a_discount_is_a_percentage(settings, percent):
    text = f"discounts:\n  - {{tenant: a, provider: openai, model: '*', percent: '{percent}', valid_from: 2026-01-01T00:00:00Z, evidence: x}}\n"
    with pytest.raises(BadPriceListError, match=r"line 2: discounts\.0.*percent"):
        overrides.check([written(settings, text)])


def test_one_price_is_stated_once_for_one_time(settings):
    ended = CONTRACT.replace("evidence: ", "valid_to: 2026-06-01T00:00:00Z\n    evidence: ")
    later = CONTRACT.replace("2026-01-01", "2026-06-01").replace("2.10", "1.90")
    first, second = written(settings, ended), written(settings, later, "b.yml")
    assert len(overrides.check([first, second])) == 2
    second = written(settings, later.replace("2026-06-01", "2026-05-31"), "b.yml")
    with pytest.raises(BadPriceListError, match=r"b\.yml line 2: .* stated for the same time at acme\.yml line 2"):
        overrides.check([first, second])


@pytest.mark.usefixtures("clock")
def test_an_edit_closes_the_old_belief_and_a_deletion_closes_the_last(settings):
    path = written(settings, CONTRACT)
    assert overrides.load(settings) == 1
    assert beliefs(settings) == [(Decimal("2.10"), FIRST, None)]
    written(settings, "# a remark changes nothing\n" + CONTRACT)
    overrides.load(settings)
    assert beliefs(settings) == [(Decimal("2.10"), FIRST, None)]
    written(settings, CONTRACT.replace("2.10", "1.80"))
    overrides.load(settings)
    edited = FIRST + timedelta(days=2)
    assert beliefs(settings) == [(Decimal("1.80"), edited, None), (Decimal("2.10"), FIRST, edited)]
    path.unlink()
    assert overrides.load(settings) == 0
    gone = FIRST + timedelta(days=3)
    assert beliefs(settings) == [(Decimal("1.80"), edited, gone), (Decimal("2.10"), FIRST, edited)]
    written(settings, CONTRACT)
    overrides.load(settings)
    assert beliefs(settings)[-1] == (Decimal("2.10"), FIRST + timedelta(days=4), None)


@pytest.mark.usefixtures("clock")
def test_the_rows_follow_from_the_kept_files_alone(settings):
    written(settings, CONTRACT)
    overrides.load(settings)
    written(settings, CONTRACT.replace("2.10", "1.80"))
    overrides.load(settings)
    before = beliefs(settings)
    settings.database.unlink()
    overrides.load(settings)
    assert beliefs(settings) == before
    overrides.load(settings)
    assert beliefs(settings) == before


@pytest.mark.usefixtures("clock")
def test_a_stated_known_from_counts_for_a_price_nobody_had_spoken_of(settings):
    known = "known_from: 2026-01-15T00:00:00Z\n    evidence: "
    written(settings, CONTRACT.replace("evidence: ", known))
    overrides.load(settings)
    assert beliefs(settings) == [(Decimal("2.10"), datetime(2026, 1, 15, tzinfo=UTC), None)]
    written(settings, CONTRACT.replace("evidence: ", known).replace("2.10", "1.80"))
    overrides.load(settings)
    edited = FIRST + timedelta(days=1)
    assert beliefs(settings) == [
        (Decimal("1.80"), edited, None),
        (Decimal("2.10"), datetime(2026, 1, 15, tzinfo=UTC), edited),
    ]


@pytest.mark.usefixtures("clock")
def test_a_bad_file_changes_nothing_and_lists_are_left_alone(settings):
    count = statements.load(settings)
    written(settings, CONTRACT)
    overrides.load(settings)
    before = beliefs(settings)
    written(settings, CONTRACT.replace("2.10", "cheap"))
    with pytest.raises(BadPriceListError):
        overrides.load(settings)
    assert beliefs(settings) == before
    with warehouse.reading(settings) as connection:
        (kept,) = connection.execute("select count(*) from raw.price_statements where source = 'bundled'").fetchone()
    assert kept == count


def test_a_clock_set_back_changes_no_order(settings, monkeypatch):
    written(settings, CONTRACT)
    monkeypatch.setattr(tables, "now", lambda: FIRST)
    overrides.load(settings)
    monkeypatch.setattr(tables, "now", lambda: FIRST - timedelta(days=1))
    written(settings, CONTRACT.replace("2.10", "1.80"))
    overrides.load(settings)
    edited = FIRST + timedelta(microseconds=1)
    assert beliefs(settings) == [(Decimal("1.80"), edited, None), (Decimal("2.10"), FIRST, edited)]


def test_corrections_and_discounts_carry_who_why_and_what_they_multiply(settings):
    (settings.overrides / "all.yml").write_bytes(overrides.EXAMPLE.read_bytes())
    overrides.load(settings)
    with warehouse.reading(settings) as connection:
        rows = connection.execute(
            "select kind, tenant, meter, applies_to, amount, source, evidence_text, source_url from raw.price_statements"
            " where meter = 'multiplier' or tenant is null order by all"
        ).fetchall()
    assert rows[0][:6] == ("contract", "globex", "multiplier", None, Decimal("0.85"), "overrides/all")
    assert rows[-1][0] == "manual"
    assert "finance@acme.example" in rows[-1][6]
    assert rows[-1][7] == "vendor e-mail of 2026-02-03"
