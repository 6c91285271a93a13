"""`ratehouse scrape …`: fetch price pages, or read one that was saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.group import with_default
from pipelines.cli.session import QUARANTINED, Session, command
from pipelines.errors import BadInputError

if TYPE_CHECKING:
    from pipelines.pricing.readings import Outcome


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=with_default("fetch"), help="Fetch price pages and read them into the book.")
    command(group, "fetch", help="Fetch the pages of the named providers, or of all (the default).")(fetch)
    command(group, "add", help="Take a saved page into the page store and the book.")(add)
    command(
        group, "replay", help="Take a folder of dated pages into the book; without one, read all stored pages again."
    )(replay)
    command(group, "read", help="Read one saved page and print its rows; nothing is written.")(read)
    app.add_typer(group, name="scrape")


def fetch(
    session: Session,
    providers: Annotated[list[str] | None, typer.Argument(help="Providers; without one, all.")] = None,
) -> int:
    """Store what each source serves, then read it into the book. A source that fails stops nobody."""
    from pipelines.pricing import readings, scraping

    session.settings.create_home()
    with session.working() as report:
        fetched = scraping.scrape(session.settings, providers or (), on_source=lambda one: report(one.source))
        outcomes = {o.source: o for o in readings.read_stored_pages(session.settings)}
    rows = []
    for one in fetched:
        outcome = outcomes.get(one.source)
        if one.error_name:
            words = f"{one.error_name}: {one.error_message}"
        elif outcome is None:
            words = "read before"
        elif outcome.error_name:
            words = f"{outcome.error_name}: {outcome.error_message}"
        else:
            words = f"{outcome.row_count} prices"
        rows.append((one.source, words))
    session.table("Price pages", ("source", "outcome"), rows)
    session.emit({"sources": [{"source": source, "outcome": words} for source, words in rows]})
    bad = [one for one in fetched if one.error_name or ((o := outcomes.get(one.source)) and o.error_name)]
    return 1 if bad else 0


def read(
    session: Session,
    provider: Annotated[str, typer.Argument(help="Whose page it is.")],
    file: Annotated[Path, typer.Argument(help="The page as it was fetched: HTML, markdown or JSON.")],
    captured_at: Annotated[str | None, typer.Option("--captured-at", help="When it was fetched (ISO 8601).")] = None,
    url: Annotated[str | None, typer.Option("--url", help="Where it was fetched from.")] = None,
) -> int:
    """Rows of one page, or its named error with exit code 1."""
    from scrapers import providers
    from scrapers.errors import ScrapeError
    from scrapers.prices import Capture, as_json

    reader = providers.provider(provider)
    try:
        body = file.read_bytes()
    except OSError as error:
        raise BadInputError(f"{file} cannot be read ({error.strerror})") from error
    source = next((s for s in reader.sources if s.url == url), reader.sources[0])
    capture = Capture(source=source.name, url=url or source.url, captured_at=_instant(captured_at, file), body=body)
    answer = {"provider": reader.name, "source": source.name, "captured_at": capture.captured_at}
    try:
        rows = reader.rows(capture)
    except ScrapeError as error:
        session.emit(answer | {"status": "failed", "error": {"name": error.name, "message": str(error)}, "rows": []})
        if not session.is_json:
            raise
        return 1
    session.table(
        f"{len(rows)} prices in {file}",
        ("model", "meter", "tier", "region", "from tokens", "amount", "per", "status"),
        [
            (
                r.model,
                r.meter,
                r.service_tier,
                r.region,
                f"{r.context_from:,}",
                f"{r.amount:f} {r.currency}",
                str(r.per),
                r.status,
            )
            for r in rows
        ],
        right=(4, 5),
    )
    session.emit(answer | {"status": "ok", "error": None, "rows": [as_json(row, capture, source.kind) for row in rows]})
    return 0


def add(
    session: Session,
    provider: Annotated[str, typer.Argument(help="Whose page it is.")],
    file: Annotated[Path, typer.Argument(help="The page as it was fetched.")],
    captured_at: Annotated[str, typer.Option("--captured-at", help="When it was fetched (ISO 8601).")],
    url: Annotated[str | None, typer.Option("--url", help="Where it was fetched from.")] = None,
) -> int:
    """Store a saved page as a capture of its day and read it; the same page twice changes nothing."""
    from pipelines.pricing import readings
    from scrapers import providers
    from scrapers.store import PageStore

    reader = providers.provider(provider)
    source = next((s for s in reader.sources if s.url == url), reader.sources[0])
    try:
        body = file.read_bytes()
    except OSError as error:
        raise BadInputError(f"{file} cannot be read ({error.strerror})") from error
    session.settings.create_home()
    name = f"{reader.name}/{source.name}"
    PageStore(session.settings.pages).add(body, source=name, url=source.url, fetched_at=_instant(captured_at, file))
    outcomes = readings.read_stored_pages(session.settings)
    words = [
        (o.source, f"{o.error_name}: {o.error_message}" if o.error_name else f"{o.row_count} prices") for o in outcomes
    ]
    session.table("Price pages", ("source", "outcome"), words or [(name, "read before")])
    session.emit({"sources": [{"source": source, "outcome": outcome} for source, outcome in words]})
    return 1 if any(o.error_name for o in outcomes) else 0


def replay(
    session: Session,
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of saved pages, each with its day and provider in its name.")
    ] = None,
) -> int:
    """Every file is taken as a capture of its own day, or listed with the reason why not; twice changes nothing.

    Exit code 3 if a file was set aside or a reading was not accepted. Without a folder, 1 if a reader reads
    otherwise than before under the version it had.
    """
    from pipelines.pricing import replaying

    if folder is None:
        return _replay_stored(session)
    with session.working() as report:
        taken = replaying.take(session.settings, folder, on_progress=report)
    bad = [outcome for outcome in taken.outcomes if outcome.status != "accepted"]
    _show_readings(session, taken.outcomes)
    if taken.aside:
        root = folder.resolve()
        session.table(
            f"{len(taken.aside)} files set aside",
            ("file", "reason"),
            [(str(one.path.relative_to(root)), one.reason) for one in taken.aside],
        )
    session.say(
        f"{len(taken.stored)} files stored, {len(taken.known)} were there, {len(taken.aside)} set aside; "
        f"{len(taken.outcomes)} pages read, {len(bad)} of them not accepted"
    )
    files = [*((f, "stored") for f in taken.stored), *((f, "known") for f in taken.known)]
    session.emit(
        {
            "files": [
                {"file": f.path, "source": f.source, "captured_at": f.captured_at, "url": f.url, "outcome": outcome}
                for f, outcome in sorted(files, key=lambda pair: pair[0].path)
            ],
            "set_aside": [{"file": one.path, "reason": one.reason} for one in taken.aside],
            "readings": _readings(taken.outcomes),
        }
    )
    return QUARANTINED if taken.aside or bad else 0


def _replay_stored(session: Session) -> int:
    from pipelines.pricing import replaying

    session.settings.create_home()
    with session.working() as report:
        again = replaying.again(session.settings, on_progress=report)
    _show_readings(session, again.outcomes)
    words = [
        (c.source, c.captured_at.isoformat(), f"{c.version_before} -> {c.version}", c.before, c.after)
        for c in again.changes
    ]
    if words:
        session.table("Readings that changed", ("source", "captured at", "reader version", "before", "now"), words)
    session.say(f"{again.captures} captures, {again.first} read for the first time, {len(words)} readings changed")
    if again.unversioned:
        readers = ", ".join(sorted({change.source.partition("/")[0] for change in again.unversioned}))
        session.say(f"not in the book: {readers} changed without a new version; raise it in scrapers/providers/")
    session.emit(
        {
            "captures": again.captures,
            "first": again.first,
            "changed": len(again.changes),
            "unversioned": len(again.unversioned),
            "changes": [asdict(change) for change in again.changes],
            "readings": _readings(again.outcomes),
        }
    )
    if again.unversioned:
        return 1
    return QUARANTINED if any(outcome.status != "accepted" for outcome in again.outcomes) else 0


def _show_readings(session: Session, outcomes: Sequence[Outcome]) -> None:
    """Readings by source, and each that was not accepted by name."""
    from pipelines.pricing import replaying

    if not outcomes:
        return
    session.table(
        "Readings",
        ("source", "readings", "prices"),
        [
            (source, ", ".join(f"{count} {status}" for status, count in counts.items()), f"{prices:,}")
            for source, counts, prices in replaying.by_source(outcomes)
        ],
        right=(2,),
    )
    for one in outcomes:
        if one.status != "accepted":
            name = f"{one.error_name}: {one.error_message}" if one.error_name else one.status
            session.say(f"{one.source} of {one.captured_at:%Y-%m-%d %H:%M}: {name}")


def _readings(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    return [
        {
            "source": one.source,
            "captured_at": one.captured_at,
            "status": one.status,
            "error": {"name": one.error_name, "message": one.error_message} if one.error_name else None,
            "prices": one.row_count,
        }
        for one in outcomes
    ]


def _instant(text: str | None, file: Path) -> datetime:
    """The instant given, or the file's own time of change."""
    if text is None:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"--captured-at {text!r} is not ISO 8601, such as 2026-08-14T09:00:00Z") from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
