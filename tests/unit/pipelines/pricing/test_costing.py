"""Golden calls: each vendor's rule by hand, at the threshold and beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.pricing.costing import Call, Price, cost
from scrapers.prices import Window

START = datetime(2026, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


def mtok(usd: str) -> Decimal:
    return Decimal(usd) / 1_000_000


def price(meter: str, usd_per_mtok: str, **more: Any) -> Price:
    values: dict[str, Any] = {
        "price_id": f"{meter} {more}", "provider": "openai", "model": "m", "meter": meter,
        "unit_amount": mtok(usd_per_mtok), "currency": "USD", "valid_from": START,
    }  # fmt: skip
    return Price(**(values | more))


def factor(value: str, **more: Any) -> Price:
    return replace(price("multiplier", "0", **more), unit_amount=Decimal(value))


def call(at: datetime = NOON, **counts: int) -> Call:
    return Call("openai", "m", at, counts)


BASE = [price("input", "5"), price("cache_read", "0.5"), price("output", "30")]
# OpenAI, above 272K of input: twice the input and one and a half the output, for the whole request.
LONG = [price(m, a, context_from=272_000) for m, a in (("input", "10"), ("cache_read", "1"), ("output", "45"))]


@pytest.mark.parametrize(
    ("cached", "fresh", "total"),
    [
        (0, 272_000, "1.36") ,  # exactly at a strict threshold: not above it
        (72_000, 200_000, "1.036"),  # 0.036 + 1.00
        (0, 272_001, "2.72001"),
        (72_001, 200_000, "2.072001"),  # cached tokens count towards the threshold: 0.072001 + 2.00
    ],
)  # fmt: skip
def test_a_strict_threshold_looks_at_the_whole_input(cached, fresh, total):
    assert cost(call(input=fresh, cache_read=cached), BASE + LONG).total == Decimal(total)


def test_an_inclusive_threshold_holds_at_the_threshold():
    # xAI: at or above 200K
    rows = [*BASE, price("input", "10", context_from=200_000, context_inclusive=True)]
    assert cost(call(input=199_999), rows).total == Decimal("0.999995")
    assert cost(call(input=200_000), rows).total == Decimal(2)


def test_a_meter_without_a_row_at_the_threshold_keeps_its_base():
    assert cost(call(input=300_000, cache_read=10), [*BASE, LONG[0]]).total == Decimal(3) + 10 * mtok("0.5")


def test_reasoning_is_billed_as_output_and_a_missing_cache_rate_leaves_the_call_unpriced():
    assert cost(call(output=10, reasoning=90), BASE).total == 100 * mtok("30")
    found = cost(call(input=1, cache_write_1h=5), BASE)
    assert (found.total, found.unpriced_meters) == (None, ("cache_write_1h",))
    assert [line.amount for line in found.lines] == [mtok("5"), None]


def test_batch_with_cache_and_one_hour_writes():
    # Anthropic, Sonnet: batch is half; a 5-minute write is 1.25 of the input and an hour's write twice.
    rows = [
        price(meter, amount, service_tier=tier)
        for tier, amounts in (
            ("standard", ("3", "0.3", "3.75", "6", "15")),
            ("batch", ("1.5", "0.15", "1.875", "3", "7.5")),
        )
        for meter, amount in zip(
            ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output"), amounts, strict=True
        )
    ]
    counts = {"input": 1000, "cache_read": 2000, "cache_write_5m": 3000, "cache_write_1h": 4000, "output": 500}
    standard = cost(Call("openai", "m", NOON, counts), rows).total
    batch = cost(Call("openai", "m", NOON, counts, service_tier="batch"), rows).total
    assert standard == Decimal("0.003") + Decimal("0.0006") + Decimal("0.01125") + Decimal("0.024") + Decimal("0.0075")
    assert batch == standard / 2


def test_a_regional_call_costs_the_regions_factor():
    rows = [*BASE, factor("1.1", region="us", applies_to=("input", "output"))]
    found = cost(replace(call(input=1000, cache_read=1000), region="us"), rows)
    assert found.total == 1000 * mtok("5") * Decimal("1.1") + 1000 * mtok("0.5")
    assert [len(line.factor_ids) for line in found.lines] == [1, 0]
    assert cost(call(input=1000), rows).total == 1000 * mtok("5")


def test_a_regions_own_rows_stand_without_the_factor():
    rows = [*BASE, price("input", "5.5", region="eu"), factor("1.1", region="eu", applies_to=("input",))]
    assert cost(replace(call(input=1000), region="eu"), rows).total == 1000 * mtok("5.5")


def test_a_tier_stated_as_a_factor_and_one_not_stated():
    rows = [*BASE, factor("0.8", service_tier="batch", applies_to=("input", "output"))]
    assert cost(replace(call(input=1000), service_tier="batch"), rows).total == 800 * mtok("5")
    assert cost(replace(call(input=1000), service_tier="flex"), rows).total is None


PEAK = Window(name="peak", hours=(("01:00", "04:00"), ("06:00", "10:00")))
OFF_PEAK = Window(name="off_peak", hours=PEAK.hours, is_outside=True)
BEGINS = datetime(2026, 8, 16, 16, tzinfo=UTC)
DEEPSEEK = [
    price("input", "0.27", valid_to=None),
    price("input", "0.44", window=PEAK, valid_from=BEGINS),
    price("input", "0.22", window=OFF_PEAK, valid_from=BEGINS),
]


@pytest.mark.parametrize(
    ("at", "rate"),
    [
        ("2026-08-16T15:59:59Z", "0.27"),
        ("2026-08-16T16:00:00Z", "0.22"),
        ("2026-08-17T00:59:59Z", "0.22"),
        ("2026-08-17T01:00:00Z", "0.44"),
        ("2026-08-17T03:59:59Z", "0.44"),
        ("2026-08-17T04:00:00Z", "0.22"),
        ("2026-08-17T06:00:00Z", "0.44"),
        ("2026-08-17T10:00:00Z", "0.22"),
    ],
)
def test_peak_and_off_peak_from_their_first_day(at, rate):
    assert cost(call(datetime.fromisoformat(at), input=1), DEEPSEEK).total == mtok(rate)


def test_a_window_across_midnight():
    night = Window(name="night", hours=(("22:00", "06:00"),))
    rows = [*BASE, price("input", "1", window=night)]
    for hour, rate in ((21, "5"), (22, "1"), (0, "1"), (5, "1"), (6, "5")):
        assert cost(call(NOON.replace(hour=hour), input=1), rows).total == mtok(rate)


def test_an_announced_price_then_cancelled_never_applies():
    # The book closes a cancelled price where it would have begun; `prices` then does not hold it.
    assert cost(call(BEGINS + timedelta(days=1), input=1), DEEPSEEK[:1]).total == mtok("0.27")


def test_a_contract_price_wins_for_its_tenant_and_a_discount_is_off_the_list():
    contract = price("input", "4", tenant="acme")
    discount = factor("0.9", tenant="globex", model="*")
    rows = [*BASE, contract, discount]
    assert cost(replace(call(input=1000), tenant="acme"), rows).total == 1000 * mtok("4")
    assert cost(replace(call(input=1000), tenant="globex"), rows).total == 900 * mtok("5")
    assert cost(replace(call(input=1000), tenant="other"), rows).total == 1000 * mtok("5")


def test_each_call_is_priced_at_its_own_time_and_the_oldest_by_the_first_price():
    rows = [price("input", "5", valid_to=NOON), price("input", "4", valid_from=NOON)]
    assert cost(call(NOON - timedelta(microseconds=1), input=1), rows).total == mtok("5")
    assert cost(call(NOON, input=1), rows).total == mtok("4")
    early = cost(call(START - timedelta(days=1), input=1), rows)
    assert (early.total, early.estimated_because) == (mtok("5"), ("before first observation",))


def test_unknown_is_null_and_never_zero():
    found = cost(replace(call(input=1), model="other"), BASE)
    assert (found.total, found.currency, found.unpriced_meters) == (None, None, ("input",))
    assert cost(call(), BASE).total == 0


COUNTS = st.dictionaries(st.sampled_from(["input", "cache_read", "output", "reasoning"]), st.integers(0, 10**9))


@given(COUNTS)
def test_lines_add_up_exactly(counts):
    found = cost(Call("openai", "m", NOON, counts), BASE + LONG)
    assert found.total == sum((line.amount for line in found.lines), Decimal(0))
    assert all(line.amount == line.rate * line.count for line in found.lines)


@given(COUNTS, st.sampled_from(["input", "cache_read", "output"]), st.integers(0, 10**6))
def test_more_never_costs_less_within_a_tier(counts, meter, more):
    raised = {**counts, meter: counts.get(meter, 0) + more}
    assert cost(Call("openai", "m", NOON, raised), BASE).total >= cost(Call("openai", "m", NOON, counts), BASE).total
