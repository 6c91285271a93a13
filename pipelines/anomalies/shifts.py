"""Changes of level that last: when, from what, to what.

Belongs here: telling a step from noise, drift and single outliers, once. Does not belong here: single strange values
(`judging`).

The median of the last rows is held against the median of those before them, at two lengths: a short one that sees a
large step soon, and a long one that sees a small step in noise. A step is told when the difference, less the usual
drift, is large against both the noise and the differences this series has always shown, and nearly all of the last
rows lie on its far side. A wandering series thus needs a larger step than a quiet one, and a trend is no step. The
instant told is where the two levels explain the rows best, not where the step was noticed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.anomalies.baseline import VIEWS, of_view

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl


@dataclass(frozen=True, slots=True)
class Scale:
    """How many rows after a step are held against how many before it."""

    after: int
    before: int


SCALES = (Scale(6, 24), Scale(20, 60))
FEWEST = 8  # rows of the level before
MEMORY = 500  # rows the usual differences are learned from
NOISE_ROWS = 6
OVER_NOISE = 4.0  # times the noise of one row, at six rows after; a longer scale sees through more of it
USUAL, OVER_USUAL = 0.9, 2.0  # times the difference of level that nine in ten rows stayed within
CAUTION = 20.0  # rows: with as many seen, a step must be twice as large
AGREEING = 0.75  # of the rows after lie beyond half the step needed
SCHEMA = ("series", "at", "before", "after", "size")
_NAMES = ("after", "low", "high", "before", "drift", "needed")


def told(rows: pl.DataFrame) -> pl.DataFrame:
    """Every change of level, once: `series, at, before, after, size`, by series and instant.

    Takes `series, at, view, rest_<view>` in order of time. `before` and `after` are levels of the value with its
    season taken out, in its own unit; `size` is after less before.
    """
    import polars as pl

    seen = _compared(_by_hour(rows))
    stepping = seen.filter(pl.any_horizontal(f"is_step_{scale.after}" for scale in SCALES))["series"].unique()
    found: list[tuple[object, ...]] = []
    # A loop over series and steps, of which there are few; rows are compared above, all at once.
    for part in seen.filter(pl.col("series").is_in(stepping.to_list())).partition_by("series", maintain_order=True):
        for start, before, after, view in _steps(part):
            first, last = part["first_row"][max(start - 1, 0)], part["last_row"][start]
            row = first + _beginning(rows[f"rest_{view}"][first : last + 1].to_numpy(), 1, last - first, before, after)
            found.append((part["series"][0], rows["at"][row], before, after, after - before))
    types = [rows.schema["series"], rows.schema["at"], pl.Float64(), pl.Float64(), pl.Float64()]
    schema = dict(zip(SCHEMA, types, strict=True))
    return pl.DataFrame(found, schema=schema, orient="row").sort("series", "at", maintain_order=True)


def _by_hour(rows: pl.DataFrame) -> pl.DataFrame:
    """The median of every hour that is over: a level that lasts less than hours is no level.

    Rows an hour apart or more stay as they are. The last hour of a series is left out: more of it may come.
    """
    import polars as pl

    rests = [f"rest_{view}" for view in VIEWS]
    numbered = rows.lazy().with_row_index("row").with_columns(hour=pl.col("at").dt.truncate("1h"))
    hours = numbered.group_by("series", "hour", maintain_order=True).agg(
        pl.col("row").first().alias("first_row"),
        pl.col("row").last().alias("last_row"),
        pl.col("view").last(),
        pl.col(rests).median(),
    )
    return hours.filter(pl.col("hour") < pl.col("hour").last().over("series")).collect()


def _compared(rows: pl.DataFrame) -> pl.DataFrame:
    """Add, per scale and of the view believed, both levels, the usual drift, the step needed and whether it is met."""
    import polars as pl

    seen = rows.lazy()
    for scale in SCALES:
        for view in VIEWS:
            seen = seen.with_columns(_levels(view, scale))
            seen = seen.with_columns(_drift(view, scale)).with_columns(_needed(view, scale))
        seen = seen.with_columns(of_view(name, f"{name}_{scale.after}") for name in _NAMES)
        after, low, high, before, drift, needed = (pl.col(f"{name}_{scale.after}") for name in _NAMES)
        step = after - before - drift
        is_up = (step > needed) & (low - before - drift > needed / 2)
        is_down = (-step > needed) & (before + drift - high > needed / 2)
        seen = seen.with_columns((is_up | is_down).fill_null(value=False).alias(f"is_step_{scale.after}"))
    return seen.collect()


def _levels(view: str, scale: Scale) -> list[pl.Expr]:
    import polars as pl

    rest = pl.col(f"rest_{view}")
    quantiles = {
        name: rest.rolling_quantile(share, window_size=scale.after, interpolation="linear")
        for name, share in (("low", 1 - AGREEING), ("high", AGREEING))
    }
    noise = (rest - rest.rolling_median(NOISE_ROWS, min_samples=3).shift(1)).abs()
    made = quantiles | {
        "after": rest.rolling_median(scale.after),
        "before": rest.rolling_median(scale.before, min_samples=FEWEST).shift(scale.after),
        "noise": noise.rolling_median(MEMORY, min_samples=FEWEST).shift(scale.after),
    }
    known = rest.is_not_null().cum_sum().over("series").alias(f"known_{view}")
    return [known, *(made[name].over("series").alias(f"{name}_{view}") for name in made)]


def _drift(view: str, scale: Scale) -> pl.Expr:
    """The usual difference: that of a trend is no step."""
    import polars as pl

    step = pl.col(f"after_{view}") - pl.col(f"before_{view}")
    drift = step.rolling_median(MEMORY, min_samples=max(FEWEST, scale.after)).shift(scale.after)
    return drift.over("series").alias(f"drift_{view}")


def _needed(view: str, scale: Scale) -> pl.Expr:
    """How large a step must be to be told, all of it known before the rows after it."""
    import polars as pl

    noise = OVER_NOISE * pl.col(f"noise_{view}") * (NOISE_ROWS / scale.after) ** 0.5
    step = pl.col(f"after_{view}") - pl.col(f"before_{view}")
    strayed = (step - pl.col(f"drift_{view}").fill_null(0.0)).abs()
    usual = strayed.rolling_quantile(USUAL, window_size=MEMORY, min_samples=FEWEST, interpolation="linear")
    most = pl.max_horizontal(noise, OVER_USUAL * usual.shift(scale.after).over("series"))
    # The last term: what rounding makes of a constant is no step.
    needed = most * (1 + CAUTION / pl.col(f"known_{view}")) + 1e-9 * pl.col(f"before_{view}").abs()
    return needed.alias(f"needed_{view}")


def _steps(rows: pl.DataFrame) -> list[tuple[int, float, float, str]]:
    """Of one series, the row at which each step begins, the levels and the view.

    Soon after a step the level before is that since the step alone, so one step is not told again and again.
    """
    import numpy as np

    names = (*_NAMES, "is_step")
    columns = {scale: [rows[f"{name}_{scale.after}"].to_numpy() for name in names] for scale in SCALES}
    rests = {view: rows[f"rest_{view}"].to_numpy() for view in VIEWS}
    begun, found = 0, []
    for now in np.flatnonzero(np.any([columns[scale][-1] for scale in SCALES], axis=0)).tolist():
        view = rows["view"][now]
        for scale in SCALES:
            after, low, high, before, drift, needed, is_step = (column[now] for column in columns[scale])
            edge = now - scale.after + 1  # the first of the rows after
            if not is_step or (begun and edge - begun < FEWEST):
                continue
            if begun and edge - begun < scale.before:
                before = np.nanmedian(rests[view][begun:edge])
                step, far = after - before - drift, (low if after > before + drift else high) - before - drift
                if abs(step) <= needed or abs(far) <= needed / 2 or step * far <= 0:
                    continue
            start = _beginning(rests[view], max(begun + 1, edge - scale.after), now, before, after)
            if now - start + 1 < scale.after:
                continue  # some of the rows after are from before the step: wait until the new level fills them
            begun = start
            found.append((begun, float(before), float(np.nanmedian(rests[view][begun : now + 1])), view))
            break
    return found


def _beginning(rest: npt.NDArray[np.float64], first: int, last: int, before: float, after: float) -> int:
    """The row, of those from first to last, from which on the new level explains the rest better than the old."""
    import numpy as np

    rows = rest[first : last + 1]
    gain = np.nan_to_num(np.abs(rows - before) - np.abs(rows - after))
    return first + int(np.argmax(np.cumsum(gain[::-1])[::-1]))
