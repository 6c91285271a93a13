"""Forecasts of many series at once: regular series in, forecasts with intervals and their accuracy out.

Belongs here: what is done over all series: origins of the back-test, sharing the work among processes,
intervals, the frame that comes out. Does not belong here: a single series' models (`models`).

Bounds and forecasts of a series that was never negative are never negative.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pipelines.forecasting import intervals, models
from pipelines.forecasting import series as series_module
from pipelines.forecasting.series import RHYTHMS, Series

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, np.dtype[np.float64]]

# Points fitted, origins included, below which processes cost more than they give: each imports the models, 4 s.
ALONE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """Every series with its study and half-widths (series x steps x levels), and the errors behind them."""

    series: list[Series]
    studies: list[models.Study]
    offsets: list[int]
    levels: tuple[int, ...]
    widths: Array

    @property
    def sizes(self) -> Array:
        """What a study's figures are counted in, per series."""
        import numpy as np

        return np.array([study.size for study in self.studies])

    @property
    def errors(self) -> Array:
        """Series x origins x steps in the series' own units; NaN where the back-test did not reach."""
        import numpy as np

        return np.stack([study.errors * study.size for study in self.studies])

    def frame(self) -> pd.DataFrame:
        """`unique_id, ds, yhat, lo_<level>, hi_<level> …, model`: horizon rows per series."""
        import numpy as np
        import pandas as pd

        parts = []
        for one, study, width in zip(self.series, self.studies, self.widths, strict=True):
            floor = 0.0 if len(one.values) and one.values.min() >= 0 else -np.inf
            yhat = study.yhat * study.size
            bounds = {}
            for index, level in enumerate(self.levels):
                bounds[f"lo_{level}"] = np.maximum(yhat - width[:, index], floor)
                bounds[f"hi_{level}"] = yhat + width[:, index]
            parts.append(pd.DataFrame({"ds": one.ahead, "yhat": yhat} | bounds).assign(model=study.model))
        if not parts:
            return pd.DataFrame(columns=columns(self.levels))
        frame = pd.concat(parts, ignore_index=True)
        ids = pd.Series([one.unique_id for one in self.series])
        frame.insert(0, "unique_id", ids.repeat([len(part) for part in parts]).to_numpy())
        return frame

    def accuracy(self) -> pd.DataFrame:
        """One row per step ahead over all series; see `intervals.accuracy`."""
        import numpy as np

        errors, naive_errors = (
            np.stack([getattr(study, name) for study in self.studies]) for name in ("errors", "naive_errors")
        )
        scales = np.array([study.scale for study in self.studies])
        return intervals.accuracy(errors, naive_errors, scales, self.offsets, self.levels)


def columns(levels: Sequence[int]) -> list[str]:
    """The columns of a forecast."""
    return ["unique_id", "ds", "yhat", *(f"{side}_{n}" for n in levels for side in ("lo", "hi")), "model"]


def study(frame: pd.DataFrame, freq: str, horizon: int, levels: Sequence[int] = (80, 95), threads: int = 1) -> Outcome:
    """Forecast every series of a frame `unique_id, ds, y`; `freq` is h, d or w. Raises BadInputError.

    Forecasts and models of a series are its own, but for the origins of the back-test, which are common;
    the width of its intervals leans on the other series too.
    """
    rhythm = RHYTHMS[freq]
    keep = rhythm.history + rhythm.origins * horizon
    series = series_module.regular(series_module.check(frame), freq, horizon, keep)
    offsets = origins([len(one.values) for one in series], freq, horizon)
    work = partial(models.study, freq=freq, horizon=horizon, offsets=offsets)
    values = [one.values for one in series]
    points = sum(min(len(one), rhythm.history) for one in values) * (1 + len(offsets))
    if threads > 1 and points > ALONE:
        # Spawned: a fork would copy locks the database's threads hold.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(threads, mp_context=context, initializer=_end_with_parent) as pool:
            studies = list(pool.map(work, values, chunksize=max(1, min(8, len(values) // (4 * threads)))))
    else:
        studies = [work(one) for one in values]
    return Outcome(series, studies, offsets, tuple(levels), _widths(values, studies, levels, horizon))


def forecast(
    frame: pd.DataFrame, freq: str, horizon: int, levels: Sequence[int] = (80, 95), threads: int = 1
) -> pd.DataFrame:
    """`study`'s frame: `unique_id, ds, yhat, lo_<level>, hi_<level> …, model`."""
    return study(frame, freq, horizon, levels, threads).frame()


def origins(lengths: Sequence[int], freq: str, horizon: int) -> list[int]:
    """Steps before the end that the back-test forecasts from, the newest first, common to all series.

    A horizon apart where a series of median length allows; closer where it is short, and then the newest
    origins test only the first steps.
    """
    rhythm = RHYTHMS[freq]
    fitted = [length for length in lengths if length >= models.SHORT]
    if not fitted:
        return []
    room = int(statistics.median(fitted)) - models.least(int(statistics.median(fitted)), rhythm)
    step = max(1, min(horizon, room // rhythm.origins))
    return [step * (index + 1) for index in range(rhythm.origins)]


def _end_with_parent() -> None:
    """Let a worker end when the process that wants its work was killed; it would wait for more for ever."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _widths(values: list[Array], studies: list[models.Study], levels: Sequence[int], horizon: int) -> Array:
    import numpy as np

    widths = np.zeros((len(values), horizon, len(levels)))
    fitted = [index for index, study in enumerate(studies) if study.model not in models.UNFITTED]
    if fitted:
        errors = np.stack([studies[index].errors for index in fitted])
        scales = np.array([studies[index].scale for index in fitted])
        # No error and no scale: a season that repeats to the last digit.
        widths[fitted] = np.nan_to_num(intervals.half_widths(errors, scales, levels))
    for index, (one, study) in enumerate(zip(values, studies, strict=True)):
        if study.model == models.MEAN:
            widths[index] = intervals.student_half_widths(one / study.size, levels)
        elif study.model == models.NO_DATA:
            widths[index] = np.nan
        widths[index] *= study.size
    return widths
