"""Receipts: what became of each segment, counted to the last record.

Belongs here: the receipt, its table, writing one if its counts balance, reading them. Does not belong here:
what is counted (`loading.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Final

import duckdb

from pipelines.errors import CountsDoNotBalanceError
from pipelines.logs.landing import Segment


@dataclass(frozen=True)
class Receipt:
    """What became of one segment. accepted + duplicate + quarantined = read, always.

    `replaced_count` of the accepted took the place of an older copy of the same call; so the rows of
    `raw.calls` are the sum of accepted less the sum of replaced. A segment that could not be read has no
    `loaded_at`, counts of zero, and the reason as its `damage`.
    """

    segment_id: str
    file_name: str
    format: str
    detected_because: str
    bytes: int
    landed_at: datetime
    loaded_at: datetime | None
    read_count: int
    accepted_count: int
    duplicate_count: int
    quarantined_count: int
    replaced_count: int
    first_occurred_at: datetime | None
    last_occurred_at: datetime | None
    damage: str | None


RECEIPT_COLUMNS: Final = {
    "segment_id": "varchar", "file_name": "varchar", "format": "varchar", "detected_because": "varchar",
    "bytes": "bigint", "landed_at": "timestamptz", "loaded_at": "timestamptz", "read_count": "bigint",
    "accepted_count": "bigint", "duplicate_count": "bigint", "quarantined_count": "bigint",
    "replaced_count": "bigint", "first_occurred_at": "timestamptz", "last_occurred_at": "timestamptz",
    "damage": "varchar",
}  # fmt: skip


def receive(
    connection: duckdb.DuckDBPyConnection,
    segment: Segment,
    read: int,
    accepted: int,
    duplicate: int,
    quarantined: int,
    replaced: int,
    first: datetime | None,
    last: datetime | None,
) -> Receipt:  # fmt: skip
    """Write the receipt of a segment, if its counts balance."""
    if accepted + duplicate + quarantined != read:
        raise CountsDoNotBalanceError(
            f"{segment.file_name}: read {read}, but accepted {accepted} + duplicate {duplicate} + quarantined "
            f"{quarantined}; nothing of it was loaded. This is a defect of ours: please report it"
        )
    receipt = Receipt(
        segment_id=segment.segment_id,
        file_name=segment.file_name,
        format=segment.format_name,
        detected_because=segment.detected_because,
        bytes=segment.size_bytes,
        landed_at=datetime.fromisoformat(segment.landed_at),
        loaded_at=datetime.now(UTC),
        read_count=read,
        accepted_count=accepted,
        duplicate_count=duplicate,
        quarantined_count=quarantined,
        replaced_count=replaced,
        first_occurred_at=first,
        last_occurred_at=last,
        damage=segment.damage,
    )
    _insert(connection, receipt)
    return receipt


def note_failure(connection: duckdb.DuckDBPyConnection, segment: Segment, reason: str) -> Receipt:
    """A receipt that says why nothing was loaded, in place of an earlier one that said so."""
    receipt = Receipt(
        segment_id=segment.segment_id,
        file_name=segment.file_name,
        format=segment.format_name,
        detected_because=segment.detected_because,
        bytes=segment.size_bytes,
        landed_at=datetime.fromisoformat(segment.landed_at),
        loaded_at=None,
        read_count=0,
        accepted_count=0,
        duplicate_count=0,
        quarantined_count=0,
        replaced_count=0,
        first_occurred_at=None,
        last_occurred_at=None,
        damage=reason,
    )
    connection.begin()
    connection.execute("delete from raw.segments where segment_id = ?", [segment.segment_id])
    _insert(connection, receipt)
    connection.commit()
    return receipt


def _insert(connection: duckdb.DuckDBPyConnection, receipt: Receipt) -> None:
    given = [getattr(receipt, field.name) for field in fields(Receipt)]
    connection.execute(f"insert into raw.segments values ({', '.join('?' * len(given))})", given)


def read(connection: duckdb.DuckDBPyConnection, segment_id: str | None = None) -> list[Receipt]:
    """Receipts in the order of loading: all, or the one of a segment."""
    names = ", ".join(field.name for field in fields(Receipt))
    where, given = ("where segment_id = ?", [segment_id]) if segment_id else ("", [])
    rows = connection.execute(f"select {names} from raw.segments {where} order by loaded_at", given).fetchall()
    return [Receipt(*row) for row in rows]
