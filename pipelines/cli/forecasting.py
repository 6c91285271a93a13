"""`ratehouse forecast SERIES`: any series, hourly, daily or weekly, forecast with intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.session import Session, command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "forecast", help="Forecast series from a file, with intervals, and say how good it is.")(forecast)


def forecast(
    session: Session,
    series: Annotated[Path, typer.Argument(help="Parquet or CSV: unique_id, ds, y.", show_default=False)],
    freq: Annotated[str, typer.Option("--freq", help="Step of the series: h, d or w.")],
    horizon: Annotated[int, typer.Option("--horizon", min=1, max=1000, help="Steps to forecast.")],
    out: Annotated[Path, typer.Option("--out", help="Parquet or CSV file to write.")],
    level: Annotated[str, typer.Option("--level", help="Levels of the intervals, in per cent.")] = "80,95",
) -> int:
    """Write `unique_id, ds, yhat, lo_80, hi_80, …, model` and show the back-test beside seasonal naive."""
    from pipelines.forecasting import engine
    from pipelines.forecasting import series as series_module

    levels = _levels(level)
    if freq.lower() not in series_module.RHYTHMS:
        raise typer.BadParameter(f"--freq {freq}: give one of {', '.join(series_module.RHYTHMS)}")
    frame = series_module.read(series)
    with session.working() as report:
        report("forecasting")
        outcome = engine.study(frame, freq.lower(), horizon, levels, session.settings.threads)
    series_module.write(outcome.frame(), out)
    accuracy = outcome.accuracy() if outcome.studies else None
    session.say(f"{len(outcome.series):,} series forecast {horizon} steps ahead, in {out}")
    if accuracy is not None and accuracy["tests"].sum():
        shown = accuracy.iloc[sorted({0, horizon // 2, horizon - 1})].astype(object)
        session.table(
            "Back-test: mean absolute scaled error, and the share the intervals covered",
            ("step", "tests", "MASE", "seasonal naive", *(f"within {n} %" for n in levels)),
            [[f"{value:.3g}" if isinstance(value, float) else str(value) for value in row] for row in shown.to_numpy()],
            right=tuple(range(4 + len(levels))),
        )
    rows = [] if accuracy is None else accuracy.astype(object).where(accuracy.notna(), None).to_dict("records")
    session.emit({"series": len(outcome.series), "file": out, "accuracy": rows})
    return 0


def _levels(text: str) -> tuple[int, ...]:
    try:
        levels = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError as error:
        raise typer.BadParameter(f"--level {text}: give whole per cents, such as 80,95") from error
    if not levels or levels[0] < 1 or levels[-1] > 99:
        raise typer.BadParameter(f"--level {text}: levels lie between 1 and 99")
    return levels
