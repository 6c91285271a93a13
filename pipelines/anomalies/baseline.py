"""What to expect of the next value, learned from the values before it.

Belongs here: which rows carry a value, the season, the level, and which season to trust. Does not belong here: how far
from the expected is too far (`judging`), and changes of level (`shifts`).

Three views of a series compete: no season, the hour of day, the hour of the week. Each is a seasonal part (a median of
the same slot in weeks past, of values less their own day's or week's median, so that a change of level leaves it
alone) and a level (an exponential mean of the rest, single outliers cut). The one with the smallest recent error is
believed; a season must earn its place by being clearly better. So nobody has to say which series has which season.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

# A zero is usual where zeros began again at least this often, by count and by share of the other rows.
USUAL_ZERO_RUNS, USUAL_ZERO_SHARE = 3, 0.01
LEVEL_SPAN = 5  # rows the level remembers
OUTLIER_ROWS = 5  # an outlier for the level is far from the median of this many rows …
OUTLIER_WIDTH = 2.0  # … by more than this many times the step that nine in ten rows stay within
STEP_ROWS = 300
ERROR_HALF_LIFE = 500  # rows, of the memory of which view did best
EARNED = 0.95  # a season is believed when its error is below this share of the simpler view's
KNOWN_ROWS = 24  # rows judged before an error is trusted


@dataclass(frozen=True, slots=True)
class Cycle:
    """A season: its length, how far back it is learned, from how many rows of a slot at least."""

    name: str
    days: int
    memory_days: int
    rows: int


DAY = Cycle("day", 1, 28, 8)
WEEK = Cycle("week", 7, 56, 3)
CYCLES = (DAY, WEEK)
NONE = "none"
VIEWS = (NONE, DAY.name, WEEK.name)


def measured(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Only the rows that carry a value: no nulls, NaN or infinities, and no zeros that stand for missing data.

    In a series without negative values a zero stands for missing data until zeros are usual there: the series began
    with at least as many of them as there were other rows since, or they have begun at least three times, and once in
    a hundred other rows. Takes and gives `series, at, y` in order of time.
    """
    import polars as pl

    zero = pl.col("y") == 0
    others = (~zero).cum_sum()
    seen = rows.filter(pl.col("at").is_not_null() & pl.col("y").is_finite()).with_columns(
        others.over("series").alias("others"),
        (zero & (others == 0)).cum_sum().over("series").alias("leading"),
        (zero.shift(1) & ~zero).fill_null(value=False).cum_sum().over("series").alias("runs"),
        (pl.col("y") < 0).cum_sum().over("series").alias("negatives"),
    )
    often = (pl.col("runs") >= USUAL_ZERO_RUNS) & (pl.col("runs") >= USUAL_ZERO_SHARE * pl.col("others"))
    usual = often | (pl.col("leading") >= pl.col("others")) | (pl.col("negatives") > 0)
    return seen.filter(~zero | usual).drop("others", "leading", "runs", "negatives")


def with_expected(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Add `view` (which is believed), its `expected` and `residual`, and of each view `rest_<view>` (the value less
    its season) and `residual_<view>`.

    Takes `series, at, y` of measured rows in order of time. The first rows of a series have no `expected`.
    """
    import polars as pl

    seen = rows.with_columns(
        pl.lit(0.0).alias(f"season_{NONE}"),
        pl.col("at").dt.hour().alias("slot_day"),
        (pl.col("at").dt.weekday() * 24 + pl.col("at").dt.hour()).alias("slot_week"),
        (pl.col("at") - pl.col("at").first().over("series")).alias("age"),
    )
    for cycle in CYCLES:
        median = pl.col("y").rolling_median_by("at", f"{cycle.days}d").over("series")
        seen = seen.with_columns(
            shape=pl.when(pl.col("age") >= pl.duration(days=cycle.days)).then(pl.col("y") - median)
        )
        season = pl.col("shape").rolling_median_by("at", f"{cycle.memory_days}d", min_samples=cycle.rows, closed="left")
        seen = seen.with_columns(season.over("series", f"slot_{cycle.name}").alias(f"season_{cycle.name}"))
    for view in VIEWS:
        seen = seen.with_columns((pl.col("y") - pl.col(f"season_{view}")).alias("rest"))
        middle = pl.col("rest").rolling_median(OUTLIER_ROWS, min_samples=1)
        step = (pl.col("rest") - middle.shift(1)).abs().rolling_quantile(0.9, window_size=STEP_ROWS, min_samples=8)
        reach = (OUTLIER_WIDTH * step).fill_null(float("inf"))
        cut = pl.col("rest").clip((middle - reach).over("series"), (middle + reach).over("series"))
        seen = seen.with_columns(cut.alias("cut"), pl.col("rest").alias(f"rest_{view}"))
        level = pl.col("cut").ewm_mean(span=LEVEL_SPAN, ignore_nulls=True, min_samples=3).shift(1).over("series")
        seen = seen.with_columns((pl.col(f"season_{view}") + level).alias(f"expected_{view}"))
        seen = seen.with_columns((pl.col("y") - pl.col(f"expected_{view}")).alias(f"residual_{view}"))
        # The root of the error: one wild row says little about which view is the better.
        error = (
            pl.col(f"residual_{view}")
            .abs()
            .sqrt()
            .ewm_mean(half_life=ERROR_HALF_LIFE, ignore_nulls=True, min_samples=KNOWN_ROWS)
        )
        seen = seen.with_columns(error.shift(1).over("series").alias(f"error_{view}"))
    none, day, week = (pl.col(f"error_{view}") for view in VIEWS)
    believed = (
        pl.when((week < EARNED * pl.min_horizontal(none, day)) & pl.col("expected_week").is_not_null())
        .then(pl.lit(WEEK.name))
        .when((day < EARNED * none) & pl.col("expected_day").is_not_null())
        .then(pl.lit(DAY.name))
        .otherwise(pl.lit(NONE))
    )
    seen = seen.with_columns(believed.alias("view"))
    return seen.with_columns(of_view("expected"), of_view("residual"))


def of_view(name: str, renamed: str | None = None) -> pl.Expr:
    """Of the columns `<name>_<view>`, the one of the view believed in each row."""
    import polars as pl

    return pl.coalesce(*(pl.when(pl.col("view") == view).then(f"{name}_{view}") for view in VIEWS)).alias(
        renamed or name
    )
