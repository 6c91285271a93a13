"""How far from the expected is too far.

Belongs here: the range a value may lie in, learned from how far earlier ones strayed, and the score. Does not belong
here: what is expected (`baseline`).

Each side has its own range, for spikes are no reason to forgive collapses. The range reaches beyond what one row in 400
exceeded, the further the heavier the tail (the ratio of two quantiles tells), so a series that often spikes is not told
of often. Quantiles, not means: a past anomaly counts as one row, however large it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.anomalies.baseline import VIEWS, of_view

if TYPE_CHECKING:
    import polars as pl

MEMORY = 4000  # rows the range is learned from
MINIMUM = 24  # rows before anything is judged
USUAL, RARE = 0.95, 0.9975  # of the residuals on one side
REACH = 0.5  # power of the tail's weight by which the range goes beyond the rare
LIGHTEST, HEAVIEST = 1.25, 3.0  # the weight believed of a tail
LEAST = 2.7  # times the usual residual: 4.4 standard deviations where the noise is Gaussian
CAUTION = 90.0  # added to `LEAST` divided by the rows seen: little is known of the tail of a young series
MATERIAL = 0.02  # of the expected value: less is no anomaly to anyone
SCORE_MOST = 1000.0


def judged(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Add `lower`, `upper`, `score` (1 is the edge of the range, at most 1000) and `is_anomaly`.

    Takes what `baseline.with_expected` gives. Where too little is known the range and score are null.
    """
    import polars as pl

    seen = rows
    for view in VIEWS:
        seen = seen.with_columns(_quantiles(f"residual_{view}", view))
    names = ("usual_upper", "rare_upper", "usual_lower", "rare_lower", "known")
    seen = seen.with_columns(of_view(name) for name in names).with_columns(_reach("upper"), _reach("lower"))
    strayed = pl.col("residual").abs()
    room = pl.when(pl.col("residual") >= 0).then("reach_upper").otherwise("reach_lower")
    score = pl.when(strayed == 0).then(0.0).otherwise(strayed / room).clip(0, SCORE_MOST)
    return seen.with_columns(
        (pl.col("expected") - pl.col("reach_lower")).alias("lower"),
        (pl.col("expected") + pl.col("reach_upper")).alias("upper"),
        pl.when(room.is_not_null()).then(score).alias("score"),
    ).with_columns((pl.col("score") > 1).fill_null(value=False).alias("is_anomaly"))


def _quantiles(residual: str, view: str) -> list[pl.Expr]:
    """How far the view's own earlier residuals strayed: those of another view would say nothing of it."""
    import polars as pl

    def quantile(share: float) -> pl.Expr:
        rolled = pl.col(residual).rolling_quantile(
            share, window_size=MEMORY, min_samples=MINIMUM, interpolation="linear"
        )
        return rolled.shift(1).over("series")

    return [
        quantile(USUAL).clip(0).alias(f"usual_upper_{view}"),
        quantile(RARE).clip(0).alias(f"rare_upper_{view}"),
        (-quantile(1 - USUAL)).clip(0).alias(f"usual_lower_{view}"),
        (-quantile(1 - RARE)).clip(0).alias(f"rare_lower_{view}"),
        pl.col(residual).is_not_null().cum_sum().over("series").alias(f"known_{view}"),
    ]


def _reach(side: str) -> pl.Expr:
    """The range's width on one side of the expected."""
    import polars as pl

    usual, rare = pl.col(f"usual_{side}"), pl.col(f"rare_{side}")
    weight = (rare / usual).fill_nan(LIGHTEST).clip(LIGHTEST, HEAVIEST)
    cautious = usual * (LEAST + CAUTION / pl.col("known"))
    widest = pl.max_horizontal(rare * weight**REACH, cautious, MATERIAL * pl.col("expected").abs())
    return pl.when(rare.is_not_null()).then(widest).alias(f"reach_{side}")
