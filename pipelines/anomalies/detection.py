"""Anomalies and level shifts of many series at once.

Belongs here: the one entry point, from `series, at, value` to judged rows and shifts. Does not belong here: files
(`files`) and the steps themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipelines.anomalies import baseline, judging, shifts

if TYPE_CHECKING:
    import polars as pl

JUDGEMENT = ("score", "is_anomaly", "expected", "lower", "upper")


class Detection(NamedTuple):
    """The rows as given with their judgement, and the changes of level among them."""

    rows: pl.DataFrame
    shifts: pl.DataFrame


def detect(series: pl.DataFrame) -> Detection:
    """Judge every row by the rows of its series before it.

    Takes `series, at, value` in any order (`at` an instant or a day, `value` a number; rows of one instant count in
    the order given). Gives the same rows in the same order with `score` (1 is the edge of the expected range, null
    where nothing can be judged), `is_anomaly`, `expected`, `lower` and `upper` in the value's unit; and the shifts
    `series, at, before, after, size`. Missing values (null, NaN, infinite, a zero where zeros are not usual) and
    rows without an instant are never anomalies and teach nothing.
    """
    import polars as pl

    placed = series.with_row_index("place")
    at = pl.col("at").cast(pl.Datetime("us")) if series.schema["at"] == pl.Date else pl.col("at")
    rows = placed.lazy().select("place", "series", at, pl.col("value").cast(pl.Float64).alias("y"))
    rows = rows.sort("series", "at", maintain_order=True)
    judged = judging.judged(baseline.with_expected(baseline.measured(rows))).collect()
    found = shifts.told(judged).with_columns(pl.col("at").cast(series.schema["at"]))
    answer = placed.join(judged.select("place", *JUDGEMENT), on="place", how="left", maintain_order="left")
    return Detection(
        answer.drop("place").with_columns(pl.col("is_anomaly").fill_null(value=False)), found.select(shifts.SCHEMA)
    )
