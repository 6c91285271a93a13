"""One series: which models answer for it, what they say, and what they would have said before.

Belongs here: the choice of models, fitting them, the back-test of one series. Does not belong here:
repairing series (`series`), intervals (`intervals`).

A series with a season is forecast by the median of CES, the optimised dynamic Theta, MSTL over every season
and, unless hourly, ETS; one without by ETS, CES, ARIMA and Theta: a median of few strong models is what no
single one of them beats (on every third M4 weekly series an OWA of 0.73, its members 0.75 to 0.86; ARIMA
beside them moved it by less than 0.03 either way, at ten times the time). A series mostly of zeros is also
given to TSB, and the back-test chooses.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipelines.forecasting.series import RHYTHMS, Rhythm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float64]]

_LOG = logging.getLogger(__name__)

NO_DATA, CONSTANT, MEAN = "no data", "constant", "mean"
UNFITTED: Final = (NO_DATA, CONSTANT, MEAN)  # answers without a model, so without a back-test
SHORT: Final = 8  # below it there is nothing to fit: the mean answers
WORTH_IT: Final = 0.95  # another than the first candidate must have erred less than this share of it
INTERMITTENT: Final = 0.5  # share of zeros above which TSB is a candidate
SEASON_OF_ETS: Final = 12  # with longer seasons ETS takes half a second for a thousand points, and MSTL has one inside
SEASON_OF_CES: Final = 100  # beyond it CES' kinds of season differ little, and trying all takes fifty times as long


@dataclass(frozen=True, slots=True)
class Study:
    """What one series gave: forecast, errors of the back-test (origins x steps, NaN where there was none).

    All in units of `size`, the series' largest absolute value: sizes of 1e-300 or 1e300 are beyond the models'
    tolerances, and squares of them beyond floats.
    """

    model: str
    size: float
    yhat: Array
    errors: Array
    naive_errors: Array
    scale: float  # mean absolute seasonal difference, the denominator of MASE; NaN where there is none


def study(values: Array, freq: str, horizon: int, offsets: Sequence[int]) -> Study:
    """Forecast one regular series and back-test the forecast from `offsets` steps before its end."""
    import numpy as np

    rhythm = RHYTHMS[freq]
    none = np.full((len(offsets), horizon), np.nan)
    if len(values) == 0:
        return Study(NO_DATA, 1.0, np.full(horizon, np.nan), none, none, float("nan"))
    size = float(np.abs(values).max()) or 1.0
    y = values / size
    floor = 0.0 if y.min() >= 0 else -np.inf
    history = y[-rhythm.history :]
    scale = _scale(y, rhythm)
    if history.min() == history.max():
        return Study(CONSTANT, size, np.full(horizon, history[-1]), none, none, scale)
    if len(history) < SHORT:
        return Study(MEAN, size, np.full(horizon, np.mean(history)), none, none, scale)

    def answers(past: Array) -> dict[str, Array]:
        return {name: np.maximum(yhat, floor) for name, yhat in _candidates(past, rhythm, horizon).items()}

    now = answers(history)
    errors = {name: none.copy() for name in now}
    naive_errors = none.copy()
    for row, offset in enumerate(offsets):
        past, future = y[:-offset][-rhythm.history :], y[max(0, len(y) - offset) :][:horizon]
        if len(past) < least(len(history), rhythm):
            continue
        then = answers(past)
        for name, found in errors.items():
            found[row, : len(future)] = future - then.get(name, next(iter(then.values())))[: len(future)]
        naive_errors[row, : len(future)] = future - _naive(past, rhythm, horizon)[: len(future)]
    chosen = _choose(errors)
    return Study(chosen, size, now[chosen], errors[chosen], naive_errors, scale)


def _seasons(length: int, rhythm: Rhythm) -> list[int]:
    """The seasons seen twice."""
    return [season for season in rhythm.seasons if length > 2 * season]


def least(length: int, rhythm: Rhythm) -> int:
    """The shortest past the back-test goes back to: what the shortest season needs, where the series has it."""
    seasons = _seasons(length, rhythm)
    return 2 * seasons[0] + 1 if seasons else SHORT


def _candidates(y: Array, rhythm: Rhythm, horizon: int) -> dict[str, Array]:
    """The forecasts to choose from, the preferred first."""
    import numpy as np

    members = _median_of(len(y), rhythm)
    name = "median of " + ", ".join(members)
    if y.min() == y.max():
        return {name: np.full(horizon, y[-1])}
    found = [one for one in (_fit(make, y, horizon) for make in members.values()) if one is not None]
    candidates = {name: np.median(found, axis=0) if found else _naive(y, rhythm, horizon)}
    if np.mean(y == 0) > INTERMITTENT and y.min() >= 0:
        from statsforecast.models import TSB

        rare = _fit(lambda: TSB(alpha_d=0.1, alpha_p=0.1), y, horizon)
        if rare is not None:
            candidates["TSB"] = rare
    return candidates


def _median_of(length: int, rhythm: Rhythm) -> dict[str, Callable[[], Any]]:
    """The members of the median for a series of this length, by name."""
    from statsforecast.models import MSTL, AutoARIMA, AutoCES, AutoETS, DynamicOptimizedTheta

    seasons = _seasons(length, rhythm)
    if not seasons:
        return {
            "ETS": lambda: AutoETS(season_length=1),
            "CES": lambda: AutoCES(season_length=1),
            "ARIMA": lambda: AutoARIMA(season_length=1),
            "Theta": lambda: DynamicOptimizedTheta(season_length=1),
        }
    longest = seasons[-1]
    members: dict[str, Callable[[], Any]] = {
        "CES": lambda: AutoCES(season_length=longest, model="Z" if longest < SEASON_OF_CES else "S"),
        "Theta": lambda: DynamicOptimizedTheta(season_length=longest),
        # Smoothing at every tenth of a season and drawing lines between changes no digit that matters.
        "MSTL": lambda: MSTL(
            season_length=seasons,
            trend_forecaster=AutoETS(model="ZZN"),
            stl_kwargs=dict.fromkeys(("trend_jump", "low_pass_jump"), max(1, longest // 10)),
        ),
    }
    if longest <= SEASON_OF_ETS:
        members["ETS"] = lambda: AutoETS(season_length=longest)
    elif rhythm.yardstick_season == 1:
        members["ETS"] = lambda: AutoETS(season_length=1)
    return members


def _fit(make: Callable[[], Any], y: Array, horizon: int) -> Array | None:
    """What the model says, or none where it cannot be fitted or runs off."""
    import numpy as np

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # models warn of fits they then reject
        try:
            found = np.asarray(make().forecast(y=y, h=horizon)["mean"], dtype=np.float64)
        # statsforecast raises Exception itself (ETS: "no model able to be fitted") beside ValueError, LinAlgError and
        # ZeroDivisionError; on such a series the model has no answer, and the others give one. The log keeps why.
        except Exception as error:
            _LOG.debug("a model cannot be fitted: %s: %s", type(error).__name__, error)
            return None
    reach = 10 * (float(y.max() - y.min()) + float(np.abs(y).max()))
    return found if np.isfinite(found).all() and np.abs(found).max() <= reach else None


def _naive(y: Array, rhythm: Rhythm, horizon: int) -> Array:
    """Seasonal naive: the last season again."""
    import numpy as np

    season = rhythm.yardstick_season if len(y) >= rhythm.yardstick_season else 1
    return np.resize(y[-season:], horizon)


def _scale(y: Array, rhythm: Rhythm) -> float:
    import numpy as np

    season = rhythm.yardstick_season if len(y) > rhythm.yardstick_season else 1
    if len(y) <= season:
        return float("nan")
    found = float(np.mean(np.abs(y[season:] - y[:-season])))
    return found if found > 0 else float("nan")


def _choose(errors: dict[str, Array]) -> str:
    """The first candidate, or the one that erred clearly less in squares (in absolutes, zero would always win)."""
    import numpy as np

    first, *others = errors
    losses = {name: np.nanmean(found**2) for name, found in errors.items() if np.isfinite(found).any()}
    for name in others:
        if losses.get(name, np.inf) < losses.get(first, np.inf) * WORTH_IT**2:
            first = name
    return first
