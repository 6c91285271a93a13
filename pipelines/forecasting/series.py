"""Series as they come, made regular: one value per step, in order, up to the last step known of.

Belongs here: rhythms (steps and seasons), reading and checking a frame of series, repairing it by stated
rules. Does not belong here: models.

The rules: rows may come in any order. Instants are put on the grid of their step (the hour, the day;
weeks are counted from a series' own last one). Several rows of one step are one value, their mean.
A missing step, and a value that is null, NaN or infinite, is unknown, not zero: between known values it is
drawn as a straight line, before the first it is left out, after the last it repeats the last season.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from pipelines.errors import BadInputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

COLUMNS: Final = ("unique_id", "ds", "y")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A step, the seasons to look for (in steps), and how far back is worth looking."""

    step: timedelta
    seasons: tuple[int, ...]
    yardstick_season: int  # of the seasonal naive forecast and of MASE
    history: int  # steps a model is fitted to; older ones cost time and accuracy
    origins: int  # of the back-test


# Weekly history: five years. Measured on the M4 weekly series, ten years forecast them
# no better (OWA 0.739 after 0.730), at twice the time.
RHYTHMS: Final = {
    "h": Rhythm(timedelta(hours=1), (24, 168), 24, 1008, 3),
    "d": Rhythm(timedelta(days=1), (7,), 7, 364, 5),
    "w": Rhythm(timedelta(weeks=1), (52,), 1, 260, 6),
}


@dataclass(frozen=True, slots=True)
class Series:
    """One regular series: `values` (float, none missing; empty where nothing is known) and the steps to come."""

    unique_id: Any
    values: np.ndarray[Any, np.dtype[np.float64]]
    ahead: Any  # the `ds` of the steps after its last, an index of the input's own kind


def read(path: Path) -> pd.DataFrame:
    """A Parquet or CSV file with `unique_id, ds, y`. Raises BadInputError."""
    import pandas as pd

    if not path.is_file():
        raise BadInputError(f"{path} is not a file; give a Parquet or CSV file with columns {', '.join(COLUMNS)}")
    try:
        frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except (ValueError, OSError) as error:
        words = str(error).splitlines()[0]
        raise BadInputError(f"{path} cannot be read ({words}); give a Parquet or CSV file") from error
    return check(frame, str(path))


def check(frame: pd.DataFrame, where: str = "the series") -> pd.DataFrame:
    """The three columns, `y` as float, `ds` as instants or whole numbers. Raises BadInputError naming the column."""
    import pandas as pd

    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise BadInputError(f"{where}: no column {', '.join(missing)}; a series has {', '.join(COLUMNS)}")
    frame = frame[list(COLUMNS)].reset_index(drop=True)
    for name in ("unique_id", "ds"):
        if count := int(frame[name].isna().sum()):
            raise BadInputError(f"{where}: {count} rows without {name}; every row says whose and when")
    try:
        frame["y"] = frame["y"].astype("float64")
    except (TypeError, ValueError) as error:
        raise BadInputError(f"{where}: y is not a number everywhere ({error})") from error
    if not (pd.api.types.is_integer_dtype(frame["ds"]) or pd.api.types.is_datetime64_any_dtype(frame["ds"])):
        try:
            frame["ds"] = pd.to_datetime(frame["ds"])
        except (TypeError, ValueError) as error:
            raise BadInputError(f"{where}: ds is neither a time nor a whole number ({error})") from error
    return frame


def regular(frame: pd.DataFrame, freq: str, horizon: int, keep: int) -> list[Series]:
    """Every series of a checked frame, by `unique_id`, cut to its last `keep` steps."""
    rhythm = RHYTHMS[freq]
    return [
        _one(name, rows, rhythm, horizon, keep, is_week=freq == "w")
        for name, rows in frame.groupby("unique_id", sort=True, observed=True)
    ]


def _one(name: Any, rows: pd.DataFrame, rhythm: Rhythm, horizon: int, keep: int, *, is_week: bool) -> Series:
    import numpy as np
    import pandas as pd

    if pd.api.types.is_integer_dtype(rows["ds"]):
        last = int(rows["ds"].max())
        back = (last - rows["ds"]).to_numpy()
        ahead: Any = np.arange(last + 1, last + 1 + horizon)
    else:
        at, zone = cast("Any", pd.DatetimeIndex(rows["ds"])), rows["ds"].dt.tz
        hourly = rhythm.step < timedelta(days=1)
        if zone is not None:  # hours pass in UTC; days and weeks are those of the wall
            at = at.tz_convert("UTC").tz_localize(None) if hourly else at.tz_localize(None)
        at = at.as_unit("us")
        if not is_week:
            at = at.floor("h" if hourly else "D")
        back = ((at.max() - at) // pd.Timedelta(rhythm.step)).to_numpy()
        ahead = pd.DatetimeIndex(at.max() + np.arange(1, horizon + 1) * np.timedelta64(rhythm.step))
        if zone is not None:
            local = ahead.tz_localize("UTC") if hourly else ahead.tz_localize(zone, True, "shift_forward")
            ahead = local.tz_convert(zone)
    y = rows["y"].to_numpy()
    usable = np.isfinite(y) & (back < keep)
    if not usable.any():
        return Series(name, np.empty(0), ahead)
    length = int(back[usable].max()) + 1
    place = length - 1 - back[usable].astype(np.int64)
    # Values are sorted first: a mean must not depend on the order of the rows, not even in its last digit.
    order = np.lexsort((y[usable], place))
    counts = np.bincount(place, minlength=length)
    with np.errstate(over="ignore"):
        sums = np.bincount(place[order], weights=y[usable][order], minlength=length)
    known = np.flatnonzero(counts)
    values = np.interp(np.arange(known[-1] + 1), known, sums[known] / counts[known])
    if silent := length - len(values):
        season = rhythm.yardstick_season if len(values) >= rhythm.yardstick_season else 1
        values = np.concatenate([values, np.resize(values[-season:], silent)])
    return Series(name, values, ahead)


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as Parquet, or as CSV where the name ends so; a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Unique, so that two at once do not share it.
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        if path.suffix == ".csv":
            frame.to_csv(partial, index=False)
        else:
            frame.to_parquet(partial, index=False)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
