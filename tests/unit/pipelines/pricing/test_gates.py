"""Each gate holds back what it is for, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.pricing.gates import Row, judge
from scrapers.headers import header_words
from scrapers.providers import Source

SOURCE = Source(name="page", url="https://example.test/prices", min_rows=4, sentinels=("large",))
LIST = replace(SOURCE, kind="aggregator")
# model -> (input, cache_read, output), USD per million
PRICES = {
    "large": (3, "0.3", 15),
    "medium": (1, "0.1", 5),
    "small": ("0.25", "0.025", "1.25"),
    "tiny": ("0.1", "0.01", "0.4"),
}
METERS = ("input", "cache_read", "output")


def row(model: str, meter: str, amount: object, **changes: Any) -> Row:
    values: dict[str, Any] = {
        "row_id": f"{model} {meter}", "provider": "openai", "model": model, "meter": meter, "service_tier": "standard",
        "region": "global", "context_from": 0, "window_name": None, "currency": "USD", "applies_to": None,
        "status": "active", "unit_amount": Decimal(str(amount)) / 1_000_000, "amount": Decimal(str(amount)), "per_unit": "tokens",
    }  # fmt: skip
    return Row(**(values | changes))


def page(prices: dict[str, tuple[object, ...]] | None = None) -> list[Row]:
    return [
        row(model, meter, amount)
        for model, amounts in (prices or PRICES).items()
        for meter, amount in zip(METERS, amounts, strict=True)
        if amount is not None
    ]


def held(earlier: list[Row] | None, now: list[Row], source: Source = SOURCE) -> set[tuple[str, str]]:
    return {(one.gate, one.scope) for one in judge(earlier, now, source) if one.scope != "note"}


def test_the_same_prices_pass_and_so_do_the_first():
    assert judge(page(), page(), SOURCE) == []
    assert judge(None, page(), SOURCE) == []


def test_a_new_model_a_retired_one_and_an_ordinary_change_pass():
    new = {**PRICES, "newest": (2, "0.2", 10), "large": (2, "0.2", 10)}
    del new["tiny"]
    assert held(page(), page(new)) == set()


def test_too_few_rows():
    assert ("too_few_rows", "reading") in held(None, page()[:3])


def test_a_sentinel_that_was_there_must_stay():
    without = {name: amounts for name, amounts in PRICES.items() if name != "large"}
    assert ("missing_sentinel", "reading") in held(page(), page(without))
    assert held(None, page(without)) == set()


def test_a_page_that_shrinks_is_held_and_one_that_moves_on_is_not():
    only = {name: PRICES[name] for name in ("large", "medium")}
    assert ("shrinking", "reading") in held(page(), page(only))
    moved_on = only | {f"{name}-2": amounts for name, amounts in PRICES.items()}
    assert held(page(), page(moved_on)) == set()


def test_a_column_that_vanishes_is_held():
    assert ("shrinking", "reading") in held(page(), page({name: (a, None, c) for name, (a, _, c) in PRICES.items()}))


def test_all_zero_is_held_even_at_first():
    assert held(None, [replace(one, unit_amount=Decimal(0)) for one in page()]) == {("all_zero", "reading")}


@given(
    index=st.integers(0, 11),
    factor=st.sampled_from([10, 100, 1000]),
    is_up=st.booleans(),
)
def test_one_price_an_order_of_magnitude_off_is_held_alone_and_the_old_one_stands(index, factor, is_up):
    now = page()
    old = now[index]
    now[index] = replace(old, unit_amount=old.unit_amount * factor if is_up else old.unit_amount / factor)
    found = [one for one in judge(page(), now, SOURCE) if one.scope != "note"]
    assert [(one.gate, one.scope, one.row, one.standing) for one in found] == [("magnitude", "price", now[index], old)]


@given(factor=st.decimals("0.11", "9.9", places=2))
def test_less_than_an_order_of_magnitude_is_an_ordinary_change(factor):
    now = page()
    now[0] = replace(now[0], unit_amount=now[0].unit_amount * factor)
    assert [one for one in judge(page(), now, SOURCE) if one.gate == "magnitude"] == []


def test_a_price_that_becomes_free_is_held():
    now = page()
    now[2] = replace(now[2], unit_amount=Decimal(0))
    assert held(page(), now) == {("magnitude", "price")}


def test_a_unit_misread_over_a_page_holds_the_page():
    now = [replace(one, unit_amount=one.unit_amount * 1000) for one in page()]
    assert ("magnitude", "reading") in held(page(), now)


def test_a_new_price_far_from_its_like_is_held():
    assert held(page(), [*page(), row("newest", "input", 3000)]) == {("magnitude", "price")}
    assert held(page(), [*page(), row("newest", "input", 30)]) == set()


@pytest.mark.parametrize("left", range(3))
@pytest.mark.parametrize("right", range(3))
def test_columns_that_change_places_are_held(left, right):
    def swapped(amounts):
        amounts = list(amounts)
        amounts[left], amounts[right] = amounts[right], amounts[left]
        return tuple(amounts)

    found = held(page(), page({name: swapped(amounts) for name, amounts in PRICES.items()}))
    assert (("moved", "reading") in found) == (left != right)


def test_an_emptied_cell_that_lets_its_neighbour_slide_is_held():
    slid = {**PRICES, "large": (PRICES["large"][1], PRICES["large"][2], None)}
    assert ("moved", "reading") in held(page(), page(slid))


def test_two_rows_that_change_places_are_held():
    swapped = {**PRICES, "large": PRICES["medium"], "medium": PRICES["large"]}
    assert ("moved", "reading") in held(page(), page(swapped))


def test_a_cut_to_the_price_of_a_neighbour_is_an_ordinary_change():
    assert held(page(), page({**PRICES, "large": PRICES["medium"]})) == set()


def test_an_announced_price_that_begins_is_known():
    announced = row("large", "input", 90, status="announced", window_name="peak")
    before = [*page(), announced]
    assert held(before, [*page(), replace(announced, status="active")]) == set()


def test_a_reworded_factor_is_carried_on():
    factor = row("large", "multiplier", 1_100_000, per_unit="factor", applies_to="input,output")
    found = [one for one in judge([*page(), factor], page(), SOURCE) if one.scope == "price"]
    assert [(one.gate, one.row, one.standing) for one in found] == [("vanished_factor", None, factor)]


def test_cached_above_uncached_and_batch_above_standard_are_noted():
    odd = {**PRICES, "large": (3, 4, 15)}
    batch = row("tiny", "input", "0.2", service_tier="batch")
    assert {(one.gate, one.scope) for one in judge(None, [*page(odd), batch], SOURCE)} == {("inverted", "note")}
    assert len(judge(None, [*page(odd), batch], SOURCE)) == 2


def test_a_list_that_only_warns_is_held_only_as_a_whole():
    now = page()
    now[0] = replace(now[0], unit_amount=now[0].unit_amount * 1000)
    assert held(page(), now, LIST) == set()
    assert ("magnitude", "reading") in held(
        page(), [replace(one, unit_amount=one.unit_amount * 10) for one in now], LIST
    )


def test_header_words_keep_the_order_of_columns():
    html = "<table><tr><th>Model</th><th>Input</th><th>Output</th></tr><tr><th>a</th><td>1</td></tr></table>"
    assert header_words(html) == ("model | input | output",)
    assert header_words("| Model | Output |\n| --- | ---: |\n| a | 1 |\n") == ("model | output",)
    assert header_words('{"models": [{"id": "a", "price": 1}]}') == ("id", "models", "price")


def test_swapped_headers_hold_only_where_prices_moved():
    now = page()
    now[0] = replace(now[0], unit_amount=now[0].unit_amount * 2)
    before, after = ["model | input | output"], ["model | output | input"]
    assert [one.scope for one in judge(page(), page(), SOURCE, earlier_headers=before, headers=after)] == ["note"]
    assert [one.scope for one in judge(page(), now, SOURCE, earlier_headers=before, headers=after)] == ["reading"]


def test_an_announced_price_is_held_against_what_it_replaces_and_what_was_announced():
    announced = row("large", "input", 6, status="announced", window_name="peak")
    assert held(page(), [*page(), announced]) == set()
    assert held(page(), [*page(), replace(announced, unit_amount=Decimal("0.006"))]) == {("magnitude", "price")}
    slip = replace(announced, unit_amount=announced.unit_amount * 10)
    assert held([*page(), announced], [*page(), slip]) == {("magnitude", "price")}


def test_windows_that_vanish_in_bulk_are_held():
    peak = [replace(one, window_name="peak", row_id=f"{one.row_id} peak") for one in page()]
    assert ("shrinking", "reading") in held([*page(), *peak], page())


def test_an_amount_that_turns_up_under_a_meter_the_model_never_had_is_held():
    before = [*page(), row("large", "image", 40, per_unit="image")]
    after = [*page(), row("large", "image_megapixel", 40, per_unit="megapixel")]
    assert held(before, after) == {("moved", "reading")}
    assert held(before, [*after[:-1], row("large", "image_megapixel", 41, per_unit="megapixel")]) == set()


def test_prices_per_thousand_and_per_million_that_change_places_are_held():
    def priced(first, second):
        calls = replace(row("large", "request", first, per_unit="requests"), unit_amount=Decimal(first) / 1000)
        return [*page(), calls, row("large", "reasoning", second)]

    assert held(priced("5", "3.5"), priced("3.5", "5")) == {("moved", "reading")}
