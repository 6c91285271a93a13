"""Other systems' buckets rendered from the log-histograms, against samples counted one by one."""

from __future__ import annotations

import csv
import random
from collections import defaultdict

import pytest

from pipelines.service_levels.percentiles import MEASURES
from pipelines.settings import Settings

SEED = Settings().dbt_project / "seeds" / "latency_bucket_sets.csv"


@pytest.fixture(scope="module")
def sets():
    bounds = defaultdict(list)
    with SEED.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            bounds[row["bucket_set"], row["measure"]].append(float(row["upper_bound"]))
    return dict(bounds)


def test_bounds_rise_and_are_of_a_measure_that_is_kept(sets):
    assert sets != {}
    for (_, measure), bounds in sets.items():
        assert measure in MEASURES
        assert bounds == sorted(set(bounds))
        assert bounds[0] > 0


def test_only_samples_within_one_percent_of_a_bound_may_be_on_its_wrong_side(engine, renderer, sets):
    draw = random.Random(3)
    samples = [0.0 if draw.random() < 0.05 else draw.lognormvariate(6, 2) for _ in range(5_000)]
    renderer.empty(engine, "cost_calls")
    renderer.seed(engine, "latency_bucket_sets")
    engine.execute(
        "insert into marts.cost_calls by name select timestamptz '2026-03-01 10:00:00+00' as occurred_at,"
        " 'ok' as status, unnest($1::double[]) as latency_ms",
        [samples],
    )
    for model in ("latency_buckets_15m", "latency_bucket_sets_daily"):
        renderer.create(engine, model)
    rows = engine.execute(
        "select bucket_set, upper_bound, up_to_count from marts.latency_bucket_sets_daily order by 1, 2 nulls last"
    ).fetchall()
    assert len(rows) == sum(len(bounds) + 1 for (_, measure), bounds in sets.items() if measure == "latency_ms")
    for _, bound, count in rows:
        if bound is None:
            assert count == len(samples)
        else:
            assert sum(x <= bound / 1.01 for x in samples) <= count <= sum(x <= bound / 0.99 for x in samples)
