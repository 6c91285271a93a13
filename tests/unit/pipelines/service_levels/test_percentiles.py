"""Percentiles of merged histograms against the exact ones, however the samples are cut into quarters and groups."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.service_levels import macros
from pipelines.service_levels.percentiles import COLUMNS, HISTOGRAM_COLUMNS, MEASURES, QUANTILES, percentiles
from pipelines.service_levels.windows import BadQuestionError, ask

START = datetime(2026, 2, 27, tzinfo=UTC)
NAMES = [name for name, _ in QUANTILES]


@pytest.fixture(scope="module")
def facts(marts):
    """An empty `latency_buckets_15m`, and a function that fills it with samples and where each of them stands."""
    dimensions = ", ".join(f"{name} varchar" for name in sorted(HISTOGRAM_COLUMNS))
    marts.execute(
        f"create table marts.latency_buckets_15m (quarter_hour_at timestamptz, {dimensions}, measure varchar,"
        " bucket integer, sample_count bigint)"
    )
    bucket = macros.rendered("engine", "log_bucket", "value")

    def fill(samples, quarters, providers):
        marts.execute("delete from marts.latency_buckets_15m")
        marts.execute(
            "insert into marts.latency_buckets_15m by name"
            f" select quarter_hour_at, provider, 'latency_ms' as measure, {bucket} as bucket, count(*) as sample_count"
            " from (select unnest($samples::double[]) as value, unnest($quarters::timestamptz[]) as quarter_hour_at,"
            " unnest($providers::varchar[]) as provider) as calls group by all",
            {"samples": samples, "quarters": [START + n * timedelta(minutes=15) for n in quarters],
             "providers": providers},
        )  # fmt: skip
        return marts

    return fill


def exact(samples, q):
    """The percentile between the two samples around it, written without any histogram."""
    ordered, at = sorted(samples), q * (len(samples) - 1)
    low, high = ordered[math.floor(at)], ordered[math.ceil(at)]
    return low + (high - low) * (at - math.floor(at))


def assert_close(row, samples):
    assert row["sample_count"] == len(samples)
    for name, q in QUANTILES:
        truth = exact(samples, q)
        assert abs(row[name] - truth) <= truth * 0.0100001, (name, row[name], truth)


times = st.one_of(st.just(0.0), st.floats(1e-6, 1e9), st.integers(0, 10_000).map(float))


@settings(max_examples=40, deadline=None)
@given(data=st.data(), samples=st.lists(times, min_size=1, max_size=200))
def test_any_merge_is_within_one_percent(facts, data, samples):
    count = len(samples)
    quarters = data.draw(st.lists(st.integers(0, 5_000), min_size=count, max_size=count))
    providers = data.draw(st.lists(st.sampled_from(["a", "b", None]), min_size=count, max_size=count))
    connection = facts(samples, quarters, providers)
    (row,) = percentiles(connection, ask(COLUMNS))
    assert_close(row, samples)
    assert [row[name] for name in NAMES] == sorted(row[name] for name in NAMES)
    for row in percentiles(connection, ask(COLUMNS, by="provider")):
        assert_close(row, [x for x, provider in zip(samples, providers, strict=True) if provider == row["provider"]])


SHAPES = {
    "bimodal": lambda draw: draw.gauss(120, 5) if draw.random() < 0.94 else draw.gauss(30_000, 900),
    "heavy tail": lambda draw: 50 * draw.paretovariate(0.9),
    "half zeros": lambda draw: 0.0 if draw.random() < 0.5 else draw.expovariate(1 / 400),
    "constant": lambda draw: 812.0,
    "log-normal": lambda draw: draw.lognormvariate(7, 1.5),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [1, 2, 999, 20_000])
def test_hard_shapes(facts, shape, count):
    draw = random.Random(f"{shape} {count}")
    samples = [max(SHAPES[shape](draw), 0.0) for _ in range(count)]
    connection = facts(samples, [draw.randrange(3_000) for _ in samples], ["p"] * count)
    (row,) = percentiles(connection, ask(COLUMNS))
    assert_close(row, samples)


def test_days_and_months_merged_from_days_are_what_the_quarters_give(facts):
    draw = random.Random(7)
    samples = [draw.lognormvariate(6, 2) for _ in range(3_000)]
    connection = facts(samples, [draw.randrange(4_000) for _ in samples], [draw.choice("ab") for _ in samples])
    questions = [ask(COLUMNS, by=by) for by in ("", "month", "month,provider")]
    direct = [percentiles(connection, question) for question in questions]
    connection.execute(
        "create or replace table marts.latency_buckets_15m as select * replace (sum(sample_count) as sample_count,"
        " date_trunc('day', quarter_hour_at) as quarter_hour_at) from marts.latency_buckets_15m group by all"
    )
    assert [percentiles(connection, question) for question in questions] == direct
    assert [len(rows) for rows in direct] == [1, 3, 6]


def test_a_key_is_answered_exactly_from_the_calls(marts):
    columns = ", ".join(f"'{name}' as {name}" for name in COLUMNS if name != "api_key_id")
    marts.execute(
        f"create or replace table marts.cost_calls as select {columns}, case when n % 2 = 0 then 'k' end as api_key_id,"
        " timestamptz '2026-03-01 10:00:00+00' + to_seconds(n) as occurred_at, 'ok' as status, n::double as latency_ms,"
        " case when n > 0 then 0.0 end as ttft_ms, n as output_tokens, null::bigint as reasoning_tokens"
        " from range(101) as numbers(n)"
    )
    rows = percentiles(marts, ask(COLUMNS, by="api_key_id", start="2026-03-01", end="2026-03-02"))
    found = {(row["measure"], row["api_key_id"]): row for row in rows}
    assert found["latency_ms", "k"] == {
        "measure": "latency_ms", "api_key_id": "k", "sample_count": 51, "p50": 50, "p90": 90, "p95": 95, "p99": 99,
        "p99_9": pytest.approx(99.9), "is_exact": True,
    }  # fmt: skip
    assert found["ttft_ms", "k"]["sample_count"] == 50
    assert found["output_tokens_per_second", None]["p50"] == 1000


def test_a_measure_not_kept_is_named(marts):
    with pytest.raises(BadQuestionError, match="no measure 'mood'; there are latency_ms"):
        percentiles(marts, ask(COLUMNS), ["mood"])
    assert len(MEASURES) == 3
