"""Intervals from the back-test: how wide, so that they cover as often as they say; and how well that went.

Belongs here: the errors of rolling origins made into half-widths, and into figures of accuracy. Does not
belong here: making forecasts.

A median of models has no interval of its own; these are conformal. Each series' errors are divided by its
own spread, taken from its *other* origins, and by a common growth along the horizon; the quantile of what
is left, over all series and origins, times spread and growth is the half-width. A few series alone lean on
a Student t of 4 degrees.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, np.dtype[np.float64]]

PRIOR_ORIGINS: Final = 2.0  # origins a series' in-sample spread counts for, beside its own origins
PRIOR_SERIES: Final = 10  # series-origins the Student t counts for in the quantile
PRIOR_GROWTH: Final = 0.5  # a random walk's
SPREAD_OF_SCALE: Final = 1.57  # mean square over squared mean absolute, of normal errors


def half_widths(errors: Array, scales: Array, levels: Sequence[int]) -> Array:
    """Half-widths, series x steps x levels, of errors (series x origins x steps, NaN where there was none).

    `scales` (one per series, NaN where unknown) is what one step's surprise is in-sample. A series with
    neither errors nor scale gets NaN.
    """
    import numpy as np

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means of nothing are NaN, as they should be
        scales = np.where(np.isfinite(scales), scales, np.sqrt(np.nanmean(errors**2, axis=(1, 2))))
        growth = np.arange(1, errors.shape[2] + 1) ** _exponent(errors / scales[:, None, None])
        level = errors / growth
        squares = np.nanmean(level**2, axis=2)
        prior = np.nanmedian(np.nanmean(squares, axis=1) / scales**2)
        prior = scales**2 * (prior if np.isfinite(prior) else SPREAD_OF_SCALE)
        total, count = np.nansum(squares, axis=1), np.isfinite(squares).sum(axis=1)
        spread = np.sqrt((total + PRIOR_ORIGINS * prior) / (count + PRIOR_ORIGINS))
        others = (total[:, None] - np.nan_to_num(squares) + PRIOR_ORIGINS * prior[:, None]) / (
            count[:, None] - 1 + PRIOR_ORIGINS
        )
        surprise = np.abs(level) / np.sqrt(others)[:, :, None]
    quantiles = _quantiles(surprise[np.isfinite(surprise)], int(np.isfinite(squares).sum()), levels)
    widths: Array = spread[:, None, None] * growth[None, :, None] * quantiles[None, None, :]
    return widths


def student_half_widths(values: Array, levels: Sequence[int]) -> Array:
    """Half-widths, one per level, around the mean of a few values: a prediction interval by Student's t of 4
    degrees whatever their number (one degree would promise thirteen spreads). One value shows no spread: zero."""
    import numpy as np

    if len(values) < 2:
        return np.zeros(len(levels))
    spread = np.std(values, ddof=1) * np.sqrt(1 + 1 / len(values))
    widths: Array = student(np.array([0.5 + level / 200 for level in levels])) * spread
    return widths


def accuracy(
    errors: Array, naive_errors: Array, scales: Array, offsets: Sequence[int], levels: Sequence[int]
) -> pd.DataFrame:
    """One row per step ahead: `step, tests, mase, naive_mase` and `coverage_<level>` (shares, NaN where untested).

    MASE over every origin; coverage over the origins with at least two older ones, each judged by the
    intervals its own past would have given. `offsets` ascend: the newest origin is first.
    """
    import numpy as np
    import pandas as pd

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        both = np.isfinite(errors) & np.isfinite(naive_errors) & np.isfinite(scales)[:, None, None]
        scaled = [
            np.nanmean(np.where(both, np.abs(e) / scales[:, None, None], np.nan), axis=(0, 1))
            for e in (errors, naive_errors)
        ]
    steps = np.arange(1, errors.shape[2] + 1)
    covered = {level: np.zeros(len(steps)) for level in levels}
    judged = np.zeros(len(steps))
    for row in range(len(offsets) - 2):
        # What an older origin could not have seen yet stays out: steps that end after this origin.
        seen = steps[None, :] <= (np.array(offsets[row + 1 :]) - offsets[row])[:, None]
        widths = half_widths(np.where(seen[None], errors[:, row + 1 :], np.nan), scales, levels)
        known = np.isfinite(errors[:, row]) & np.isfinite(widths[:, :, 0])
        judged += known.sum(axis=0)
        for index, level in enumerate(levels):
            covered[level] += (known & (np.abs(errors[:, row]) <= widths[:, :, index])).sum(axis=0)
    columns = {"step": steps, "tests": both.sum(axis=(0, 1)), "mase": scaled[0], "naive_mase": scaled[1]}
    with np.errstate(all="ignore"):
        return pd.DataFrame(columns | {f"coverage_{level}": found / judged for level, found in covered.items()})


def _exponent(surprise: Array) -> float:
    """How errors grow along the horizon, as a power of the step between none (0) and straight (1)."""
    import numpy as np

    by_step = np.nanmedian(np.nanmean(np.abs(surprise), axis=1), axis=0)
    usable = np.isfinite(by_step) & (by_step > 0)
    if usable.sum() < 3:
        return PRIOR_GROWTH
    slope = np.polyfit(np.log(np.flatnonzero(usable) + 1), np.log(by_step[usable]), 1)[0]
    return float(np.clip(slope, 0, 1))


def _quantiles(surprises: Array, count: int, levels: Sequence[int]) -> Array:
    """Quantiles of the surprises together with a Student t's, which counts for PRIOR_SERIES origins of theirs."""
    import numpy as np

    usual = student(0.5 + (np.arange(500) + 0.5) / 1000)
    weight = np.concatenate(
        [np.full(len(surprises), count / max(len(surprises), 1)), np.full(len(usual), PRIOR_SERIES / len(usual))]
    )
    both = np.concatenate([surprises, usual])
    order = np.argsort(both, kind="stable")
    reached = np.searchsorted(np.cumsum(weight[order]) / weight.sum(), np.array(levels) / 100)
    found: Array = both[order][np.minimum(reached, len(both) - 1)]
    return found


def student(shares: Array) -> Array:
    """Quantiles of Student's t of 4 degrees for shares between 0.5 and 1; its closed form needs no tables."""
    import numpy as np

    root = np.sqrt(4 * shares * (1 - shares))
    found: Array = 2 * np.sqrt(np.maximum(np.cos(np.arccos(root) / 3) / root - 1, 0))
    return found
