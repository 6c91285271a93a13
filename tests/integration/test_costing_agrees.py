"""The cost models against the pure function, over random books and calls: two ways to one number."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.logs.canonical import CALL_COLUMNS, METER_COLUMNS
from pipelines.pricing.costing import Call, Price, cost
from scrapers.prices import Window

_NEVER = datetime.max.replace(tzinfo=UTC)
START = datetime(2026, 3, 1, tzinfo=UTC)
PEAK = Window(name="peak", hours=(("01:00", "04:00"), ("22:00", "00:30")), weekdays=(1, 2, 3, 4, 5))
WINDOWS = [None, None, PEAK, Window(name="off_peak", hours=PEAK.hours, weekdays=PEAK.weekdays, is_outside=True)]
METERS = ("input", "cache_read", "output", "reasoning")
MODELS = ("m", "n")
TENANTS = (None, "acme")
COLUMN = {meter: column for column, meter in METER_COLUMNS.items()}


def instants() -> st.SearchStrategy[datetime]:
    return st.integers(-3 * 48, 8 * 48).map(lambda halves: START + timedelta(minutes=30 * halves))


@st.composite
def books(draw: st.DrawFn) -> list[Price]:
    """Prices of two models, disjoint in time for each key, as the settled book has them."""
    keys = st.tuples(
        st.sampled_from(TENANTS), st.sampled_from(MODELS), st.sampled_from((*METERS, "multiplier")),
        st.sampled_from(["standard", "batch"]), st.sampled_from(["global", "global", "eu"]),
        st.sampled_from([(0, False), (0, False), (100, False), (100, True)]), st.sampled_from(WINDOWS),
        st.sampled_from(["USD", "USD", "CNY"]),
    )  # fmt: skip
    found: dict[tuple[Any, ...], Price] = {}
    for tenant, model, meter, tier, region, (tokens, inclusive), window, currency in draw(st.lists(keys, max_size=14)):
        is_factor = meter == "multiplier"
        if is_factor and tenant is None and (tier, region) == ("standard", "global"):
            continue  # a factor is of a tier, of a region, or of a tenant
        times = sorted(draw(st.lists(instants(), min_size=1, max_size=3, unique=True)))
        ends: list[datetime | None] = [*times[1:], draw(st.sampled_from([None, times[-1] + timedelta(days=1)]))]
        for starts, until in zip(times, ends, strict=True):
            price = Price(
                price_id=f"{len(found):04}", provider="openai", meter=meter, tenant=tenant, service_tier=tier,
                model=draw(st.sampled_from([model, "*"])) if is_factor and tenant else model,
                unit_amount=Decimal(draw(st.integers(1, 20))) / (10 if is_factor else 1_000_000), region=region,
                currency="USD" if is_factor else currency, valid_from=starts, valid_to=until,
                context_from=0 if is_factor else tokens, context_inclusive=inclusive and not is_factor,
                window=None if is_factor else window,
                applies_to=draw(st.sampled_from([(), ("input", "output")])) if is_factor else (),
                status=draw(st.sampled_from(["active", "active", "active", "announced"])),
            )  # fmt: skip
            # One factor at a time for a place; one row for a key and instant.
            key = (price.tenant, price.provider, model if is_factor else price.model, meter, tier, region, price.context_from,
                   price.window and price.window.name, price.currency, price.valid_from if not is_factor else 0)  # fmt: skip
            found.setdefault(key, price)
    return _disjoint(found.values())


def _disjoint(prices: Any) -> list[Price]:
    kept: list[Price] = []
    for price in prices:
        same = [
            p for p in kept
            if (p.tenant, p.meter, p.service_tier, p.region, p.context_from, p.window and p.window.name, p.currency)
            == (price.tenant, price.meter, price.service_tier, price.region, price.context_from,
                price.window and price.window.name, price.currency)
            and (p.model == price.model or "*" in (p.model, price.model))
        ]  # fmt: skip
        ends = price.valid_to or _NEVER
        # Discounts of several regions and factors of several tiers stay apart too: which counts is not ordered.
        factors = [p for p in kept if price.meter == p.meter == "multiplier" and p.tenant == price.tenant]
        is_apart = all((p.valid_to or _NEVER) <= price.valid_from or ends <= p.valid_from for p in same)
        if is_apart and not (price.tenant and factors):
            kept.append(price)
    return kept


@st.composite
def calls(draw: st.DrawFn) -> Call:
    counts = draw(st.dictionaries(st.sampled_from(METERS), st.sampled_from([0, 1, 7, 50, 99, 100, 101, 10**6])))
    return Call(
        "openai", draw(st.sampled_from(MODELS)), draw(instants()), counts, draw(st.sampled_from([*TENANTS, "other"])),
        draw(st.sampled_from(["global", "eu", "us"])), draw(st.sampled_from(["standard", "batch"])),
    )  # fmt: skip


@pytest.fixture(scope="module")
def engine(price_models):
    with price_models.memory() as connection:
        body = ", ".join(f"{name} {kind}" for name, kind in CALL_COLUMNS.items())
        connection.execute(f"create table raw.calls ({body})")
        price_models.build(connection, "int_prices__effective", "stg_logs__calls")
        yield price_models, connection


def _load(connection: Any, table: str, rows: list[dict[str, Any]]) -> None:
    connection.execute(f"delete from {table}")
    if rows:
        frame = pa.Table.from_pylist(rows)
        connection.register("incoming", frame)
        connection.execute(f"insert into {table} by name select * from incoming")
        connection.unregister("incoming")


def _price_values(price: Price) -> dict[str, Any]:
    plain = {name: getattr(price, name) for name in Price.__dataclass_fields__ if name not in ("window", "applies_to")}
    return plain | {
        "window_name": price.window.name if price.window else None,
        "window_definition": price.window.model_dump_json() if price.window else None,
        "applies_to": ",".join(price.applies_to) or None,
        "context_mode": "whole",
    }


def _call_values(number: int, call: Call) -> dict[str, Any]:
    return {
        "event_id": str(uuid.UUID(int=number)), "occurred_at": call.occurred_at, "provider": call.provider,
        "model_served": call.model, "tenant": call.tenant, "region": call.region, "service_tier": call.service_tier,
        "status": "ok", "usage_status": "final", "source": "test",
        **{COLUMN[meter]: call.counts.get(meter, 0) for meter in METERS},
    }  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(book=books(), made=st.lists(calls(), min_size=1, max_size=40))
def test_every_call_costs_the_same_both_ways(engine, book, made):
    models, connection = engine
    _load(connection, "intermediate.int_prices__effective", [_price_values(price) for price in book])
    _load(connection, "raw.calls", [_call_values(number, call) for number, call in enumerate(made)])
    models.build(connection, "cost_lines", given=["int_prices__effective", "stg_logs__calls"])
    found = connection.execute(
        """select cost, list_cost, currency, cost_status, unpriced_meters, is_estimated from marts.cost_calls
        order by event_id"""
    ).fetchall()
    lines = connection.execute("select event_id, meter, amount, price_id from marts.cost_lines").fetchall()
    by_line = {(str(event), meter): (amount, price_id) for event, meter, amount, price_id in lines}
    for number, (call, row) in enumerate(zip(made, found, strict=True)):
        expected = cost(call, book)
        total, listed, currency, status, unpriced, is_estimated = row
        where = f"{call} at {book}"
        if not any(call.counts.values()):
            assert total in (0, None), where
            continue
        assert total == expected.total, where
        if status == "model_unpriced":
            continue  # no card at that instant: there is no rate to speak of
        assert currency == expected.currency, where
        assert total is None or is_estimated == bool(expected.estimated_because), where
        assert set(unpriced) == set(expected.unpriced_meters), where
        for line in expected.lines:
            assert by_line[str(uuid.UUID(int=number)), line.meter] == (line.amount, line.price_id), where
        untouched = cost(Call(call.provider, call.model, call.occurred_at, call.counts, None, call.region, call.service_tier),
                         [p for p in book if p.tenant is None])  # fmt: skip
        if untouched.currency == currency and total is not None:
            assert listed == untouched.total, where


def test_windows_are_open_in_sql_when_they_are_in_python(engine):
    models, connection = engine
    book = [
        Price("w", "openai", "m", "input", Decimal(1), "USD", START - timedelta(days=9), window=window)
        for window in WINDOWS if window
    ]  # fmt: skip
    made = [Call("openai", "m", START + timedelta(minutes=30 * half), {"input": 1}) for half in range(48 * 8)]
    _load(connection, "intermediate.int_prices__effective", [_price_values(price) for price in book])
    _load(connection, "raw.calls", [_call_values(number, call) for number, call in enumerate(made)])
    models.build(connection, "int_prices__window_hours", given=["int_prices__effective", "stg_logs__calls"])
    spans = connection.execute(
        "select window_definition, open_from, open_to from intermediate.int_prices__window_hours order by all"
    ).fetchall()
    for (name, _, ends), (other, starts, _) in pairwise(spans):
        assert name != other or ends < starts
    for window in (one for one in WINDOWS if one):
        mine = [(a, b) for name, a, b in spans if name == window.model_dump_json()]
        for call in made:
            assert any(a <= call.occurred_at < b for a, b in mine) == window.contains(call.occurred_at)
