"""`ratehouse prices show|history|diff|sources` over a small book in a warehouse of its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from pipelines import warehouse
from pipelines.cli.main import app
from pipelines.pricing import tables
from pipelines.settings import Settings

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
AMOUNTS = ("3", "2")  # on the first day, and ten days later


def rows_of(number, amount):
    captured = FIRST + timedelta(days=10 * number)
    reading = {"reading_id": f"r{number}", "reader_version": 1, "captured_at": captured, "source": "openai/pricing_page",
               "kind": "official_page", "source_url": "https://openai.example/prices", "sha256": f"hash {number}"}  # fmt: skip
    capture = reading | {"reader": "openai", "read_at": captured, "status": "accepted", "row_count": 1}
    price = reading | {
        "observation_id": f"o{number}", "provider": "openai", "model": "gpt-4o-mini", "model_label": "GPT-4o mini",
        "meter": "input", "service_tier": "standard", "region": "global", "context_from": 0, "context_inclusive": False,
        "context_mode": "whole", "currency": "USD", "amount": Decimal(amount), "per_quantity": Decimal(1_000_000),
        "per_unit": "tokens", "unit_amount": Decimal(amount) / 1_000_000, "valid_from_basis": "first_observed",
        "status": "active", "evidence_where": "table 1", "evidence_text": amount,
    }  # fmt: skip
    return capture, price


@pytest.fixture(scope="module")
def home(price_models, tmp_path_factory):
    home = tmp_path_factory.mktemp("prices") / "home"
    settings = Settings(home=home, threads=1)
    captures, prices = zip(*(rows_of(number, amount) for number, amount in enumerate(AMOUNTS)), strict=True)
    failed = captures[0] | {"reading_id": "r9", "captured_at": FIRST + timedelta(days=20), "sha256": "hash 9",
                            "status": "failed", "error_name": "shell_page", "row_count": 0}  # fmt: skip
    with warehouse.writing(settings) as connection:
        tables.create(connection)
        tables.insert(connection, "raw.price_captures", [*captures, failed])
        tables.insert(connection, "raw.price_observations", prices)
        aliases = settings.dbt_project / "seeds" / "model_aliases.csv"
        connection.execute(f"create table staging.model_aliases as from read_csv('{aliases}', all_varchar = true)")
        price_models.build(connection, "prices_current")
    return home


@pytest.fixture
def ask(home):
    def run(*words, code=0):
        done = CliRunner().invoke(app, ["prices", *words, "--json", "--home", str(home)])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize(
    ("words", "amounts"),
    [
        ((), ["2"]),
        (("--at", "2026-03-05"), ["3"]),
        (("--at", "2026-03-20", "--known-at", "2026-03-05"), ["3"]),
        (("--at", "2026-02-01"), []),
        (("--known-at", "2026-02-01"), []),
    ],
)
def test_show_asks_on_both_axes(ask, words, amounts):
    assert [row["amount"] for row in ask("show", "openai", "gpt-4o-mini", *words)["prices"]] == amounts


def test_show_takes_declared_aliases(ask):
    answer = ask("show", "openai", "gpt-4o-mini-2024-07-18")
    assert (answer["model"], len(answer["prices"])) == ("gpt-4o-mini", 1)


@pytest.mark.parametrize("words", [("openai", "gpt-4o-minni"), ("nobody", "gpt-4o-mini")])
def test_an_unknown_name_is_an_error_with_advice(ask, words):
    error = ask("show", *words, code=1)["error"]
    assert error["name"] == "unknown_model"
    assert ("gpt-4o-mini" if words[0] == "openai" else "prices sources") in error["message"]


def test_history_has_every_belief(ask):
    told = [
        (row["amount"], row["valid_to"], row["known_from"], row["known_to"])
        for row in ask("history", "openai", "gpt-4o-mini")["prices"]
    ]
    first, second = "2026-03-01T00:00:00Z", "2026-03-11T00:00:00Z"
    assert told == [("3", None, first, second), ("3", second, second, None), ("2", None, second, None)]


def test_diff_tells_the_change_unless_it_was_not_known(ask):
    (row,) = ask("diff", "2026-03-05", "2026-03-20")["differences"]
    assert (row["what"], row["old_unit_amount"], row["new_unit_amount"]) == ("changed", "0.000003", "0.000002")
    assert ask("diff", "2026-03-05", "2026-03-20", "--known-at", "2026-03-06")["differences"] == []
    assert [row["what"] for row in ask("diff", "2026-02-01", "2026-03-05")["differences"]] == ["new"]


def test_sources_tell_age_and_the_last_outcome(ask):
    found = {row["source"]: row for row in ask("sources")["sources"]}
    page = found["openai/pricing_page"]
    assert (page["last_good_at"], page["last_outcome"], page["row_count"]) == ("2026-03-11T00:00:00Z", "shell_page", 1)
    assert page["age_days"] > 200
    assert page["is_verified"] is True
    assert found["xai/models"]["last_good_at"] is None


def test_an_instant_that_is_none_is_wrong_usage(home):
    done = CliRunner().invoke(app, ["prices", "show", "openai", "gpt-4o-mini", "--at", "soon", "--home", str(home)])
    assert done.exit_code == 2


def cost(home, *words, code=0):
    done = CliRunner().invoke(app, ["cost", *words, "--json", "--home", str(home)])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if code != 2 else {}


@pytest.mark.parametrize(
    ("at", "known_at", "total", "because"),
    [
        ("2026-03-05", None, "0.003", []),
        ("2026-03-20", None, "0.002", []),
        ("2026-03-20", "2026-03-05", "0.003", []),
        ("2026-02-01", None, "0.003", ["before first observation"]),
    ],
)
def test_a_call_costs_what_held_at_its_time_as_known(home, at, known_at, total, because):
    known = ("--known-at", known_at) if known_at else ()
    answer = cost(home, "openai", "gpt-4o-mini", "input=1000", "--at", at, *known)
    assert (answer["total"], answer["currency"], answer["estimated_because"]) == (total, "USD", because)
    assert [(line["meter"], line["count"], line["amount"]) for line in answer["lines"]] == [("input", 1000, total)]


def test_a_meter_without_a_price_leaves_the_total_unknown(home):
    answer = cost(home, "openai", "gpt-4o-mini", "input=10", "output=1")
    assert (answer["total"], answer["unpriced_meters"]) == (None, ["output"])


@pytest.mark.parametrize("word", ["inputs=1", "input", "input=-1", "input=1.5"])
def test_a_count_that_is_none_is_wrong_usage(home, word):
    cost(home, "openai", "gpt-4o-mini", word, code=2)
