"""A segment as a relation of records, whatever it is made of.

Belongs here: the SQL that reads each container as JSON records, bounded in memory; the damaged parts the
engine cannot show (their text and line numbers). Does not belong here: what a record means (`formats/`),
making a segment of what came (`landing.py`, `rewriting.py`).

Measured, 1 M ai-lib lines of 480 bytes, 2 threads, to Parquet: `read_json` with typed columns 0.77 s, with
text columns 1.11 s, records by `read_ndjson_objects` then `json_transform` 1.34 s, lines by `read_csv` then
`json_transform` 2.33 s. The third was chosen: with `ignore_errors` every line that is not blank gives one
row, null where it is not JSON, so nothing is lost and one bad value does not stop a file, and the record's
own text is there to be hashed and quarantined. The first stops at the first bad value, the fourth drops
lines that are not UTF-8 or hold a zero byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import duckdb

from pipelines import warehouse
from pipelines.errors import BadInputError
from pipelines.logs.formats import Format
from pipelines.logs.sampling import BLANK, CHUNK_BYTES, Compression, Container, look_at, open_text
from pipelines.logs.sql import identifier, literal
from pipelines.settings import Settings
from serving.privacy import CONTENT_FIELDS

if TYPE_CHECKING:  # landing reads too
    from pipelines.logs.landing import Segment

_SHOWN_BYTES: Final = 4000
# What the engine reads in one piece without being told.
_ROOM: Final = 8 * 1024 * 1024


@dataclass(frozen=True)
class Source:
    """A file to read records from."""

    path: Path
    container: Container
    compression: Compression | None
    longest_line: int = 0  # in bytes, of JSON lines


def source_of(settings: Settings, segment: Segment) -> Source:
    """Where a segment's records are."""
    return Source(segment.path(settings), segment.container, segment.compression, segment.longest_line)


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
                    room = f", maximum_object_size = {2 * source.longest_line}" if source.longest_line > _ROOM else ""
                    records = f"(select json as record from read_ndjson_objects({file}, ignore_errors = true{room}))"
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


def numbered_lines(source: Source) -> Iterator[tuple[int, int, bytes]]:
    """(record number, line number, text) of every line that is not blank; long lines are cut short.

    The same counting as the engine's, so that a record's number leads to its line.
    """
    record = 0
    with open_text(source.path, source.compression) as stream:
        for line_number, line in enumerate(_lines(stream), start=1):
            if line.strip(BLANK):
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
