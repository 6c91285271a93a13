"""Saved pages taken into the book all at once, and every stored page read again.

Belongs here: `take`, a folder of dated files into the page store and the book, and `again`, what the
present readers make of pages that were read before. Does not belong here: which source a file belongs to
(`dated_files.py`), or reading and judging a page (`readings.py`, `gates.py`).

Both may be stopped at any moment and run again: a capture that is stored is not stored twice, a reading
that is in the book is not made twice, and the readings of one run enter in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import warehouse
from pipelines.pricing import dated_files, readings, tables
from pipelines.pricing.dated_files import DatedFile, SetAside
from pipelines.pricing.readings import Outcome
from pipelines.settings import Settings
from scrapers.store import CaptureRecord, PageStore

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[str, int, int], None]
_BATCH = 100  # captures whose rows are held at once

# What a reading says: its rows without their evidence, since a mended path into the page changes no price.
_SAID = ("provider", "model", "meter", "service_tier", "region", "context_from", "context_inclusive", "context_mode",
         "window_definition", "currency", "unit_amount", "per_unit", "applies_to", "valid_from", "valid_to",
         "status")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a folder: the files stored now, those stored before, those set aside, and the readings."""

    stored: tuple[DatedFile, ...]
    known: tuple[DatedFile, ...]
    aside: tuple[SetAside, ...]
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A capture of which the present reader says something else than the one that read it before."""

    source: str
    captured_at: datetime
    version_before: int
    version: int
    before: str  # "24 prices", or the name of an error
    after: str


@dataclass(frozen=True, slots=True)
class Again:
    """What reading every stored page again came to. `first` counts captures nobody had read."""

    captures: int
    first: int
    changes: tuple[Change, ...]
    outcomes: tuple[Outcome, ...]  # the new readings, which are in the book

    @property
    def unversioned(self) -> tuple[Change, ...]:
        """Changes of readers whose version did not grow: their rows are not in the book."""
        return tuple(change for change in self.changes if change.version == change.version_before)


def take(settings: Settings, folder: Path, *, on_progress: Progress = lambda *_: None) -> Taken:
    """Store every file of the folder that states its source and its day, and read what is new.

    Raises BadInputError if it is no folder. Files not taken are in `aside`; failed readings in `outcomes`.
    """
    placed, aside = dated_files.find(folder)
    settings.create_home()
    store = PageStore(settings.pages)
    known = {(record.source, record.fetched_at, record.sha256) for record in store.records()}
    stored: list[DatedFile] = []
    before: list[DatedFile] = []
    for number, file in enumerate(placed, start=1):
        on_progress("storing pages", number, len(placed))
        identity = (file.source, file.captured_at, file.sha256)
        if identity in known:
            before.append(file)
            continue
        store.add(file.path.read_bytes(), source=file.source, url=file.url, fetched_at=file.captured_at)
        known.add(identity)
        stored.append(file)
    outcomes = readings.read_stored_pages(settings, on_reading=lambda n, of: on_progress("reading pages", n, of))
    return Taken(tuple(stored), tuple(before), tuple(aside), tuple(outcomes))


def again(settings: Settings, *, on_progress: Progress = lambda *_: None) -> Again:
    """Read every stored page with the present readers. Readings of a new reader version enter the book;
    a reader that says something else under the version it had is a Change, and nothing of it is written."""
    with warehouse.writing(settings) as connection:
        tables.create(connection)
        before = _latest(connection)
    outcomes = readings.read_stored_pages(settings, on_reading=lambda n, of: on_progress("reading new pages", n, of))
    with warehouse.reading(settings) as connection:
        latest = _latest(connection)
    after = {key: (version, said) for key, (version, said) in latest.items() if before.get(key, (0, ""))[0] != version}
    records = {_key(record): record for record in PageStore(settings.pages).records()}
    same_version = [record for key, record in records.items() if key in before and key not in after]
    after |= _read_again(settings, same_version, on_progress)
    changes = [
        Change(key[0], key[1], before[key][0], version, _brief(before[key][1]), _brief(said))
        for key, (version, said) in sorted(after.items())
        if key in before and before[key][1] != said
    ]
    first = sum(key not in before for key in after)
    return Again(len(records), first, tuple(changes), tuple(outcomes))


_Key = tuple[str, datetime, str]


def _key(record: CaptureRecord) -> _Key:
    return record.source, record.fetched_at, record.sha256


def _read_again(settings: Settings, records: list[CaptureRecord], on_progress: Progress) -> dict[_Key, tuple[int, str]]:
    """What the present readers say of captures; nothing of it reaches the warehouse."""
    store = PageStore(settings.pages)
    with warehouse.engine(settings) as memory:
        memory.execute("create schema raw")
        tables.create(memory)
        known = [record for record in records if record.source in readings.sources()]
        for first in range(0, len(known), _BATCH):
            captures, rows = [], []
            for number, record in enumerate(known[first : first + _BATCH], start=first + 1):
                on_progress("reading pages again", number, len(known))
                reader, source = readings.sources()[record.source]
                outcome, found = readings.read(store.capture(record), reader, source)
                captures.append(_capture(outcome, reader.version, record.sha256))
                rows += found
            tables.insert(memory, "raw.price_captures", captures)
            tables.insert(memory, "raw.price_observations", rows)
        return _latest(memory)


def _capture(outcome: Outcome, version: int, sha256: str) -> dict[str, Any]:
    return {
        "reading_id": outcome.reading_id,
        "source": outcome.source,
        "reader_version": version,
        "captured_at": outcome.captured_at,
        "sha256": sha256,
        "error_name": outcome.error_name,
    }


def _latest(connection: duckdb.DuckDBPyConnection) -> dict[_Key, tuple[int, str]]:
    """Of each capture: the latest version that read it, and what it said, as a count and a digest."""
    line = ", ".join(f"coalesce(cast({name} as varchar), '∅')" for name in _SAID)
    found = connection.execute(
        f"""
        with said as (
            select reading_id, count(*) as row_count, md5(string_agg(line, '\n' order by line)) as digest
            from (select reading_id, concat_ws('|', {line}) as line from raw.price_observations) as lines
            group by reading_id
        )
        select captures.source, captures.captured_at, captures.sha256, captures.reader_version,
            coalesce(captures.error_name, said.row_count || ' prices ' || said.digest, 'nothing')
        from raw.price_captures as captures
        left join said on captures.reading_id = said.reading_id
        qualify row_number() over (
            partition by captures.source, captures.captured_at, captures.sha256 order by captures.reader_version desc
        ) = 1
        """
    ).fetchall()
    return {(source, at, sha256): (version, said) for source, at, sha256, version, said in found}


def _brief(said: str) -> str:
    """What a reading said, without the digest."""
    return " ".join(said.split()[:2]) if " prices " in said else said


def by_source(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, dict[str, int], int]]:
    """Sources in order, each with how many readings came to what, and how many prices they hold."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.source)
    for source in dict.fromkeys(outcome.source for outcome in ordered):
        own = [outcome for outcome in ordered if outcome.source == source]
        counts = {status: sum(o.status == status for o in own) for status in dict.fromkeys(o.status for o in own)}
        yield source, counts, sum(outcome.row_count for outcome in own)
