"""Stored pages into `raw.price_observations`: each capture read once by each version of its reader.

Belongs here: which captures are still to be read, reading them, and appending what was found, failures
too. Does not belong here: fetching (`scraping.py`), or deciding what is believed (dbt).

Nothing is ever changed or taken away: a mended reader (a greater version) reads every capture again and
its rows stand beside the old ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from pipelines import warehouse
from pipelines.pricing import decisions, tables, verdicts
from pipelines.settings import Settings
from scrapers import providers
from scrapers.errors import ScrapeError
from scrapers.headers import header_words
from scrapers.prices import Capture
from scrapers.providers import Provider, Source
from scrapers.store import PageStore

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one reading came to."""

    reading_id: str
    source: str
    captured_at: datetime
    status: str  # accepted, quarantined, rejected, failed
    error_name: str | None
    error_message: str | None
    row_count: int


@cache
def sources() -> dict[str, tuple[Provider, Source]]:
    """Every source's name in the book, `reader/source`, -> its reader and itself."""
    readers = [providers.provider(name) for name in providers.names()]
    return {f"{reader.name}/{source.name}": (reader, source) for reader in readers for source in reader.sources}


def reading_id(source: str, captured_at: datetime, sha256: str, reader_version: int) -> str:
    """Names one reading: the same capture read by the same reader is the same reading, whenever it ran."""
    words = f"{source}|{captured_at.astimezone(UTC).isoformat()}|{sha256}|{reader_version}"
    return _md5(words)


def read_stored_pages(settings: Settings, *, on_reading: Callable[[int, int], None] | None = None) -> list[Outcome]:
    """Read every stored capture its reader's present version has not read yet, and judge what is new.

    One transaction: a kill leaves all of it undone. Decisions taken since the last time are followed too.
    """
    store = PageStore(settings.pages)
    with warehouse.writing(settings) as connection:
        tables.create(connection)
        known = {row[0] for row in connection.execute("select reading_id from raw.price_captures").fetchall()}
        pending = [
            (record, reader, source)
            for record in store.records()
            if record.source in sources()
            for reader, source in [sources()[record.source]]
            if reading_id(record.source, record.fetched_at, record.sha256, reader.version) not in known
        ]
        outcomes: list[Outcome] = []
        captures: list[dict[str, Any]] = []
        observations: list[dict[str, Any]] = []
        set_aside: list[dict[str, Any]] = []
        for number, (record, reader, source) in enumerate(pending, start=1):
            if on_reading:
                on_reading(number, len(pending))
            capture = store.capture(record)
            outcome, rows = read(capture, reader, source)
            outcomes.append(outcome)
            captures.append(_capture_values(outcome, reader, source, capture))
            observations.extend(rows)
            set_aside.extend(skips(capture, reader, outcome))
        connection.begin()
        tables.insert(connection, "raw.price_captures", captures)
        tables.insert(connection, "raw.price_observations", observations)
        tables.insert(connection, "raw.price_skips", set_aside)
        statuses = _judge(settings, connection, outcomes)
        connection.commit()
    return [replace(o, status=statuses.get(o.reading_id, o.status)) for o in outcomes]


def _judge(settings: Settings, connection: duckdb.DuckDBPyConnection, fresh: list[Outcome]) -> dict[str, str]:
    taken = decisions.read(settings)
    word = {decision.finding_id: decision for decision in taken}
    since = verdicts.affected(connection, word.values())
    for outcome in fresh:
        if outcome.status != "failed":
            since[outcome.source] = min(since.get(outcome.source, outcome.captured_at), outcome.captured_at)
    connection.execute("delete from raw.price_decisions")
    tables.insert(connection, "raw.price_decisions", [tables.decision_values(decision) for decision in taken])
    known = {name: source for name, (_, source) in sources().items()}
    return verdicts.update(connection, known, word, {name: at for name, at in since.items() if name in known})


def read(capture: Capture, reader: Provider, source: Source) -> tuple[Outcome, list[dict[str, Any]]]:
    """One capture by one reader: what came of it, and its rows as values of `raw.price_observations`."""
    identity = reading_id(capture.source, capture.captured_at, capture.sha256, reader.version)
    try:
        found = reader.rows(capture)
    except ScrapeError as error:
        return Outcome(identity, capture.source, capture.captured_at, "failed", error.name, str(error), 0), []
    url = capture.final_url or capture.url
    rows = [
        tables.price_values(row, source=capture.source, kind=source.kind, url=url, sha256=capture.sha256)
        | {
            "observation_id": _md5(f"{identity}|{'|'.join(row.key)}"),
            "reading_id": identity,
            "reader_version": reader.version,
            "captured_at": capture.captured_at,
        }
        for row in found
    ]
    return Outcome(identity, capture.source, capture.captured_at, "accepted", None, None, len(rows)), rows


def skips(capture: Capture, reader: Provider, outcome: Outcome) -> list[dict[str, Any]]:
    """What a good reading of a list set aside, as values of `raw.price_skips`: of that, nothing is known."""
    if reader.skipped is None or outcome.status == "failed":
        return []
    told = [line.partition(": ") for line in reader.skipped(capture)]
    return [{"reading_id": outcome.reading_id, "entry": entry, "reason": reason} for entry, _, reason in told]


def _capture_values(outcome: Outcome, reader: Provider, source: Source, capture: Capture) -> dict[str, Any]:
    return {
        "reading_id": outcome.reading_id,
        "source": outcome.source,
        "reader": reader.name,
        "reader_version": reader.version,
        "kind": source.kind,
        "source_url": source.url,
        "captured_at": outcome.captured_at,
        "sha256": capture.sha256,
        "read_at": tables.now(),
        "status": outcome.status,
        "error_name": outcome.error_name,
        "error_message": outcome.error_message,
        "row_count": outcome.row_count,
        "headers": json.dumps(header_words(capture.text), ensure_ascii=False),
    }


def _md5(words: str) -> str:
    return hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()
