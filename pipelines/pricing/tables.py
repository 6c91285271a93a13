"""The raw tables of the price book, and one way to fill them.

Belongs here: column definitions and bulk insertion of validated price rows. Does not belong here:
where rows come from (`statements.py`, `readings.py`), or what is believed when (dbt: `price_history`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from scrapers.prices import PriceRow

if TYPE_CHECKING:
    import duckdb

    from pipelines.pricing.decisions import Decision

_PRICE: Final[dict[str, str]] = {
    "source": "VARCHAR",
    "provider": "VARCHAR",
    "model": "VARCHAR",
    "model_label": "VARCHAR",
    "meter": "VARCHAR",
    "service_tier": "VARCHAR",
    "region": "VARCHAR",
    "context_from": "BIGINT",
    "context_inclusive": "BOOLEAN",
    "context_mode": "VARCHAR",
    "window_name": "VARCHAR",
    "window_definition": "VARCHAR",  # JSON: name, zone, hours, weekdays
    "currency": "VARCHAR",
    "amount": "DECIMAL(38, 18)",
    "per_quantity": "DECIMAL(38, 18)",
    "per_unit": "VARCHAR",
    "unit_amount": "DECIMAL(38, 18)",
    "applies_to": "VARCHAR",  # a multiplier's meters, comma separated
    "valid_from": "TIMESTAMPTZ",
    "valid_to": "TIMESTAMPTZ",
    "valid_from_basis": "VARCHAR",
    "status": "VARCHAR",
    "kind": "VARCHAR",
    "source_url": "VARCHAR",
    "sha256": "VARCHAR",
    "evidence_where": "VARCHAR",
    "evidence_text": "VARCHAR",
}

# One row per price a reading found.
OBSERVATIONS: Final[dict[str, str]] = {
    "observation_id": "VARCHAR",
    "reading_id": "VARCHAR",
    "reader_version": "INTEGER",
    "captured_at": "TIMESTAMPTZ",
    **_PRICE,
}

# One row per reading of a stored page by one version of its reader; failures too.
CAPTURES: Final[dict[str, str]] = {
    "reading_id": "VARCHAR",
    "source": "VARCHAR",
    "reader": "VARCHAR",
    "reader_version": "INTEGER",
    "kind": "VARCHAR",
    "source_url": "VARCHAR",
    "captured_at": "TIMESTAMPTZ",
    "sha256": "VARCHAR",
    "read_at": "TIMESTAMPTZ",
    "status": "VARCHAR",  # accepted, quarantined, rejected, failed
    "error_name": "VARCHAR",
    "error_message": "VARCHAR",
    "row_count": "INTEGER",
    "headers": "VARCHAR",  # JSON: the page's header words
    "decided_at": "TIMESTAMPTZ",  # when a person accepted what the gates had held back
}

# One row per entry of a list a reading understood and could make no row of, or did not understand.
SKIPS: Final[dict[str, str]] = {
    "reading_id": "VARCHAR",
    "entry": "VARCHAR",
    "reason": "VARCHAR",
}

# One row per thing a gate saw in a reading; `scope` says what it holds back.
FINDINGS: Final[dict[str, str]] = {
    "finding_id": "VARCHAR",
    "reading_id": "VARCHAR",
    "source": "VARCHAR",
    "captured_at": "TIMESTAMPTZ",
    "gate": "VARCHAR",
    "scope": "VARCHAR",  # reading, price, note
    "message": "VARCHAR",
    "status": "VARCHAR",  # waiting, accepted, rejected; noted where nothing is held
    "observation_id": "VARCHAR",  # the held price
    "standing_observation_id": "VARCHAR",  # the price carried in its place
    "unit_amount": "DECIMAL(38, 18)",
    "decision_id": "VARCHAR",
    "decided_at": "TIMESTAMPTZ",
}

# One row per decision a person took about a finding.
DECISIONS: Final[dict[str, str]] = {
    "decision_id": "VARCHAR",
    "finding_id": "VARCHAR",
    "verdict": "VARCHAR",
    "reason": "VARCHAR",
    "decided_by": "VARCHAR",
    "decided_at": "TIMESTAMPTZ",
    "source": "VARCHAR",
    "message": "VARCHAR",
    "unit_amount": "DECIMAL(38, 18)",
}

# One row per dated price stated by a list: it carries its own valid and known time.
STATEMENTS: Final[dict[str, str]] = {
    "tenant": "VARCHAR",
    **_PRICE,
    "known_from": "TIMESTAMPTZ",
    "known_to": "TIMESTAMPTZ",
    "fetched_at": "TIMESTAMPTZ",
    "last_seen_at": "TIMESTAMPTZ",
}

TABLES: Final = {
    "raw.price_observations": OBSERVATIONS,
    "raw.price_captures": CAPTURES,
    "raw.price_skips": SKIPS,
    "raw.price_findings": FINDINGS,
    "raw.price_decisions": DECISIONS,
    "raw.price_statements": STATEMENTS,
}


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the price tables where they are missing."""
    for table, columns in TABLES.items():
        body = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"create table if not exists {table} ({body})")
        for name, kind in columns.items():  # a warehouse made before a column was
            connection.execute(f"alter table {table} add column if not exists {name} {kind}")


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append rows to one of TABLES in bulk; a key a row lacks is null, an unknown key is an error."""
    import pyarrow as pa

    if not rows:
        return
    columns = TABLES[table]
    types = {
        "VARCHAR": pa.string(),
        "BIGINT": pa.int64(),
        "INTEGER": pa.int32(),
        "BOOLEAN": pa.bool_(),
        "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
        "DECIMAL(38, 18)": pa.decimal128(38, 18),
    }
    unknown = set().union(*rows) - set(columns)
    if unknown:
        raise KeyError(f"{table} has no columns {sorted(unknown)}")
    frame = pa.table({name: pa.array([row.get(name) for row in rows], types[kind]) for name, kind in columns.items()})
    connection.register("incoming_rows", frame)
    connection.execute(f"insert into {table} select {', '.join(columns)} from incoming_rows")
    connection.unregister("incoming_rows")


def price_values(row: PriceRow, *, source: str, kind: str, url: str, sha256: str | None) -> dict[str, Any]:
    """The columns every price table shares, of one validated row."""
    return {
        "source": source,
        "provider": row.provider,
        "model": row.model,
        "model_label": row.model_label,
        "meter": row.meter,
        "service_tier": row.service_tier,
        "region": row.region,
        "context_from": row.context_from,
        "context_inclusive": row.context_inclusive,
        "context_mode": row.context_mode,
        "window_name": row.window.name if row.window else None,
        "window_definition": json.dumps(row.window.model_dump(mode="json")) if row.window else None,
        "currency": row.currency,
        "amount": row.amount,
        "per_quantity": row.per.quantity,
        "per_unit": row.per.unit,
        "unit_amount": row.unit_amount,
        "applies_to": ",".join(row.applies_to) or None,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "valid_from_basis": row.valid_from_basis,
        "status": row.status,
        "kind": kind,
        "source_url": url,
        "sha256": sha256,
        "evidence_where": row.where,
        "evidence_text": row.text,
    }


def decision_values(decision: Decision) -> dict[str, Any]:
    """The columns of `raw.price_decisions`, of one decision."""
    return {
        "decision_id": decision.decision_id,
        "finding_id": decision.finding_id,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "decided_by": decision.decided_by,
        "decided_at": decision.decided_at,
        "source": decision.source,
        "message": decision.message,
        "unit_amount": decision.amount,
    }


def now() -> datetime:
    """The instant something is recorded, UTC."""
    return datetime.now(UTC)
