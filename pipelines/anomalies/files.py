"""Series from a file, judged, into a file with the shifts beside it.

Belongs here: reading and writing Parquet and CSV of series. Does not belong here: judging (`detection`).
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipelines.anomalies.detection import JUDGEMENT, detect
from pipelines.errors import BadInputError, MissingColumnError

if TYPE_CHECKING:
    import polars as pl

FORMS = (".parquet", ".csv")
COLUMNS = ("series", "at", "value")
# ISO 8601 with or without seconds and zone; without a zone it is UTC.
_ZONED = ("%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M%#z")
_NAIVE = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")
_NO_VALUE = ("", "nan", "null", "none", "na")


class Judged(NamedTuple):
    """What was written, and how much of it is strange."""

    out: Path
    shifts_out: Path
    rows: int
    series: int
    anomalies: int
    shifts: int


def judge(file: Path, out: Path) -> Judged:
    """Judge every series of a file; write the same rows with their judgement, and the shifts to `<stem>.shifts.<ext>`.

    Both files are written whole or not at all. Raises BadInputError for a file that cannot be read or written and
    for values that are none, MissingColumnError where a column is missing.
    """

    if out.suffix.lower() not in FORMS:
        raise BadInputError(f"{out}: the answer is written as Parquet or CSV; name it .parquet or .csv")
    given = read(file)
    typed = given.select("series", instants(given["at"], file), numbers(given["value"], file))
    found = detect(typed)
    rows = given.drop(JUDGEMENT, strict=False).hstack(found.rows.select(JUDGEMENT))
    # Instants leave as they came, so that the shifts can be joined to the rows.
    named = typed.select("series", "at", given["at"].alias("given")).unique(["series", "at"], keep="first")
    shifts = found.shifts.join(named, on=["series", "at"], how="left", maintain_order="left")
    shifts = shifts.with_columns(at="given").select(found.shifts.columns)
    beside = out.with_name(f"{out.stem}.shifts{out.suffix}")
    write(shifts, beside)
    write(rows, out)
    anomalies = int(rows["is_anomaly"].sum())
    return Judged(out, beside, rows.height, rows["series"].n_unique(), anomalies, found.shifts.height)


def read(file: Path) -> pl.DataFrame:
    """The file as it is, with at least `series, at, value`; texts of a CSV stay texts."""
    import polars as pl

    if not file.is_file():
        raise BadInputError(f"{file} is not there, or is a folder; name a Parquet or CSV file of series, at, value")
    if file.suffix.lower() not in FORMS:
        raise BadInputError(f"{file}: series are read from .parquet or .csv")
    try:
        frame = pl.read_parquet(file) if file.suffix.lower() == ".parquet" else pl.read_csv(file, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadInputError(f"{file} cannot be read ({str(error).splitlines()[0]}); write it again") from error
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise MissingColumnError(f"{file} lacks the column {', '.join(missing)}; it needs series, at and value")
    return frame


def instants(given: pl.Series, file: Path) -> pl.Series:
    """Instants, days, or ISO 8601 texts as instants in UTC; a missing one stays null."""
    import polars as pl

    if given.dtype in (pl.Date, pl.Null):
        return given.cast(pl.Datetime("us", "UTC"))
    if isinstance(given.dtype, pl.Datetime):
        zoned = (
            given.dt.replace_time_zone("UTC") if given.dtype.time_zone is None else given.dt.convert_time_zone("UTC")
        )
        return zoned.cast(pl.Datetime("us", "UTC"))
    if given.dtype != pl.String:
        raise BadInputError(f"{file}: `at` holds {given.dtype}; write instants, days or ISO 8601 texts")
    text = pl.col("at").str.strip_chars().str.replace("T", " ", literal=True).str.replace("[Zz]$", "+00:00")
    utc = pl.Datetime("us", "UTC")
    zoned_texts = [text.str.strptime(utc, form, strict=False) for form in _ZONED]
    naive_texts = [
        text.str.strptime(pl.Datetime("us"), form, strict=False).dt.replace_time_zone("UTC") for form in _NAIVE
    ]
    day = text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us", "UTC"))
    frame = given.to_frame("at")
    parsed = frame.select(pl.coalesce(*zoned_texts, *naive_texts, day).alias("at"))["at"]
    _refuse(given, parsed.is_null() & given.is_not_null() & (given.str.strip_chars() != ""), "at", "ISO 8601", file)
    return parsed


def numbers(given: pl.Series, file: Path) -> pl.Series:
    """Numbers, or texts of them, as 64-bit floats: statistics, not money. An empty text is a missing value."""
    import polars as pl

    if given.dtype != pl.String:
        if not (given.dtype.is_numeric() or given.dtype in (pl.Boolean, pl.Null)):
            raise BadInputError(f"{file}: `value` holds {given.dtype}; write numbers")
        return given.cast(pl.Float64)
    text = given.str.strip_chars()
    parsed = text.cast(pl.Float64, strict=False)
    is_named_missing = text.str.to_lowercase().is_in(_NO_VALUE)
    _refuse(given, parsed.is_null() & given.is_not_null() & ~is_named_missing, "value", "a number", file)
    return parsed


def _refuse(given: pl.Series, is_bad: pl.Series, column: str, wanted: str, file: Path) -> None:
    """Raise for the first bad text, by its row."""
    if is_bad.any():
        row = is_bad.arg_true()[0]
        raise BadInputError(
            f"{file}, row {row + 1}: `{column}` holds {given[row]!r}, which is not {wanted}; correct it"
        )


def write(frame: pl.DataFrame, file: Path) -> None:
    """Write whole: beside its place, then moved there."""
    from polars import selectors

    beside = file.with_name(f".tmp-{secrets.token_hex(8)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix.lower() == ".parquet":
            frame.write_parquet(beside)
        else:
            zoned = selectors.datetime(time_zone="*")
            frame.with_columns(zoned.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")).write_csv(beside)
        beside.replace(file)
    except OSError as error:
        raise BadInputError(f"{file} cannot be written ({error}); name another place") from error
    finally:
        beside.unlink(missing_ok=True)
