"""Calls that come late touch the quarter hours they are of, and no other; what is summed from those agrees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

START = datetime(2026, 3, 29, tzinfo=UTC)
MODELS = ("usage_15m", "latency_buckets_15m", "usage_hourly", "usage_daily", "latency_daily")

calls = st.lists(
    st.tuples(
        st.integers(0, 400),  # minutes since the start
        st.sampled_from(["a", "b", None]),  # provider
        st.sampled_from(["ok", "error", "stream_broken"]),
        st.one_of(st.none(), st.floats(0, 1e6)),  # latency
        st.one_of(st.none(), st.integers(0, 1_000)),  # cost in millionths
    ),
    min_size=1,
    max_size=30,
)


@pytest.fixture
def build(engine, renderer):
    def build(rows):
        """Every model over these calls: its rows, each of the quarter hour it is of."""
        renderer.empty(engine, "cost_calls")
        engine.executemany(
            "insert into marts.cost_calls by name select uuid() as event_id, $1 as request_id, 1 as attempt,"
            " $2::timestamptz as occurred_at, $3 as provider, $4 as status, $5::double as latency_ms,"
            " $6::decimal(38, 18) / 1000000 as cost_usd, if($6 is null, 'model_unpriced', 'exact') as cost_status,"
            " 'final' as usage_status, false as is_estimated",
            [
                (str(n), START + timedelta(minutes=minute), provider, status, latency, cost)
                for n, (minute, provider, status, latency, cost) in enumerate(rows)
            ],
        )
        for model in MODELS:
            renderer.create(engine, model)
        return {model: set(engine.execute(f"from marts.{model}").fetchall()) for model in MODELS}

    return build


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known=calls, late=calls)
def test_a_late_call_touches_only_its_own_quarter_hour(build, engine, known, late):
    before, after = build(known), build(known + late)
    touched = {START + timedelta(minutes=minute // 15 * 15) for minute, *_ in late}
    for model in ("usage_15m", "latency_buckets_15m"):
        changed = {row[0] for row in before[model] ^ after[model]}
        assert changed <= touched, model
    hours = {at.replace(minute=0) for at in touched}
    assert {row[0] for row in before["usage_hourly"] ^ after["usage_hourly"]} <= hours
    for model in ("usage_15m", "usage_hourly", "usage_daily"):
        assert engine.execute(f"select sum(attempt_count), sum(request_count) from marts.{model}").fetchone() == (
            len(known) + len(late),
            len(known) + len(late),
        )
