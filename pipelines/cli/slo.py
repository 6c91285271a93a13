"""`ratehouse slo …`: whether the objectives are written right, and how they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines import warehouse
from pipelines.cli.session import Session, command, plain


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Service-level objectives: OpenSLO v1 documents in slos/.")
    command(group, "check", help="Validate documents, or name the line that is wrong; nothing is written.")(check)
    command(group, "status", help="Budget, burn rates and incidents of every objective.")(status)
    command(group, "feed", help="Take a provider's outage minutes per service and day (CSV or Parquet).")(feed)
    app.add_typer(group, name="slo")


def check(
    session: Session,
    path: Annotated[Path | None, typer.Argument(help="A file or a folder; without it, the home's slos/.")] = None,
) -> int:
    """The objectives of the documents; a bad one ends with its file, line and field."""
    from pipelines.slo import documents
    from reports.page import share

    rows = documents.rows(documents.check(documents.files(path)) if path else documents.documents(session.settings))
    session.table(
        f"{len(rows)} objectives",
        ("objective", "indicator", "of", "target", "window", "method"),
        [
            (r["slo_name"], _indicator(r), _scope(r), share(r["target"]), f"{r['window_days']} d",
             f"{r['slice_minutes']} min slices at {share(r['slice_target'])}" if r["slice_minutes"] else "occurrences")
            for r in rows
        ],
        right=(3, 4),
    )  # fmt: skip
    session.emit({"objectives": rows})
    return 0


def status(session: Session) -> int:
    """Every objective at its newest five minutes."""
    from reports.page import share

    with warehouse.reading(session.settings) as connection:
        result = connection.execute("from marts.slo_current order by slo_name")
        names = [column[0] for column in result.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    session.table(
        f"{len(rows)} objectives, each at its newest five minutes",
        ("objective", "target", "attained", "budget left", "burn 1h", "6h", "1d", "3d", "alert", "budget gone",
         "incidents", "MTTR min", "MTBF min"),
        [
            (r["slo_name"],
             *("" if r[name] is None else share(r[name]) for name in ("target", "attainment", "budget_left_ratio")),
             *(_number(r[f"burn_rate_{window}"]) for window in ("1h", "6h", "1d", "3d")), _alert(r),
             "spent" if r["is_exhausted"] else str(plain(r["exhausted_at"])) if r["exhausted_at"] else "",
             f"{r['incident_count']:,}", _number(r["mttr_minutes"]), _number(r["mtbf_minutes"]))
            for r in rows
        ],
        right=(1, 2, 3, 4, 5, 6, 7, 10, 11, 12),
    )  # fmt: skip
    session.emit({"objectives": rows})
    return 0


def feed(session: Session, file: Annotated[Path, typer.Argument(help="A CSV or Parquet file.")]) -> int:
    """What a provider says of itself; the next pass puts it beside what our calls met."""
    from pipelines.slo import feeds

    count = feeds.load(session.settings, file)
    session.say(f"{count:,} days of services taken from {file}")
    session.emit({"rows": count})
    return 0


def _indicator(row: dict[str, Any]) -> str:
    return str(row["indicator"]) + (f" within {row['threshold_ms']:,g} ms" if row["threshold_ms"] else "")


def _scope(row: dict[str, Any]) -> str:
    return ", ".join(row[name] for name in ("provider", "model", "tenant", "region") if row[name]) or "all"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}"


def _alert(row: dict[str, Any]) -> str:
    """The gravest thing to say of an objective."""
    if row["observed_to"] is None:
        return "no traffic yet"
    told = (("is_page", "page"), ("is_ticket", "ticket"), ("is_low_traffic", "low traffic"))
    return next((word for name, word in told if row[name]), "")
