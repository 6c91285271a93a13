"""Commands about series of numbers in files: `detect`.

Belongs here: what a person types and reads. Does not belong here: the judging (`pipelines.anomalies`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.session import Session, command


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "detect", help="Judge series in a file: anomalies with expected ranges, and level shifts.")(detect)


def detect(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="SERIES", help="Parquet or CSV with series, at, value.")],
    out: Annotated[Path, typer.Option("--out", help="Parquet or CSV; level shifts go to <stem>.shifts beside it.")],
) -> int:
    """Every row judged by the rows before it, with one setting for every series."""
    from pipelines.anomalies import files

    with session.working() as report:
        report("judging")
        judged = files.judge(file, out)
    session.say(
        f"{judged.rows:,} rows of {judged.series:,} series: {judged.anomalies:,} anomalies in {judged.out}, "
        f"{judged.shifts:,} level shifts in {judged.shifts_out}"
    )
    session.emit(judged._asdict())
    return 0
