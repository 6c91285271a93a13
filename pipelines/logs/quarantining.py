"""Quarantine: what of a segment could not be taken, with its line, its reason and its text without content.

Belongs here: its table, and finding the lines and texts of what was rejected. Does not belong here: what is
rejected (`canonicalising.py`), counting (`loading.py`).
"""

from __future__ import annotations

from itertools import islice
from typing import Final

import duckdb

from pipelines.logs import canonicalising
from pipelines.logs.formats import Format
from pipelines.logs.landing import Segment
from pipelines.logs.reading import Source, bad_csv_lines, numbered_lines, records_sql
from pipelines.logs.sql import without_content
from pipelines.settings import Settings

_BATCH: Final = 50_000

QUARANTINE_COLUMNS: Final = {
    "segment_id": "varchar", "file_name": "varchar", "record_number": "bigint", "line_number": "bigint",
    "reason": "varchar", "raw": "varchar",
}  # fmt: skip


def quarantine(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    file: Source,
    segment: Segment,
    form: Format,
    source: str,
) -> int:  # fmt: skip
    """Keep what could not be taken: a second, ordered pass, only over files that hold such records."""
    records = records_sql(settings, file, form, numbered=True)
    calls = canonicalising.canonical_calls(
        records, form, source, segment.segment_id, keep=("record_number", "document_number")
    )
    connection.execute(
        f"create or replace temp table rejects as select record_number, document_number, reject_reason, "
        f"record::varchar as text, null::bigint as line_number from ({calls}) where reject_reason is not null"
    )
    if segment.has_lines and segment.container == "jsonl":
        _find_lines(connection, file)
    shown = without_content("text", "reject_reason not in ('malformed_json', 'not_an_object')")
    return _inserted(
        connection,
        f"insert into raw.call_quarantine select ?, ?, record_number, line_number, reject_reason, {shown} from rejects",
        [segment.segment_id, segment.file_name],
    )


def quarantine_csv_lines(connection: duckdb.DuckDBPyConnection, file: Source, segment: Segment) -> int:
    """Keep the lines of a CSV file that are no rows: the engine set them aside while it read."""
    shown = without_content("text", "false")
    return _inserted(
        connection,
        f"insert into raw.call_quarantine select ?, ?, null, line_number, 'malformed_csv', {shown} "
        f"from ({bad_csv_lines(file)})",
        [segment.segment_id, segment.file_name],
    )


def _find_lines(connection: duckdb.DuckDBPyConnection, file: Source) -> None:
    """Line numbers of the rejects, and the text of those the engine could not show: a document is a line."""
    import pyarrow as pa

    connection.execute("create or replace temp table reject_lines (number bigint, line bigint, text varchar)")
    wanted = connection.execute(
        "select document_number, bool_or(text is null) from rejects group by all order by document_number"
    )
    numbers = iter(wanted.fetchall())
    target = next(numbers, None)
    found: list[tuple[int, int, str | None]] = []
    for number, line, text in numbered_lines(file):
        if target is None:
            break
        if number == target[0]:
            shown = text.decode("utf-8", errors="replace").replace("\x00", "\ufffd") if target[1] else None
            found.append((number, line, shown))
            target = next(numbers, None)
    rows = iter(found)
    while batch := list(islice(rows, _BATCH)):
        table = pa.table(dict(zip(("number", "line", "text"), map(list, zip(*batch, strict=True)), strict=True)))
        connection.register("found_lines", table)
        connection.execute("insert into reject_lines select number, line, text::varchar from found_lines")
        connection.unregister("found_lines")
    connection.execute(
        "update rejects set line_number = reject_lines.line, text = coalesce(rejects.text, reject_lines.text) "
        "from reject_lines where reject_lines.number = rejects.document_number"
    )


def _inserted(connection: duckdb.DuckDBPyConnection, sql: str, given: list[str]) -> int:
    row = connection.execute(sql, given).fetchone()
    return int(row[0]) if row else 0
