"""Marts as CSV (RFC 4180), JSON lines and Parquet, each whole or not there, with a manifest.

Belongs here: turning one table into one file, and a folder of them with their hashes. Does not belong
here: what a publication is and when it becomes current (`publication.py`).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

from reports.errors import BadDestinationError, UnknownTableError

if TYPE_CHECKING:
    import duckdb

Format = Literal["csv", "json", "parquet"]
FORMATS: Final = get_args(Format)

# Exact decimals leave JSON as text: a reader's float would round them. Instants end in Z.
_COPY: Final[dict[str, str]] = {
    "csv": "format csv, header true",
    "json": "format json, array false",
    "parquet": "format parquet, compression zstd",
}
# One row per call, or nearly: by itself it leaves in any format, among all others only in the compact one.
LARGE: Final = frozenset(
    {"cost_calls", "cost_lines", "usage_15m", "usage_hourly", "latency_buckets_15m", "burn_rate_5m"}
)
# Rows leave in one order, so that the same content is the same bytes. Sorting ten million calls by every
# column would take minutes; this key is enough.
_ORDER: Final = {"cost_calls": "occurred_at, event_id", "cost_lines": "occurred_at, event_id, meter"}


@dataclass(frozen=True, slots=True)
class Export:
    """One file written: its table, format, name, rows, bytes and hash."""

    table: str
    format: str
    file: str
    row_count: int
    byte_count: int
    sha256: str


def marts(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Every table that may be exported, sorted."""
    found = connection.execute("select table_name from information_schema.tables where table_schema = 'marts'")
    return sorted(name for (name,) in found.fetchall())


def export(connection: duckdb.DuckDBPyConnection, table: str, form: Format, file: Path) -> Export:
    """Write one mart to one file, atomically. Raises UnknownTableError or BadDestinationError."""
    name = table.removeprefix("marts.")
    if name not in marts(connection):
        raise UnknownTableError(f"there is no table {table!r} to export; there are: {', '.join(marts(connection))}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadDestinationError(f"{file.parent} cannot be made ({error.strerror}); give another --out") from error
    beside = file.with_name(f".tmp-{secrets.token_hex(8)}")
    order = _ORDER.get(name, "all")
    try:
        connection.execute("set preserve_insertion_order = true")
        copied = connection.execute(
            f"copy (select {_columns(connection, name, form)} from marts.{name} order by {order})"
            f" to '{str(beside).replace(chr(39), chr(39) * 2)}' ({_COPY[form]})"
        ).fetchone()
        digest = hashlib.sha256()
        with beside.open("rb") as written:
            while chunk := written.read(1 << 20):
                digest.update(chunk)
        size = beside.stat().st_size
        beside.replace(file)
    except OSError as error:
        raise BadDestinationError(f"{file} cannot be written ({error.strerror}); give another --out") from error
    finally:
        connection.execute("set preserve_insertion_order = false")
        beside.unlink(missing_ok=True)
    return Export(name, form, file.name, copied[0] if copied else 0, size, digest.hexdigest())


def export_all(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    forms: Iterable[Format] = FORMATS,
    on_progress: Callable[[str], None] = lambda _: None,
) -> list[Export]:
    """Write every mart into a folder, large ones as Parquet alone, and `manifest.json` last: it names only
    whole files."""
    written = []
    for table in marts(connection):
        for form in ("parquet",) if table in LARGE else forms:
            on_progress(f"{table}.{form}")
            written.append(export(connection, table, form, folder / f"{table}.{form}"))
    manifest = {"schema_version": 1, "files": [asdict(export) for export in written]}
    write_text(folder / "manifest.json", json.dumps(manifest, indent=1) + "\n")
    return written


def write_text(file: Path, text: str) -> None:
    """Write a small file whole: beside its place, then moved there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".tmp-{secrets.token_hex(8)}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _columns(connection: duckdb.DuckDBPyConnection, table: str, form: Format) -> str:
    """The select list of a format: Parquet keeps types; text formats get exact, unambiguous text."""
    if form == "parquet":
        return "*"
    columns = connection.execute(
        "select column_name, data_type from information_schema.columns"
        " where table_schema = 'marts' and table_name = ? order by ordinal_position",
        [table],
    ).fetchall()
    return ", ".join(_text(name, kind, form) for name, kind in columns)


def _text(name: str, kind: str, form: Format) -> str:
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"strftime({name}, '%Y-%m-%dT%H:%M:%S.%fZ') as {name}"
    if kind.startswith("DECIMAL") and not kind.endswith(",0)"):
        # 18 decimals are kept, trailing zeros are not: 0.225000000000000000 is 0.225.
        return f"rtrim(rtrim(cast({name} as varchar), '0'), '.') as {name}"
    if kind.endswith("[]") and form == "csv":
        return f"array_to_string({name}, ';') as {name}"
    return name
