from __future__ import annotations

from decimal import Decimal

import pytest

from pipelines import warehouse
from pipelines.errors import BadPriceListError
from pipelines.pricing import statements
from pipelines.settings import Settings

HEADER = statements.BUNDLED.read_text(encoding="utf-8").splitlines()[0]
GOOD = "openai,gpt-4o-mini,input,standard,global,0,false,USD,0.15,1000000 tokens,2024-07-18T00:00:00Z,,https://openai.com/pricing,2026-04-26,"


def price_list(folder, *lines, header=HEADER):
    path = folder / "list.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_the_bundled_list_is_valid_and_states_each_price_once():
    rows = statements.read()
    assert len(rows) > 50
    keys = [
        tuple(
            row[name] for name in ("provider", "model", "meter", "service_tier", "region", "context_from", "valid_from")
        )
        for row in rows
    ]
    assert len(set(keys)) == len(keys)
    assert all(isinstance(row["amount"], Decimal) and row["amount"] >= 0 for row in rows)


@pytest.mark.parametrize(
    ("field", "old", "new"),
    [
        ("meter", ",input,", ",inputs,"),
        ("service_tier", ",standard,", ",slow,"),
        ("currency", ",USD,", ",dollars,"),
        ("amount", ",0.15,", ",-1,"),
        ("amount", ",0.15,", ",cheap,"),
        ("amount", ",0.15,", ",NaN,"),
        ("per", "1000000 tokens", "0 tokens"),
        ("context_from", ",0,false,", ",many,false,"),
        ("context_inclusive", ",0,false,", ",0,perhaps,"),
        ("valid_from", "2024-07-18T00:00:00Z", "July"),
        ("valid_from", "2024-07-18T00:00:00Z", "2024-07-18T00:00:00"),
        ("read_on", "2026-04-26", "yesterday"),
    ],
)
def test_a_bad_line_is_named_with_its_field(tmp_path, field, old, new):
    path = price_list(tmp_path, GOOD, GOOD.replace(old, new))
    with pytest.raises(BadPriceListError) as caught:
        statements.read(path)
    assert str(caught.value).startswith(f"{path} line 3: {field}")


@pytest.mark.parametrize("line", [GOOD.rsplit(",", 3)[0], GOOD + ",more"])
def test_a_line_with_too_few_or_too_many_fields_is_named(tmp_path, line):
    with pytest.raises(BadPriceListError, match="line 3: "):
        statements.read(price_list(tmp_path, GOOD, line))


def test_other_columns_bytes_that_are_no_text_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(BadPriceListError, match="the header must be provider,model"):
        statements.read(price_list(tmp_path, GOOD, header=HEADER.replace("model", "name")))
    path = price_list(tmp_path, GOOD)
    path.write_bytes(path.read_bytes() + b"\xff\xfe\n")
    with pytest.raises(BadPriceListError, match=r"list\.csv line 3: is not UTF-8"):
        statements.read(path)
    with pytest.raises(BadPriceListError, match="cannot be read"):
        statements.read(tmp_path / "none.csv")


def test_loading_twice_is_loading_once_and_sources_stay_apart(tmp_path):
    settings = Settings(home=tmp_path / "home", threads=2, memory_limit="1GB")
    own = price_list(tmp_path, GOOD)

    def content():
        with warehouse.reading(settings) as connection:
            return connection.execute("select * from raw.price_statements order by all").fetchall()

    count = statements.load(settings)
    statements.load(settings, own, "own")
    once = content()
    assert len(once) == count + 1
    statements.load(settings)
    statements.load(settings, own, "own")
    assert content() == once
    with pytest.raises(BadPriceListError):
        statements.load(settings, price_list(tmp_path, GOOD, "x"), "own")
    assert content() == once
