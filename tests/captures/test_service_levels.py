"""Real latencies through the histograms, and real outages through the feed."""

from __future__ import annotations

import pytest

from pipelines import warehouse
from pipelines.service_levels import macros
from pipelines.service_levels.percentiles import COLUMNS, HISTOGRAM_COLUMNS, QUANTILES, percentiles
from pipelines.service_levels.windows import ask
from pipelines.settings import Settings
from pipelines.slo import feeds


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home", threads=1, memory_limit="1GB")


@pytest.mark.parametrize("by", ["", "region", "model", "day", "model,region"])
def test_percentiles_of_real_probes_are_within_one_percent(captures, settings, by):
    file = captures / "traces" / "thefastest_latency.parquet"
    quarter = macros.rendered("quarter_hours", "quarter_hour", "cast(time || 'Z' as timestamptz)")
    samples = (
        f"(select {quarter} as quarter_hour_at, region, model, unnest([total_time, ttft, tps]) as value,"
        " unnest(['latency_ms', 'ttft_ms', 'output_tokens_per_second']) as measure"
        f" from read_parquet('{file}')) as samples"
    )
    others = ", ".join(f"null::varchar as {name}" for name in HISTOGRAM_COLUMNS - {"region", "model"})
    with warehouse.engine(settings) as connection:
        connection.execute("create schema marts")
        connection.execute(
            f"create table marts.latency_buckets_15m as select * exclude value, {others},"
            f" {macros.rendered('engine', 'log_bucket', 'value')} as bucket, count(*) as sample_count"
            f" from {samples} where value is not null group by all"
        )
        question = ask(COLUMNS, by=by)
        groups = "".join(f", {sql} as {name}" for name, sql in question.groups().items())
        exact = ", ".join(f"quantile_cont(value, {q}) as {name}" for name, q in QUANTILES)
        connection.execute(
            f"create table exact as select measure{groups}, count(value) as sample_count, {exact} from {samples}"
            " where value is not null group by all",
            {"zone": "UTC"} if "$zone" in groups else None,
        )
        keys = ("measure", *question.by)
        found = {tuple(row[key] for key in keys): row for row in percentiles(connection, question)}
        truths = connection.execute("from exact").df().to_dict("records")
    assert len(truths) == len(found) > 0
    for truth in truths:
        key = tuple(value.date() if hasattr(value, "date") else value for value in (truth[key] for key in keys))
        assert found[key]["sample_count"] == truth["sample_count"]
        for name, _ in QUANTILES:
            assert abs(found[key][name] - truth[name]) <= 0.0100001 * truth[name], (key, name)


def test_real_outages_give_the_availability_worked_out_from_them(captures, settings):
    count = feeds.load(settings, captures / "status" / "llm_service_outage_minutes_daily.parquet")
    # The very expression of the mart, over the days as fed.
    model = (settings.dbt_project / "models/marts/sla/provider_availability_daily.sql").read_text(encoding="utf-8")
    (stated,) = [line for line in model.splitlines() if line.endswith("as stated_availability,")]
    with warehouse.reading(settings) as connection:
        rows = connection.execute(
            "select service, round(100 * avg(stated_availability), 2), round(100 * min(stated_availability), 2)"
            f" from (select service, {stated.strip()} from raw.provider_outages as outages) as days group by service"
        ).fetchall()
    found = {service: (mean, lowest) for service, mean, lowest in rows}
    assert count == 5_243
    assert found["api"] == (99.82, 80.57)
    assert found["chatgpt"] == (99.66, 77.15)
    assert found["api.anthropic.com"] == (99.92, 85.44)
    assert found["claude.ai"] == (99.84, 82.02)
