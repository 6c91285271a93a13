"""Which readings the book believes: the gates run over each source's readings in the order of capture.

Belongs here: keeping `raw.price_findings` and the status of `raw.price_captures` true to the readings and
the decisions there are. Does not belong here: a gate (`gates.py`), a decision (`decisions.py`), reading
(`readings.py`).

A verdict depends on the reading believed before it, so a capture that arrives late has those after it
judged again: the order of loading changes nothing. A held price is carried: the staged reading states the
last believed amount in its place, so that nothing is withdrawn because something looked odd.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pipelines.pricing import tables
from pipelines.pricing.decisions import Decision
from pipelines.pricing.gates import Finding, Row, judge
from scrapers.providers import Source

if TYPE_CHECKING:
    import duckdb

_ROW_COLUMNS: Final = tuple(name for name in Row.__slots__ if name != "row_id")


@dataclass(slots=True)
class _Belief:
    """The prices of a source as last believed; carried ones among them."""

    rows: dict[tuple[Any, ...], Row]
    headers: list[str]


@dataclass(frozen=True, slots=True)
class _Reading:
    reading_id: str
    source: str
    reader_version: int
    captured_at: datetime
    status: str
    headers: list[str]


@dataclass(slots=True)
class _Outcome:
    status: str
    decided_at: datetime | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)


def update(
    connection: duckdb.DuckDBPyConnection,
    known: Mapping[str, Source],
    word: Mapping[str, Decision],
    since: Mapping[str, datetime],
) -> dict[str, str]:
    """Judge anew every good reading of each source in `since`, from that instant on; gives reading -> status.

    `known` are the sources by name, `word` the last decision on each finding. The caller holds the
    transaction.
    """
    statuses: dict[str, str] = {}
    for name, first in sorted(since.items()):
        for reader_version in _versions(connection, name):
            belief = _believed_before(connection, name, reader_version, first)
            for reading in _readings(connection, name, reader_version, first):
                outcome = _judged(connection, reading, belief, known[name], word)
                if outcome.status == "accepted":
                    belief = _after(connection, reading, outcome)
                _record(connection, reading, outcome)
                statuses[reading.reading_id] = outcome.status
    return statuses


def affected(connection: duckdb.DuckDBPyConnection, word: Iterable[Decision]) -> dict[str, datetime]:
    """Source -> the earliest capture a decision not yet followed is about."""
    ids = [(d.finding_id, d.verdict) for d in word]
    if not ids:
        return {}
    found = connection.execute(
        """
        select findings.source, min(findings.captured_at)
        from raw.price_findings as findings
        inner join (select unnest($1::varchar[]) as finding_id, unnest($2::varchar[]) as verdict) as decided
            using (finding_id)
        where findings.status <> decided.verdict
        group by findings.source
        """,
        [[one for one, _ in ids], [verdict for _, verdict in ids]],
    ).fetchall()
    return dict(found)


def finding_id(reading_id: str, source: str, finding: Finding) -> str:
    """Names what is decided on; see `Decision`."""
    if finding.scope == "price":
        subject = finding.row or finding.standing
        assert subject is not None
        amount = f"{finding.row.unit_amount.normalize():f}" if finding.row else "vanished"
        words = f"{source}|{finding.gate}|{'|'.join(map(str, subject.key))}|{amount}"
    else:
        words = f"{reading_id}|{finding.gate}"
    return hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()


def _judged(
    connection: duckdb.DuckDBPyConnection,
    reading: _Reading,
    belief: _Belief | None,
    source: Source,
    word: Mapping[str, Decision],
) -> _Outcome:
    rows = _rows(connection, "select * from raw.price_observations where reading_id = $1", reading.reading_id)
    found = judge(
        list(belief.rows.values()) if belief else None,
        rows,
        source,
        earlier_headers=belief.headers if belief else None,
        headers=reading.headers,
    )
    outcome = _Outcome("accepted")
    for finding in found:
        identity = finding_id(reading.reading_id, reading.source, finding)
        decision = word.get(identity)
        status = decision.verdict if decision else ("noted" if finding.scope == "note" else "waiting")
        outcome.findings.append(_finding_values(reading, finding, identity, status, decision))
        if finding.scope == "reading":
            if status == "rejected":
                outcome.status = "rejected"
            elif status == "waiting" and outcome.status == "accepted":
                outcome.status = "quarantined"
            elif decision is not None:
                outcome.decided_at = max(filter(None, (outcome.decided_at, decision.decided_at)))
    return outcome


def _finding_values(
    reading: _Reading, finding: Finding, identity: str, status: str, decision: Decision | None
) -> dict[str, Any]:
    return {
        "finding_id": identity,
        "reading_id": reading.reading_id,
        "source": reading.source,
        "captured_at": reading.captured_at,
        "gate": finding.gate,
        "scope": finding.scope,
        "message": finding.message,
        "status": status,
        "observation_id": finding.row.row_id if finding.row else None,
        "standing_observation_id": finding.standing.row_id if finding.standing else None,
        "unit_amount": finding.row.unit_amount if finding.row else None,
        "decision_id": decision.decision_id if decision else None,
        "decided_at": decision.decided_at if decision else None,
    }


def _record(connection: duckdb.DuckDBPyConnection, reading: _Reading, outcome: _Outcome) -> None:
    connection.execute("delete from raw.price_findings where reading_id = $1", [reading.reading_id])
    tables.insert(connection, "raw.price_findings", outcome.findings)
    connection.execute(
        "update raw.price_captures set status = $2, decided_at = $3 where reading_id = $1",
        [reading.reading_id, outcome.status, outcome.decided_at],
    )


def _after(connection: duckdb.DuckDBPyConnection, reading: _Reading, outcome: _Outcome) -> _Belief:
    """What is believed once a reading is: its own rows, with the held ones as they stood before."""
    held = [one for one in outcome.findings if one["scope"] == "price" and one["status"] != "accepted"]
    rows = {
        row.row_id: row
        for row in _rows(connection, "select * from raw.price_observations where reading_id = $1", reading.reading_id)
    }
    for one in held:
        rows.pop(one["observation_id"], None)
    carried = [one["standing_observation_id"] for one in held if one["standing_observation_id"]]
    standing = (
        _rows(connection, "select * from raw.price_observations where observation_id in (select unnest($1))", carried)
        if carried
        else []
    )
    return _Belief({(*row.key, row.status): row for row in (*rows.values(), *standing)}, reading.headers)


def _believed_before(
    connection: duckdb.DuckDBPyConnection, source: str, reader_version: int, instant: datetime
) -> _Belief | None:
    found = connection.execute(
        f"""
        select {_READING_COLUMNS} from raw.price_captures
        where source = $1 and reader_version = $2 and captured_at < $3 and status = 'accepted'
        order by captured_at desc, sha256 desc limit 1
        """,
        [source, reader_version, instant],
    ).fetchone()
    if found is None:
        return None
    reading = _reading(found)
    columns = ("scope", "status", "observation_id", "standing_observation_id")
    stored = connection.execute(
        f"select {', '.join(columns)} from raw.price_findings where reading_id = $1", [reading.reading_id]
    ).fetchall()
    return _after(
        connection, reading, _Outcome("accepted", None, [dict(zip(columns, one, strict=True)) for one in stored])
    )


_READING_COLUMNS: Final = "reading_id, source, reader_version, captured_at, status, headers"


def _readings(
    connection: duckdb.DuckDBPyConnection, source: str, reader_version: int, first: datetime
) -> list[_Reading]:
    found = connection.execute(
        f"""
        select {_READING_COLUMNS} from raw.price_captures
        where source = $1 and reader_version = $2 and captured_at >= $3 and status <> 'failed'
        order by captured_at, sha256
        """,
        [source, reader_version, first],
    ).fetchall()
    return [_reading(one) for one in found]


def _reading(values: tuple[Any, ...]) -> _Reading:
    reading_id, source, reader_version, captured_at, status, headers = values
    return _Reading(reading_id, source, reader_version, captured_at, status, json.loads(headers) if headers else [])


def _versions(connection: duckdb.DuckDBPyConnection, source: str) -> list[int]:
    found = connection.execute(
        "select distinct reader_version from raw.price_captures where source = $1 order by 1", [source]
    ).fetchall()
    return [version for (version,) in found]


def _rows(connection: duckdb.DuckDBPyConnection, query: str, argument: object) -> list[Row]:
    found = connection.execute(
        f"select observation_id, {', '.join(_ROW_COLUMNS)} from ({query})", [argument]
    ).fetchall()
    return [Row(*values) for values in found]
