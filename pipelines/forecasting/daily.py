"""Daily spend per tenant and model, per tenant and in total, thirty days ahead.

Belongs here: the series of spend, and making their forecasts add up. Does not belong here: how a series is
forecast (`engine`), or where forecasts go beyond `raw.forecasts` and `raw.forecast_accuracy`.

Only tenant x model is forecast; a tenant is the sum of its models and the total that of the tenants, so
children add up to parents exactly. The intervals of a sum come from the back-test's errors summed the
same way, so they know how far children err together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipelines import warehouse
from pipelines.forecasting import engine, intervals
from pipelines.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, np.dtype[np.float64]]

HORIZON_DAYS: Final = 30
LEVELS: Final = (80, 95)
SEASON_DAYS: Final = 7
ALL: Final = ""  # the model of a tenant's sum, the tenant and the model of the total
GRAINS: Final = ("tenant and model", "tenant", "total")

_FORECASTS = (
    "raw.forecasts (measure VARCHAR, tenant VARCHAR, model VARCHAR, forecast_on DATE, made_from_on DATE,"
    " forecast_model VARCHAR, yhat DOUBLE, lo_80 DOUBLE, hi_80 DOUBLE, lo_95 DOUBLE, hi_95 DOUBLE)"
)
_ACCURACY = (
    "raw.forecast_accuracy (measure VARCHAR, grain VARCHAR, step INTEGER, made_from_on DATE, series_count INTEGER,"
    " tests INTEGER, mase DOUBLE, naive_mase DOUBLE, coverage_80 DOUBLE, coverage_95 DOUBLE)"
)


@dataclass(frozen=True, slots=True)
class Forecasts:
    """`forecasts`: `tenant, model, ds, forecast_model, yhat, lo_80, …`; `accuracy`: `grain, series_count, step, …`."""

    forecasts: pd.DataFrame
    accuracy: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Sum:
    """A series that is the sum of others, with everything of theirs summed."""

    yhat: Array
    errors: Array
    naive_errors: Array
    scale: float
    unfitted: Array  # half-widths of the children that have no errors, added in squares: steps x levels
    floor: float


def spend_series(settings: Settings) -> pd.DataFrame:
    """Daily spend in USD (`tenant, model, ds, y`), whole days from each pair's first, days without calls as zero.

    The last day is left out when it is not over: half a day's spend would read as a collapse.
    """
    with warehouse.reading(settings) as connection:
        return connection.execute(
            """
            with days as (
                select
                    coalesce(tenant, '(none)') as tenant, coalesce(model, '(none)') as model, occurred_on,
                    sum(cost_usd) as cost_usd
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
                select tenant, model, unnest(generate_series(first_on, last_on, interval 1 day)) as ds
                from (select tenant, model, min(occurred_on) as first_on from days group by tenant, model), ends
            )
            select calendar.tenant, calendar.model, ds, coalesce(cast(cost_usd as double), 0.0) as y
            from calendar
            left join days
                on days.tenant = calendar.tenant and days.model = calendar.model and days.occurred_on = calendar.ds
            order by all
            """
        ).df()


def forecast(series: pd.DataFrame, horizon: int = HORIZON_DAYS, threads: int = 1) -> Forecasts:
    """Forecast `tenant, model, ds, y` (all ending on one day) and every sum of them."""
    import pandas as pd

    pairs = series[["tenant", "model"]].drop_duplicates(ignore_index=True)
    numbered = series.merge(pairs.reset_index(names="unique_id"), on=["tenant", "model"])
    outcome = engine.study(numbered, "d", horizon, LEVELS, threads)
    leaves = outcome.frame().rename(columns={"model": "forecast_model"})
    leaves = leaves.join(pairs, on="unique_id").drop(columns="unique_id")
    tenants: list[str] = sorted(pairs["tenant"].unique())
    if not tenants:
        return Forecasts(leaves, pd.DataFrame())
    # In the order the engine answers, that of the numbers.
    sums = [_sum(outcome, [i for i, owner in enumerate(pairs["tenant"]) if owner == name]) for name in tenants]
    sums.append(_sum(outcome, list(range(len(pairs)))))
    days = outcome.series[0].ahead
    parts = [
        _frame(one, width, days).assign(tenant=tenant, model=ALL, forecast_model=model)
        for one, width, tenant, model in zip(
            sums, _widths(sums), [*tenants, ALL], ["sum of models"] * len(tenants) + ["sum of tenants"], strict=True
        )
    ]
    accuracy = [outcome.accuracy().assign(series_count=len(pairs), grain=GRAINS[0])]
    for grain, chosen in ((GRAINS[1], sums[:-1]), (GRAINS[2], sums[-1:])):
        accuracy.append(_accuracy(chosen, outcome.offsets).assign(series_count=len(chosen), grain=grain))
    return Forecasts(pd.concat([leaves, *parts], ignore_index=True), pd.concat(accuracy, ignore_index=True))


def _sum(outcome: engine.Outcome, members: list[int]) -> _Sum:
    import numpy as np

    studies = [outcome.studies[index] for index in members]
    values = [outcome.series[index].values for index in members]
    length = max(len(one) for one in values)
    whole = np.sum([np.concatenate([np.zeros(length - len(one)), one]) for one in values], axis=0)
    season = SEASON_DAYS if length > SEASON_DAYS else 1
    scale = float(np.mean(np.abs(whole[season:] - whole[:-season]))) if length > season else 0.0
    errors, naive_errors = (
        np.stack([getattr(study, name) * study.size for study in studies]) for name in ("errors", "naive_errors")
    )
    some = np.isfinite(errors).any(axis=0)
    silent = [place for place, each in enumerate(errors) if not np.isfinite(each).any()]
    return _Sum(
        np.sum([study.yhat * study.size for study in studies], axis=0),
        np.where(some, np.nansum(errors, axis=0), np.nan),
        np.where(some, np.nansum(naive_errors, axis=0), np.nan),
        scale if scale > 0 else float("nan"),
        np.sqrt(np.sum(outcome.widths[[members[place] for place in silent]] ** 2, axis=0)),
        0.0 if whole.min() >= 0 else -np.inf,
    )


def _widths(sums: Sequence[_Sum]) -> Array:
    """Half-widths of sums: from their own errors, and in squares those of children without any."""
    import numpy as np

    errors, scales = np.stack([one.errors for one in sums]), np.array([one.scale for one in sums])
    tested = np.asarray(np.isfinite(errors).any(axis=(1, 2)))[:, None, None]
    own = np.nan_to_num(intervals.half_widths(errors, scales, LEVELS)) if errors.shape[1] else np.zeros(1)
    return np.sqrt(np.where(tested, own, 0.0) ** 2 + np.stack([one.unfitted for one in sums]) ** 2)


def _frame(one: _Sum, widths: Array, days: Any) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    columns = {"ds": days, "yhat": one.yhat}
    for index, level in enumerate(LEVELS):
        columns[f"lo_{level}"] = np.maximum(one.yhat - widths[:, index], one.floor)
        columns[f"hi_{level}"] = one.yhat + widths[:, index]
    return pd.DataFrame(columns)


def _accuracy(sums: Sequence[_Sum], offsets: list[int]) -> pd.DataFrame:
    import numpy as np

    errors, naive_errors = (np.stack([getattr(one, name) for one in sums]) for name in ("errors", "naive_errors"))
    return intervals.accuracy(errors, naive_errors, np.array([one.scale for one in sums]), offsets, LEVELS)


def load(settings: Settings) -> int:
    """Forecast spend from the marts and make the raw tables hold it; returns the number of forecasts."""
    series = spend_series(settings)
    made_from = None if series.empty else series["ds"].max().date()
    found = None if series.empty else forecast(series, threads=settings.threads)
    with warehouse.writing(settings) as connection:
        connection.begin()
        for table in (_FORECASTS, _ACCURACY):
            connection.execute(f"create or replace table {table}")
        if found is not None:
            connection.register("incoming_forecasts", found.forecasts)
            connection.register("incoming_accuracy", found.accuracy)
            connection.execute(
                "insert into raw.forecasts select 'spend_usd', tenant, model, cast(ds as date), ?, forecast_model,"
                " yhat, lo_80, hi_80, lo_95, hi_95 from incoming_forecasts",
                [made_from],
            )
            # A share of nothing is unknown: NaN leaves pandas, null enters the warehouse.
            numbers = ", ".join(
                f"case when not isnan({name}) then {name} end"
                for name in ("mase", "naive_mase", "coverage_80", "coverage_95")
            )
            connection.execute(
                f"insert into raw.forecast_accuracy select 'spend_usd', grain, step, ?, series_count, tests, {numbers}"
                " from incoming_accuracy",
                [made_from],
            )
            connection.unregister("incoming_forecasts")
            connection.unregister("incoming_accuracy")
        connection.commit()
    return 0 if found is None else len(found.forecasts)


def ensure_table(settings: Settings) -> None:
    """Make empty raw tables where there are none, so that models can be built before the first forecast."""
    with warehouse.writing(settings) as connection:
        for table in (_FORECASTS, _ACCURACY):
            connection.execute(f"create table if not exists {table}")
