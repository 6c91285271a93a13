"""Reports into the raw tables: every claim kept, and the lines of the claims in force.

Belongs here: loading one segment within the caller's transaction, deciding which claim is in force, setting
aside what cannot be taken, forgetting a segment before it is read anew. Does not belong here: landing,
receipts and transactions (`pipelines/logs/loading.py`), what a report means (one file each).

Which of several reports holds for a scope depends on them alone, so any order of loading gives the same
tables: of two for the same time the later made (landed, where it does not say when it was made; then the
greater content hash); of two where one's time holds the other's, as a day holds its hours, the longer, whichever
came first, since half a day cannot be taken out of a sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import duckdb

from pipelines.logs.bills import Bill, Lines, bills, tables
from pipelines.logs.bills.reading import items_sql
from pipelines.logs.landing import Segment
from pipelines.logs.reading import Source, bad_csv_lines, numbered_lines, records_sql, source_of
from pipelines.logs.sql import given, key_id, literal, masked, without_content
from pipelines.settings import Settings

_SCOPE_ID: Final = """left(md5(concat_ws('|', report, coalesce(account, chr(0)), coalesce(part, chr(0)),
    scope_start_at::varchar, scope_end_at::varchar)), 16)"""


@dataclass(frozen=True)
class Counts:
    """What became of a report's items, and the time it speaks for. accepted + duplicate + quarantined = read.

    A duplicate is an item of a scope for which a later report was loaded before; replaced are items, of
    whatever segment, whose scope this segment took over.
    """

    read: int
    accepted: int
    duplicate: int
    quarantined: int
    replaced: int
    first_at: datetime | None
    last_at: datetime | None


def is_bill(format_name: str) -> bool:
    """Whether segments of this format are reports."""
    return format_name in bills()


def load(settings: Settings, connection: duckdb.DuckDBPyConnection, segment: Segment) -> Counts:
    """Load one segment. The tables exist, and the transaction is the caller's."""
    bill = bills()[segment.format_name]
    file = source_of(settings, segment)
    for table in ("bad_csv_lines", "bad_csv_scans"):  # an earlier file's
        connection.execute(f"drop table if exists temp.{table}")
    items = items_sql(records_sql(settings, file, bill.format, numbered=True), bill)
    connection.execute(f"create or replace temp table bill_items as {items}")
    quarantined = _quarantine(connection, file, segment)
    _claim(connection, bill, segment)
    if bill.usage:
        _insert(connection, "raw.usage_reported", tables.USAGE_COLUMNS, bill.usage, segment)
    for lines in bill.costs:
        _insert(connection, "raw.cost_reported", tables.COST_COLUMNS, lines, segment)
    duplicate, replaced = _settle(connection, segment)
    taken, first, last = connection.execute(
        "select coalesce(sum(item_count), 0)::bigint, min(scope_start_at), max(scope_end_at) "
        "from raw.reported_scopes where segment_id = ?",
        [segment.segment_id],
    ).fetchone() or (0, None, None)
    counted = connection.execute("select count(*) from bill_items where not is_nothing and reject_reason is null")
    read = (counted.fetchone() or (0,))[0] + quarantined
    connection.execute("drop table bill_items")
    return Counts(read, taken - duplicate, duplicate, quarantined, replaced, first, last)


def forget(connection: duckdb.DuckDBPyConnection, segment_ids: list[str]) -> None:
    """Take segments out of the tables, before they are read anew."""
    for table in tables.TABLES:
        connection.execute(f"delete from {table} where list_contains(?, segment_id)", [segment_ids])


def _claim(connection: duckdb.DuckDBPyConnection, bill: Bill, segment: Segment) -> None:
    """Write the segment's claims; an empty bucket's too, and a bucket's under the name of its own report."""
    part = f"nullif(regexp_extract(file_name, {literal(bill.part)}, 1), '')" if bill.part else "null"
    connection.execute(
        f"""
        create or replace temp table bill_scopes as
        with said as (
          select report, account, scope_start_at, scope_end_at, made_at, not is_nothing as is_item
          from bill_items where reject_reason is null
          union all
          select {literal(bill.name)}, account, scope_start_at, scope_end_at, made_at, false
          from bill_items where reject_reason is null
        ),
        segment as (select $1::varchar as file_name, $2::varchar as segment_id, $3::timestamptz as landed_at)
        select {_SCOPE_ID} as scope_id, *, null::boolean as is_current, current_timestamp as loaded_at
        from (
          select report, account, {part}::varchar as part, scope_start_at, scope_end_at, segment_id, landed_at,
            coalesce(max(made_at), any_value(landed_at)) as version_at, count(*) filter (is_item) as item_count
          from said cross join segment group by report, account, 3, scope_start_at, scope_end_at, segment_id, landed_at
        )
        """,
        [segment.file_name, segment.segment_id, segment.landed_at],
    )
    connection.execute("insert into raw.reported_scopes by name from bill_scopes")


def _insert(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, str],
    lines: Lines,
    segment: Segment,
) -> None:  # fmt: skip
    """Write the lines of every item that was taken."""
    by_item = {"report": "report", "account": "items.account", "bucket_start_at": "start_at",
               "bucket_end_at": "end_at", "scope_id": "scope_id", "loaded_at": "loaded_at",
               "segment_id": "$1"}  # fmt: skip
    chosen = []
    for name, kind in columns.items():
        sql = by_item.get(name) or given(f"({lines.fields.get(name, 'null')})::varchar")
        shown = masked(sql) if name in tables.FREE_TEXT else key_id(sql) if name == "api_key_id" else sql
        chosen.append(f"({shown})::{kind} as {name}")
    rows = "select * from bill_items where reject_reason is null and not is_nothing"
    if lines.each:
        rows = f"select *, unnest({lines.each}) as x from ({rows})"
    connection.execute(
        f"""
        insert into {table} by name
        with items as ({rows})
        select {", ".join(chosen)}
        from items
        inner join bill_scopes as scopes using (report, scope_start_at, scope_end_at)
        where items.account is not distinct from scopes.account
        """,
        [segment.segment_id],
    )


def _settle(connection: duckdb.DuckDBPyConnection, segment: Segment) -> tuple[int, int]:
    """Say anew which claims are in force where the segment speaks, and drop the lines of those that no longer are.

    Gives how many items of the segment lost, and how many of others.
    """
    connection.execute(
        """
        create or replace temp table bill_rivals as
        with span as (
          select report, account, min(scope_start_at) as first_at, max(scope_end_at) as last_at
          from bill_scopes group by all
        ),
        rivals as (
          select scopes.* from raw.reported_scopes as scopes
          inner join span on scopes.report = span.report and scopes.account is not distinct from span.account
            and scopes.scope_start_at < span.last_at and scopes.scope_end_at > span.first_at
        ),
        aged as (
          select *, scope_end_at - scope_start_at as width, row_number() over (
            partition by report, account, scope_start_at, scope_end_at order by version_at, landed_at, segment_id
          ) as age
          from rivals
        ),
        newest as (
          select *,
            max(age) over (partition by report, account, scope_start_at, scope_end_at) as newest_of_all,
            max(age) over (partition by report, account, scope_start_at, scope_end_at, part) as newest_of_part,
            coalesce(max(age) filter (where part is null) over (
              partition by report, account, scope_start_at, scope_end_at), 0) as newest_whole,
            min(width) over (partition by report, account) as least_width
          from aged
        ),
        wide as (
          select distinct report, account, scope_start_at, scope_end_at, width from newest where width > least_width
        ),
        held as (
          select distinct newest.segment_id, newest.scope_id
          from newest
          inner join wide on newest.report = wide.report and newest.account is not distinct from wide.account
            and wide.width > newest.width and wide.scope_start_at <= newest.scope_start_at
            and wide.scope_end_at >= newest.scope_end_at
        )
        select segment_id, scope_id, item_count, coalesce(is_current, true) as was_current,
          case when part is null then age = newest_of_all else age = newest_of_part and age > newest_whole end
            and held.scope_id is null as is_current
        from newest
        left join held using (segment_id, scope_id)
        """
    )
    connection.execute(
        "update raw.reported_scopes set is_current = rivals.is_current from bill_rivals as rivals "
        "where reported_scopes.segment_id = rivals.segment_id and reported_scopes.scope_id = rivals.scope_id "
        "and reported_scopes.is_current is distinct from rivals.is_current"
    )
    for table in ("raw.usage_reported", "raw.cost_reported"):
        connection.execute(
            f"delete from {table} using bill_rivals as rivals where not rivals.is_current and rivals.was_current "
            f"and {table}.segment_id = rivals.segment_id and {table}.scope_id = rivals.scope_id"
        )
    lost = connection.execute(
        "select coalesce(sum(item_count) filter (segment_id = $1), 0)::bigint, "
        "coalesce(sum(item_count) filter (segment_id <> $1), 0)::bigint "
        "from bill_rivals where was_current and not is_current",
        [segment.segment_id],
    ).fetchone()  # fmt: skip
    return lost or (0, 0)


def _quarantine(connection: duckdb.DuckDBPyConnection, file: Source, segment: Segment) -> int:
    """Keep what cannot be taken, with its reason and, of JSON lines, its line."""
    connection.execute("create or replace temp table bill_lines (number bigint, line bigint, text varchar)")
    bad = {
        number
        for (number,) in connection.execute(
            "select distinct document_number from bill_items where reject_reason is not null"
        ).fetchall()
    }
    if bad and segment.has_lines and segment.container == "jsonl":
        found = [
            [number, line, text.decode("utf-8", errors="replace").replace("\x00", "\ufffd")]
            for number, line, text in numbered_lines(file)
            if number in bad
        ]
        connection.executemany("insert into bill_lines values (?, ?, ?)", found)
    shown = without_content(
        "coalesce(items.record::varchar, bill_lines.text)", "reject_reason not in ('malformed_json', 'not_an_object')"
    )
    connection.execute(
        f"""
        insert into raw.call_quarantine
        select $1, $2, record_number, line, reject_reason, {shown}
        from bill_items as items left join bill_lines on items.document_number = bill_lines.number
        where reject_reason is not null
        """,
        [segment.segment_id, segment.file_name],
    )
    if segment.container == "csv":
        shown = without_content("text", "false")
        connection.execute(
            f"insert into raw.call_quarantine select $1, $2, null, line_number, 'malformed_csv', {shown} "
            f"from ({bad_csv_lines(file)})",
            [segment.segment_id, segment.file_name],
        )
    row = connection.execute(
        "select count(*) from raw.call_quarantine where segment_id = ?", [segment.segment_id]
    ).fetchone()  # fmt: skip
    return row[0] if row else 0
