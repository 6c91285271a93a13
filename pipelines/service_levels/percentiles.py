"""Percentiles of latency, time to first token and output speed, over any window, zone and grouping.

Belongs here: the one query, over the mergeable histograms of `marts.latency_buckets_15m` or, for groups those do
not keep (users, keys), exactly over `marts.cost_calls`. Does not belong here: how a histogram is read (dbt's
macro `histogram_percentiles`, rendered here as it is), windows and groups themselves (`windows.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipelines.service_levels import macros
from pipelines.service_levels.usage import COLUMNS as USAGE_COLUMNS
from pipelines.service_levels.windows import BadQuestionError

if TYPE_CHECKING:
    from collections.abc import Collection

    import duckdb

    from pipelines.service_levels.windows import Question

MEASURES: Final = ("latency_ms", "ttft_ms", "output_tokens_per_second")
HISTOGRAM_COLUMNS: Final = frozenset(macros.listed("histograms", "histogram_dimensions"))
COLUMNS: Final = tuple(name for name in USAGE_COLUMNS if name not in ("status", "error_class"))
QUANTILES: Final[tuple[tuple[str, float], ...]] = tuple(macros.listed("histograms", "percentiles"))

# Both totals of `total_of(['output_tokens', 'reasoning_tokens'])`: unknown only where both are.
_OUTPUT: Final = (
    "case when coalesce(output_tokens, reasoning_tokens) is not null"
    " then coalesce(output_tokens, 0) + coalesce(reasoning_tokens, 0) end"
)


def percentiles(
    connection: duckdb.DuckDBPyConnection, question: Question, measures: Collection[str] = MEASURES
) -> list[dict[str, Any]]:
    """One row per measure and group, in that order: `sample_count`, p50, p90, p95, p99, p99_9 in the measure's unit.

    Answered attempts only (whole or broken); speed of whole ones. Within 1 % of the exact percentile, and exact
    (`is_exact`) where a user or key is asked for. Raises BadQuestionError for a measure that is not kept.
    """
    unknown = set(measures).difference(MEASURES)
    if unknown:
        raise BadQuestionError(f"there is no measure {min(unknown)!r}; there are {', '.join(MEASURES)}")
    is_exact = not question.columns <= HISTOGRAM_COLUMNS
    condition, values = question.condition()
    groups = {"measure": "measure"} | question.groups()
    named = ", ".join(f"{sql} as {name}" for name, sql in groups.items())
    asked = ", ".join(f"'{name}'" for name in MEASURES if name in measures)
    source = _exact_samples() if is_exact else "marts.latency_buckets_15m"
    value = "value" if is_exact else "bucket, sample_count"
    relation = f"(select {named}, {value} from {source} where {condition} and measure in ({asked})) as asked"
    if is_exact:
        columns = ", ".join(f"quantile_cont(value, {q}) as {name}" for name, q in QUANTILES)
        query = f"select {', '.join(groups)}, count(*) as sample_count, {columns} from {relation} group by all"
    else:
        query = macros.rendered("histograms", "histogram_percentiles", relation, list(groups), QUANTILES)
    order = ", ".join(f"{name} nulls last" for name in groups)
    result = connection.execute(f"select *, {is_exact} as is_exact from ({query}) as answer order by {order}", values)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _exact_samples() -> str:
    """Every sample of every measure, one by one, under the histograms' names."""
    quarter_hour = macros.rendered("quarter_hours", "quarter_hour", "occurred_at")
    speed = macros.rendered("histograms", "output_tokens_per_second", _OUTPUT)
    return (
        f"(unpivot (select {', '.join(COLUMNS)}, {quarter_hour} as quarter_hour_at, latency_ms, ttft_ms,"
        f" cast({speed} as double) as output_tokens_per_second"
        f" from marts.cost_calls where status in ('ok', 'stream_broken'))"
        f" on {', '.join(MEASURES)} into name measure value value) as samples"
    )
