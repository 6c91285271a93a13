"""`ratehouse ingest …` and `ratehouse sample`: logs in, and logs made up."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.group import with_default
from pipelines.cli.session import QUARANTINED, Session, command

if TYPE_CHECKING:
    from pipelines.logs.receipts import Receipt


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=with_default("files"), help="Load request logs into the warehouse.")
    command(group, "files", help="Load files (the default).")(ingest)
    command(group, "status", help="What became of every landed file.")(status)
    app.add_typer(group, name="ingest")
    command(app, "sample", help="Write made-up but lifelike request logs.")(sample)


def ingest(
    session: Session,
    files: Annotated[list[str], typer.Argument(help="Log files.", show_default=False)],
    format_name: Annotated[str | None, typer.Option("--format", help="The format, instead of detecting it.")] = None,
    mapping: Annotated[
        str | None, typer.Option("--mapping", help="A mapping file, or a bundled mapping's name.")
    ] = None,
) -> int:
    """Land and load files; quarantined records are counted and make the exit code 3."""
    from pipelines.logs import loading

    with session.working() as report:
        receipts = loading.ingest(
            session.settings,
            [Path(file) for file in files],
            format_name=format_name,
            mapping=mapping,
            on_progress=report,
        )
    _show(session, receipts)
    return QUARANTINED if any(receipt.quarantined_count for receipt in receipts) else 0


def status(session: Session) -> int:
    """Every landed file: read = accepted + duplicate + quarantined."""
    from pipelines.logs import loading

    _show(session, loading.receipts(session.settings))
    return 0


def sample(
    session: Session,
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")],
    rows: Annotated[int, typer.Option("--rows", min=1, help="Attempts to write.")] = 20_000,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="Days they are spread over.")] = 45,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")] = 1,
    format_name: Annotated[str, typer.Option("--format", help="Log format to write.")] = "ailib",
    gzip: Annotated[bool, typer.Option("--gzip", help="Compress each file.")] = False,
    end_on: Annotated[datetime | None, typer.Option("--end-on", formats=["%Y-%m-%d"], help="The last day.")] = None,
) -> int:
    """Write logs that look like real traffic, one file per day."""
    from pipelines import sample as generator

    last: date = end_on.date() if end_on else generator.END_ON
    with session.working() as report:
        files = generator.generate(
            out,
            rows=rows,
            days=days,
            seed=seed,
            format_name=format_name,
            end_on=last,
            gzip=gzip,
            on_progress=lambda done, total: report("writing", done, total),
        )
    session.say(f"{rows:,} attempts over {days} days in {len(files)} files under {out}")
    session.emit({"files": [str(file) for file in files], "rows": rows})
    return 0


def _show(session: Session, receipts: list[Receipt]) -> None:
    session.table(
        "Landed files",
        ("file", "format", "read", "accepted", "duplicate", "quarantined", "why this format"),
        [
            (r.file_name, r.format, f"{r.read_count:,}", f"{r.accepted_count:,}", f"{r.duplicate_count:,}",
             f"{r.quarantined_count:,}", r.detected_because + (f"; damaged: {r.damage}" if r.damage else ""))
            for r in receipts
        ],
        right=(2, 3, 4, 5),
    )  # fmt: skip
    if any(receipt.quarantined_count for receipt in receipts):
        session.say("Quarantined records are in raw.call_quarantine with file, line and reason.")
    session.emit({"files": [asdict(receipt) for receipt in receipts]})
