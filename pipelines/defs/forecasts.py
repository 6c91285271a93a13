"""Forecasts of daily spend from the cost marts."""

from collections.abc import Iterator

import dagster as dg

from pipelines.forecasting import daily
from pipelines.settings import Settings

SOURCES = [["marts", "cost_daily"], ["marts", "cost_calls"]]
FORECASTS, ACCURACY = ["raw", "forecasts"], ["raw", "forecast_accuracy"]


@dg.multi_asset(
    name="raw__forecasts",
    specs=[
        dg.AssetSpec(
            FORECASTS,
            deps=SOURCES,
            kinds={"statsforecast"},
            description="One row per series and day to come: expected spend with intervals.",
        ),
        dg.AssetSpec(
            ACCURACY,
            deps=SOURCES,
            kinds={"statsforecast"},
            description="One row per grain and step ahead: how far off forecasts of the past were.",
        ),
    ],
    group_name="forecasts",
    pool="warehouse",
)
def forecasts(settings: dg.ResourceParam[Settings]) -> Iterator[dg.MaterializeResult[None]]:
    rows = daily.load(settings)
    yield dg.MaterializeResult(asset_key=FORECASTS, metadata={"rows": rows})
    yield dg.MaterializeResult(asset_key=ACCURACY)
