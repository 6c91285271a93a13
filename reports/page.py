"""The report people open: one self-contained HTML page with pictures, made from the marts.

Belongs here: the questions a report asks, its charts and its page. Does not belong here: when it is made,
or the arithmetic behind the numbers (dbt).

Altair draws and vl-convert renders to SVG inside the page: no script, no network, readable in a mail
client or from a file share. Jinja2 fills the template, escaping every value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reports.errors import NothingToReportError
from reports.exports import write_text

if TYPE_CHECKING:
    import duckdb
    import polars as pl

WIDTH: Final = 860
MODELS_SHOWN: Final = 8

QUERIES: Final[dict[str, str]] = {
    "totals": """
        select count(*) as attempts, count(distinct request_id) as requests, count(distinct tenant) as tenants,
            min(occurred_on) as first_on, max(occurred_on) as last_on, sum(cost_usd) as cost_usd,
            count(*) filter (where cost is null) as unpriced, count(*) filter (where status <> 'ok') as errors,
            quantile_cont(latency_ms, 0.95) filter (where status = 'ok') as p95_ms
        from marts.cost_calls
        """,
    "models": """
        select coalesce(provider, provider_reported, 'unknown') as provider, coalesce(model, 'unknown') as model,
            count(*) as attempts, count(*) filter (where cost is null) as unpriced,
            case when unpriced = 0 then sum(cost_usd)
                else sum(cost_usd) filter (where cost_status <> 'not_billed') end as cost_usd,
            quantile_cont(latency_ms, 0.95) filter (where status = 'ok') as p95_ms
        from marts.cost_calls group by all order by cost_usd desc nulls last, attempts desc
        """,
    "tenants": """
        select coalesce(tenant, '(none)') as tenant, sum(attempt_count) as attempts, sum(cost_usd) as cost_usd,
            sum(failed_cost_usd) as failed_cost_usd, sum(unpriced_count) as unpriced
        from marts.cost_daily group by all order by cost_usd desc nulls last
        """,
    "gaps": """
        select coalesce(provider, provider_reported, 'unknown') as provider, coalesce(model, 'unknown') as model,
            cost_status, sum(attempt_count) as attempts, sum(cost_reported) as cost_reported
        from marts.cost_gaps group by all order by attempts desc
        """,
    "slos": """
        select slo_name, indicator, any_value(target) as target, sum(good_count) as good, sum(total_count) as total,
            sum(good_count) / sum(total_count) as attainment, count(*) filter (where not is_met) as days_missed
        from marts.slo_attainment_daily group by slo_name, indicator order by slo_name
        """,
    "forecast": """
        select sum(forecast_usd) as cost_usd, sum(lo_80_usd) as lo, sum(hi_80_usd) as hi,
            min(forecast_on) as first_on, max(forecast_on) as last_on
        from marts.forecast_daily where tenant = ''
        """,
}


@dataclass(frozen=True, slots=True)
class Summary:
    """The answers of one report, each a list of rows by column name."""

    answers: dict[str, list[dict[str, Any]]]

    @property
    def totals(self) -> dict[str, Any]:
        return self.answers["totals"][0]


def summarise(connection: duckdb.DuckDBPyConnection) -> Summary:
    """Ask every question of the report. Raises NothingToReportError before the first call is loaded."""
    answers = {}
    for name, query in QUERIES.items():
        result = connection.execute(query)
        columns = [column[0] for column in result.description or ()]
        answers[name] = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
    if not answers["totals"][0]["attempts"]:
        raise NothingToReportError("no call has been loaded yet; put logs in with `ratehouse ingest FILE` first")
    return Summary(answers)


def write(connection: duckdb.DuckDBPyConnection, file: Path, title: str = "LLM spend and service levels") -> Path:
    """Write the report page whole; returns its path."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    summary = summarise(connection)
    charts = {name: _svg(draw(connection)) for name, draw in CHARTS.items() if _has_rows(connection, name)}
    environment = Environment(loader=PackageLoader("reports"), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"usd": usd, "count": count, "ms": ms, "share": share}
    page = environment.get_template("report.html").render(
        title=title, charts=charts, models_shown=MODELS_SHOWN, **summary.answers
    )
    write_text(file, page)
    return file


def usd(value: Decimal | float | None) -> str:
    """Dollars for people: cents from a dollar up, four significant digits below; unknown is a dash."""
    if value is None:
        return "–"
    number = float(value)
    return f"${number:,.2f}" if abs(number) >= 1 or number == 0 else f"${number:.4g}"


def count(value: float | None) -> str:
    """A whole number with thousands apart."""
    return "–" if value is None else f"{int(value):,}"


def ms(value: float | None) -> str:
    """A duration: milliseconds, or seconds from one second up."""
    if value is None:
        return "–"
    return f"{value / 1000:.2f} s" if value >= 1000 else f"{value:.0f} ms"


def share(value: Decimal | float | None) -> str:
    """A share as percent, never rounded up to 100 %."""
    if value is None:
        return "–"
    percent = float(value) * 100
    if percent < 99:
        return f"{percent:.3g} %"
    return f"{min(percent, 99.999) if percent < 100 else percent:.3f} %"


def _frame(connection: duckdb.DuckDBPyConnection, query: str) -> pl.DataFrame:
    return connection.execute(query).pl()


def cost_by_day(connection: duckdb.DuckDBPyConnection) -> Any:
    """Spend per day, the costliest models apart and the others together."""
    import altair as alt

    frame = _frame(
        connection,
        f"""
        with ranked as (
            select model, row_number() over (order by sum(cost_usd) desc nulls last) as place
            from marts.cost_daily group by model
        )
        select occurred_on, case when place <= {MODELS_SHOWN} then model else 'others' end as model,
            cast(sum(cost_usd) as double) as cost_usd
        from marts.cost_daily inner join ranked using (model)
        where cost_usd is not null group by all order by occurred_on, model
        """,
    )
    return (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("occurred_on:T", title=None),
            y=alt.Y("sum(cost_usd):Q", title="USD per day", stack=True),
            color=alt.Color("model:N", title=None, scale=alt.Scale(scheme="tableau10")),
        )
    )


def latency_by_hour(connection: duckdb.DuckDBPyConnection) -> Any:
    """The 95th percentile of latency per provider and day: hours' answers weighted by their traffic."""
    import altair as alt

    frame = _frame(
        connection,
        """
        select cast(hour_at as date) as occurred_on, coalesce(provider, 'unknown') as provider,
            sum(latency_p95_ms * answered_count) / sum(answered_count) / 1000 as p95_s
        from marts.latency_hourly where latency_p95_ms is not null group by all order by all
        """,
    )
    return (
        alt.Chart(frame)
        .mark_line()
        .encode(
            x=alt.X("occurred_on:T", title=None),
            y=alt.Y("p95_s:Q", title="seconds, mean of hourly p95"),
            color=alt.Color("provider:N", title=None, scale=alt.Scale(scheme="tableau10")),
        )
    )


def attainment_by_day(connection: duckdb.DuckDBPyConnection) -> Any:
    """Every objective's attainment by day, with its target."""
    import altair as alt

    frame = _frame(
        connection,
        "select occurred_on, slo_name, attainment, cast(target as double) as target, is_met"
        " from marts.slo_attainment_daily order by all",
    )
    base = alt.Chart(frame).encode(x=alt.X("occurred_on:T", title=None))
    line = base.mark_line(point=True).encode(
        y=alt.Y("attainment:Q", title="attainment", axis=alt.Axis(format=".1%"), scale=alt.Scale(zero=False)),
        color=alt.Color("slo_name:N", title=None),
    )
    target = base.mark_line(strokeDash=[4, 4], opacity=0.6).encode(y="target:Q", color="slo_name:N")
    return line + target


def forecast_by_day(connection: duckdb.DuckDBPyConnection) -> Any:
    """Spend so far and expected, with the 80 % and 95 % intervals."""
    import altair as alt

    past = _frame(
        connection,
        "select occurred_on as day, cast(sum(cost_usd) as double) as cost_usd from marts.cost_daily"
        " where cost_usd is not null group by all order by day",
    )
    ahead = _frame(
        connection,
        "select forecast_on as day, forecast_usd, lo_80_usd, hi_80_usd, lo_95_usd, hi_95_usd"
        " from marts.forecast_daily where tenant = '' order by day",
    )
    x = alt.X("day:T", title=None)
    wide = (
        alt.Chart(ahead)
        .mark_area(opacity=0.15)
        .encode(x=x, y=alt.Y("lo_95_usd:Q", title="USD per day"), y2="hi_95_usd")
    )
    narrow = alt.Chart(ahead).mark_area(opacity=0.25).encode(x=x, y="lo_80_usd:Q", y2="hi_80_usd")
    expected = alt.Chart(ahead).mark_line(strokeDash=[5, 3]).encode(x=x, y="forecast_usd:Q")
    seen = alt.Chart(past).mark_line(color="#333").encode(x=x, y="cost_usd:Q")
    return wide + narrow + expected + seen


# name -> how it is drawn; the second map says which table it needs rows in.
CHARTS: Final[dict[str, Callable[[duckdb.DuckDBPyConnection], Any]]] = {
    "cost": cost_by_day,
    "latency": latency_by_hour,
    "slo": attainment_by_day,
    "forecast": forecast_by_day,
}
_NEEDS: Final = {
    "cost": "marts.cost_daily where cost_usd is not null",
    "latency": "marts.latency_hourly where latency_p95_ms is not null",
    "slo": "marts.slo_attainment_daily",
    "forecast": "marts.forecast_daily",
}


def _has_rows(connection: duckdb.DuckDBPyConnection, chart: str) -> bool:
    found = connection.execute(f"select count(*) from {_NEEDS[chart]}").fetchone()
    return bool(found and found[0])


def _svg(chart: Any) -> str:
    import vl_convert

    drawn = chart.properties(width=WIDTH, height=260).configure(font="sans-serif").configure_view(stroke=None)
    return str(vl_convert.vegalite_to_svg(drawn.to_dict()))
