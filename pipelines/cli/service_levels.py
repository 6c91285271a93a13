"""`ratehouse usage`, `ratehouse latency`: what was used and how fast, over any window, zone and grouping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines import warehouse
from pipelines.cli import slo
from pipelines.cli.session import Session, command, plain

if TYPE_CHECKING:
    from pipelines.service_levels.windows import Question

By = Annotated[
    str, typer.Option("--by", help="Groups, parted by commas: quarter_hour, hour, day, week, month, provider, model, …")
]
From = Annotated[str | None, typer.Option("--from", help="First day in the zone, or an instant (ISO 8601).")]
To = Annotated[str | None, typer.Option("--to", help="The day or instant it ends before.")]
Zone = Annotated[str, typer.Option("--zone", help="IANA zone whose days, weeks and months count.")]
Where = Annotated[
    list[str] | None, typer.Option("--where", help="Only these: column=value; empty is unknown. May be repeated.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "usage", help="Attempts, requests, tokens and cost by anything, in any time zone.")(show_usage)
    command(app, "latency", help="Percentiles of latency, first token and speed by anything.")(show_latency)
    slo.register(app)


def show_usage(
    session: Session,
    by: By = "day",
    start: From = None,
    end: To = None,
    zone: Zone = "UTC",
    where: Where = None,
) -> int:
    """Sums of the quarter-hour facts, every attempt counted once in whatever zone."""
    from pipelines.service_levels import usage, windows

    question = windows.ask(usage.COLUMNS, by=by, start=start, end=end, zone=zone, where=where or ())
    with warehouse.reading(session.settings) as connection:
        rows = usage.usage(connection, question)
    shown = ("attempt_count", "request_count", "error_count", "input_tokens", "cache_read_tokens", "output_tokens",
             "unpriced_count", "cost_usd")  # fmt: skip
    _tell(session, "usage", question, rows, shown)
    return 0


def show_latency(
    session: Session,
    by: By = "provider,model",
    start: From = None,
    end: To = None,
    zone: Zone = "UTC",
    where: Where = None,
    measure: Annotated[
        list[str] | None,
        typer.Option("--measure", help="latency_ms, ttft_ms or output_tokens_per_second. May be repeated."),
    ] = None,
) -> int:
    """Percentiles within 1 %, merged from the quarter hours' histograms; exact by user or key."""
    from pipelines.service_levels import percentiles, windows

    question = windows.ask(percentiles.COLUMNS, by=by, start=start, end=end, zone=zone, where=where or ())
    with warehouse.reading(session.settings) as connection:
        rows = percentiles.percentiles(connection, question, measure or percentiles.MEASURES)
    _tell(session, "latency", question, rows, ("sample_count", *(name for name, _ in percentiles.QUANTILES)))
    return 0


def _tell(session: Session, what: str, question: Question, rows: list[dict[str, Any]], shown: tuple[str, ...]) -> None:
    groups = [*(["measure"] if what == "latency" else []), *question.by]
    window = f"{_word(question.start) or 'the first call'} to {_word(question.end) or 'the last'}"
    session.table(
        f"{what}, {window}, days of {question.zone}",
        (*groups, *shown),
        [tuple(_word(row[name]) for name in (*groups, *shown)) for row in rows],
        right=range(len(groups), len(groups) + len(shown)),
    )
    session.emit({what: rows, "from": question.start, "to": question.end, "zone": question.zone, "by": question.by})


def _word(value: Any) -> str:
    """One cell; unknown is empty."""
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return value if isinstance(value, str) else str(plain(value))
