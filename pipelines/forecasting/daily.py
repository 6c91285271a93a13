"""Daily spend per tenant and in total, thirty days ahead.

Belongs here: turning daily series into forecasts with intervals that add up. Does not belong here:
where the series come from or go to beyond `raw.forecasts`.

statsforecast was chosen over our own smoothing: well-kept, quick without a compiler, and its models
and intervals are measured on public competitions.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, cast

from pipelines import warehouse
from pipelines.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

HORIZON_DAYS = 30
SEASON_DAYS = 7
LEVELS = (80, 95)
TOTAL = ""  # the tenant of the total series
# Under two full seasons a seasonal model has nothing to learn from.
SEASONAL_MINIMUM = 2 * SEASON_DAYS

_TABLE = (
    "create or replace table raw.forecasts (measure VARCHAR, tenant VARCHAR, forecast_on DATE, made_from_on DATE,"
    " model VARCHAR, yhat DOUBLE, lo_80 DOUBLE, hi_80 DOUBLE, lo_95 DOUBLE, hi_95 DOUBLE)"
)


def spend_series(settings: Settings) -> pd.DataFrame:
    """Daily spend in USD per tenant (`unique_id, ds, y`), whole days from its first, gaps as zero spend.

    The last day is left out when it is not over: half a day's spend would read as a collapse.
    """
    with warehouse.reading(settings) as connection:
        return connection.execute(
            """
            with days as (
                select coalesce(tenant, '(none)') as tenant, occurred_on, sum(cost_usd) as cost_usd
                from marts.cost_daily group by all
            ),
            ends as (
                select max(occurred_on) - case when is_partial and max(occurred_on) > min(occurred_on) then 1 else 0 end
                    as last_on
                from days, (
                    select max(occurred_at) < date_trunc('day', max(occurred_at)) + interval 23 hours as is_partial
                    from marts.cost_calls
                )
                group by is_partial
            ),
            calendar as (
                select tenant, unnest(generate_series(first_on, last_on, interval 1 day)) as ds
                from (select tenant, min(occurred_on) as first_on from days group by tenant), ends
            )
            select calendar.tenant as unique_id, ds, coalesce(cast(cost_usd as double), 0.0) as y
            from calendar
            left join days on days.tenant = calendar.tenant and days.occurred_on = calendar.ds
            """
        ).df()


def forecast(series: pd.DataFrame, horizon: int = HORIZON_DAYS) -> pd.DataFrame:
    """Forecast every series; columns `unique_id, ds, model, yhat, lo_80, hi_80, lo_95, hi_95`.

    A series shorter than two weeks gets its mean with the spread seen so far; a constant or all-zero one
    gets itself. Spend is never negative, so bounds are cut at zero.
    """
    import pandas as pd
    from statsforecast import StatsForecast
    from statsforecast.models import AutoETS, HistoricAverage, SeasonalNaive

    parts: list[pd.DataFrame] = []
    lengths = series.groupby("unique_id")["y"].agg(["size", "nunique"])
    seasonal = lengths.index[(lengths["size"] >= SEASONAL_MINIMUM) & (lengths["nunique"] > 1)]
    for name, ids, models in (
        ("AutoETS", seasonal, [AutoETS(season_length=SEASON_DAYS)]),
        ("HistoricAverage", lengths.index.difference(seasonal), [HistoricAverage()]),
    ):
        chosen = series[series["unique_id"].isin(ids)]
        if chosen.empty:
            continue
        fallback = SeasonalNaive(season_length=SEASON_DAYS) if name == "AutoETS" else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # models warn of fits they then reject; the fallback answers
            engine = StatsForecast(models=models, freq="D", fallback_model=fallback)
            out = engine.forecast(df=chosen, h=horizon, level=list(LEVELS))
        out = cast("pd.DataFrame", out).rename(
            columns={name: "yhat"} | {f"{name}-{side}-{n}": f"{side}_{n}" for side in ("lo", "hi") for n in LEVELS}
        )
        parts.append(out.assign(model=name))
    if not parts:
        return pd.DataFrame(columns=["unique_id", "ds", "model", "yhat", "lo_80", "hi_80", "lo_95", "hi_95"])
    result = pd.concat(parts, ignore_index=True)
    numbers = ["yhat", "lo_80", "hi_80", "lo_95", "hi_95"]
    result["lo_80"] = result["lo_80"].fillna(result["yhat"])  # one observation has no spread
    for column in numbers:
        result[column] = result[column].fillna(result["yhat"]).clip(lower=0.0)
    return result[["unique_id", "ds", "model", *numbers]]


def with_total(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Add the total as the sum of the tenants, so that children add up to the parent.

    Its interval takes the tenants' errors as independent: half-widths add in squares.
    """
    import numpy as np
    import pandas as pd

    if forecasts.empty:
        return forecasts
    widths = forecasts.assign(
        **{
            f"w_{side}_{n}": (forecasts[f"{side}_{n}"] - forecasts["yhat"]) ** 2
            for side in ("lo", "hi")
            for n in LEVELS
        }
    )
    grouped = widths.groupby("ds", as_index=False).sum(numeric_only=True)
    total = pd.DataFrame({"unique_id": TOTAL, "ds": grouped["ds"], "model": "sum of tenants", "yhat": grouped["yhat"]})
    for n in LEVELS:
        total[f"lo_{n}"] = (grouped["yhat"] - np.sqrt(grouped[f"w_lo_{n}"])).clip(lower=0.0)
        total[f"hi_{n}"] = grouped["yhat"] + np.sqrt(grouped[f"w_hi_{n}"])
    return pd.concat([forecasts, total], ignore_index=True)


def load(settings: Settings) -> int:
    """Forecast spend from the marts and make `raw.forecasts` hold it; returns the number of rows."""
    series = spend_series(settings)
    made_from = None if series.empty else series["ds"].max().date()
    frame = with_total(forecast(series)) if not series.empty else None
    with warehouse.writing(settings) as connection:
        connection.begin()
        connection.execute(_TABLE)
        if frame is not None:
            connection.register("incoming_forecasts", frame)
            connection.execute(
                "insert into raw.forecasts select 'spend_usd', unique_id, cast(ds as date), ?, model,"
                " yhat, lo_80, hi_80, lo_95, hi_95 from incoming_forecasts",
                [made_from],
            )
            connection.unregister("incoming_forecasts")
        connection.commit()
    return 0 if frame is None else len(frame)


def ensure_table(settings: Settings) -> None:
    """Make an empty `raw.forecasts` where there is none, so that models can be built before the first one."""
    with warehouse.writing(settings) as connection:
        connection.execute(_TABLE.replace("create or replace table", "create table if not exists"))
