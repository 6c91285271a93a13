"""A segment as a relation of records, whatever it is made of.

Belongs here: the SQL that reads each container as JSON records, bounded in memory; the damaged parts the
engine cannot show (their text and line numbers); saving what precedes a damage. Does not belong here: what
a record means (`formats/`).

Measured, 1 M ai-lib lines of 480 bytes, 2 threads, to Parquet: `read_json` with typed columns 0.77 s, with
text columns 1.11 s, records by `read_ndjson_objects` then `json_transform` 1.34 s, lines by `read_csv` then
`json_transform` 2.33 s. The third was chosen: with `ignore_errors` every line that is not blank gives one
row, null where it is not JSON, so nothing is lost and one bad value does not stop a file, and the record's
own text is there to be hashed and quarantined. The first stops at the first bad value, the fourth drops
lines that are not UTF-8 or hold a zero byte.
"""

from __future__ import annotations

import hashlib
import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import duckdb

from pipelines import warehouse
from pipelines.errors import BadInputError
from pipelines.logs import otlp_protobuf
from pipelines.logs.formats import Format
from pipelines.logs.landing import CHUNK_BYTES, DAMAGED_PIECE_BYTES, Segment
from pipelines.logs.sampling import Compression, Container, decode_elements, look_at, open_text
from pipelines.logs.sql import identifier, literal
from pipelines.settings import Settings
from serving.privacy import CONTENT_FIELDS

# The engine's blanks: lines of these alone are no records.
_BLANK: Final = b" \t\r\n\x0b\x0c"
# A damaged JSON document is read by us, whole.
_LARGEST_DAMAGED: Final = 256 * 1024 * 1024
_SHOWN_BYTES: Final = 4000
# What the engine reads in one piece, in bytes; it keeps twice that for each thread.
_LONGEST_PIECES: Final = tuple(size * 1024 * 1024 for size in (16, 64, 256))


@dataclass(frozen=True)
class Source:
    """A file to read records from."""

    path: Path
    container: Container
    compression: Compression | None


@contextmanager
def readable(settings: Settings, segment: Segment) -> Iterator[Source]:
    """What the engine can read: the segment, or a copy of it without its damaged end or its byte order mark."""
    path = segment.path(settings)
    if segment.container == "parquet":
        yield Source(path, segment.container, None)
        return
    if segment.container == "protobuf":
        with _as_lines(settings, segment) as lines:
            yield lines
        return
    with open_text(path, segment.compression) as stream:
        has_mark = stream.read(len(BOM_UTF8)) == BOM_UTF8
    if segment.damage is None and not has_mark:
        yield Source(path, segment.container, segment.compression)
        return
    saved = settings.tmp / f"saved-{segment.segment_id}.{segment.container}"
    try:
        with open_text(path, segment.compression) as reader, saved.open("wb") as writer:
            if has_mark:
                reader.read(len(BOM_UTF8))
            with suppress(OSError):
                while piece := reader.read(DAMAGED_PIECE_BYTES if segment.damage else CHUNK_BYTES):
                    writer.write(piece)
        yield Source(saved, segment.container, None)
    finally:
        saved.unlink(missing_ok=True)


@contextmanager
def _as_lines(settings: Settings, segment: Segment) -> Iterator[Source]:
    """A protobuf segment as JSON lines."""
    lines = settings.tmp / f"decoded-{segment.segment_id}.jsonl"
    path = segment.path(settings)
    with open_text(path, segment.compression) as stream:
        framing = otlp_protobuf.framing_of(stream.read(CHUNK_BYTES))
    if framing is None:
        raise BadInputError(f"{segment.file_name} is no OTLP protobuf any more; land it again")
    try:
        with open_text(path, segment.compression) as stream, lines.open("wb") as writer:
            otlp_protobuf.write_lines(stream, framing, writer)
        yield Source(lines, "jsonl", None)
    finally:
        lines.unlink(missing_ok=True)


def records_sql(settings: Settings, source: Source, form: Format, *, numbered: bool) -> str:
    """A relation with `record` (JSON, null where malformed) and, if `numbered`, `record_number` from 1.

    Where the format's records are wrapped in documents, records are the unwrapped ones, `document_number`
    counts the documents (it is the record's own number elsewhere), and `is_empty` marks a document that wraps
    none and stands for itself. Numbering keeps the file's order on one thread (a streaming window does);
    without it the engine reads in parallel and in any order. Raises BadInputError where the file is damaged
    beyond saving a part.
    """
    file = literal(str(source.path))
    with warehouse.engine(settings) as connection:  # trying must not abort the caller's transaction
        try:
            match source.container:
                case "jsonl":
                    lines = f"read_ndjson_objects({file}, ignore_errors = true"
                    lines = _long_enough(connection, lines) if form.records else f"{lines})"
                    records = f"(select json as record from {lines})"
                case "json":
                    records = _document_sql(connection, settings, source)
                case "csv":
                    records = _rows_sql(connection, _csv_rows(source))
                case "parquet":
                    records = _rows_sql(connection, f"read_parquet({file})")
        except duckdb.Error as error:
            raise BadInputError(f"{source.path} cannot be read: {str(error).splitlines()[0]}") from error
    return _unwrapped(records, form, numbered=numbered)


def _unwrapped(documents: str, form: Format, *, numbered: bool) -> str:
    """Documents as their records: one each where the format wraps none."""
    number = ", row_number() over () as {}" if numbered else ""
    if form.records is None:
        numbers = f"{number.format('record_number')}{number.format('document_number')}"
        return f"(select record{numbers} from {documents})"
    kept = ", document_number" if numbered else ""
    return f"""(
  select record, is_empty{kept}{number.format("record_number")} from (
    select unnest(case when len(inner_records) > 0 then inner_records else [record] end) as record,
      coalesce(len(inner_records), 0) = 0 as is_empty{kept}
    from (
      select record, {form.records} as inner_records{kept}
      from (select record{number.format("document_number")} from {documents}) as documents
    ) as opened
    where len(inner_records) > 0 or ({form.nothing_meant}) is not true
  ) as unwrapped)"""


def _rows_sql(connection: duckdb.DuckDBPyConnection, rows: str) -> str:
    """Rows as JSON objects; scalars as the engine's own text, because JSON numbers would round decimals."""
    members = []
    for name, kind, *_ in connection.execute(f"describe select * from {rows}").fetchall():
        nested = kind.startswith(("STRUCT", "MAP", "UNION", "JSON")) or kind.endswith("]")
        members.append(f"{literal(name)}: {identifier(name)}{'' if nested else '::varchar'}")
    return f"(select to_json({{{', '.join(members)}}}) as record from {rows})"


def _csv_rows(source: Source) -> str:
    """The rows of a CSV file, all text; lines that are no rows go to the engine's temporary `bad_csv_lines`."""
    sample = look_at(source.path)
    names = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in sample.columns)
    return (
        f"read_csv({literal(str(source.path))}, auto_detect = false, header = true, delim = "
        f"{literal(sample.delimiter)}, quote = '\"', escape = '\"', columns = {{{names}}}, "
        "store_rejects = true, rejects_table = 'bad_csv_lines', rejects_scan = 'bad_csv_scans')"
    )


def bad_csv_lines(source: Source) -> str:
    """SQL giving `line_number`, `text` of the lines no row was made of, after the rows were read.

    Of a file with content columns the text is withheld: in a damaged line no one can tell which part it is.
    """
    withheld = set(look_at(source.path).columns) & set(CONTENT_FIELDS)
    text = "'<content removed>'" if withheld else "any_value(trim(csv_line, chr(13) || chr(10)))"
    return f"select line as line_number, {text} as text from bad_csv_lines group by line"


def _document_sql(connection: duckdb.DuckDBPyConnection, settings: Settings, source: Source) -> str:
    """The elements of a JSON document; of a damaged one those before the damage, and a null for the rest."""
    with open_text(source.path, source.compression) as stream:
        shape = "array" if stream.read(4096).lstrip(_BLANK).startswith(b"[") else "unstructured"
    elements = f"read_json_objects({literal(str(source.path))}, format = '{shape}'"
    try:
        return f"(select json as record from {_long_enough(connection, elements)})"
    except duckdb.Error as error:
        problem = str(error).splitlines()[0]
    if source.path.stat().st_size > _LARGEST_DAMAGED:
        raise BadInputError(
            f"{source.path} is a JSON document damaged or too long to read whole ({problem}), and too large to save "
            "parts of; export it again, as JSON lines where you can"
        )
    return _saved_elements(settings, source)


def _long_enough(connection: duckdb.DuckDBPyConnection, call: str) -> str:
    """A call that reads a file, given without its end, with room for the longest piece; it was tried once.

    Room for long ones is kept by every thread, so it is only taken where a first reading found it wanting.
    """
    *_, last = _LONGEST_PIECES
    for longest in _LONGEST_PIECES:
        reading = f"{call}, maximum_object_size = {longest})"
        try:
            connection.execute(f"select count(*) from {reading}").fetchall()
        except duckdb.InvalidInputException as error:
            if longest == last or "maximum_object_size" not in str(error):
                raise
        else:
            break
    return reading


def _saved_elements(settings: Settings, source: Source) -> str:
    """The readable elements as lines, and one line that is none for what follows them."""
    with open_text(source.path, source.compression) as stream:
        text = stream.read().decode("utf-8", errors="replace")
    found, at = decode_elements(text)
    lines = settings.tmp / f"elements-{hashlib.sha256(text.encode()).hexdigest()}.jsonl"
    with lines.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(value) + "\n" for value in found)
        if text[at:].strip():
            file.write("{\n")
    return f"(select json as record from read_ndjson_objects({literal(str(lines))}, ignore_errors = true))"


def numbered_lines(source: Source) -> Iterator[tuple[int, int, bytes]]:
    """(record number, line number, text) of every line that is not blank; long lines are cut short.

    The same counting as the engine's, so that a record's number leads to its line.
    """
    record = 0
    with open_text(source.path, source.compression) as stream:
        for line_number, line in enumerate(_lines(stream), start=1):
            if line.strip(_BLANK):
                record += 1
                yield record, line_number, line[:_SHOWN_BYTES]


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines of a stream that may lack `readline`."""
    rest = b""
    while piece := stream.read(CHUNK_BYTES):
        pieces = (rest + piece).split(b"\n")
        rest = pieces.pop()
        yield from pieces
    if rest:
        yield rest
