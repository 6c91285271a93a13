"""What leaves: the pricing snapshot, the exports, the report page."""

import dagster as dg

from pipelines import warehouse
from pipelines.settings import Settings
from reports import exports, page, publication
from reports.errors import NothingToReportError

MARTS = [
    "cost_calls", "cost_daily", "cost_gaps", "latency_hourly", "slo_attainment_daily", "forecast_daily",
    "forecast_accuracy",
]  # fmt: skip


@dg.asset(
    key=["published", "snapshot"],
    deps=[["marts", "price_history"], ["marts", "prices_current"]],
    group_name="publishing",
    pool="warehouse",
    description="The pricing snapshot: an immutable folder, made current by one rename.",
)
def snapshot(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    with warehouse.reading(settings) as connection:
        published = publication.publish(connection, settings.published)
    return dg.MaterializeResult(
        metadata={"snapshot_id": published.snapshot_id, "folder": dg.MetadataValue.path(str(published.folder))}
    )


@dg.asset(
    key=["published", "exports"],
    deps=[["marts", name] for name in (*MARTS, "usage_daily", "cost_differences", "price_history", "prices_current")],
    group_name="publishing",
    pool="warehouse",
    description="Every mart as CSV, JSON lines and Parquet, with a manifest.",
)
def exported(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    folder = settings.root / "exports"
    with warehouse.reading(settings) as connection:
        written = exports.export_all(connection, folder)
    return dg.MaterializeResult(metadata={"files": len(written), "folder": dg.MetadataValue.path(str(folder))})


@dg.asset(
    key=["reports", "overview"],
    deps=[["marts", name] for name in MARTS],
    group_name="publishing",
    pool="warehouse",
    kinds={"html"},
    description="The report page people open: spend, service levels, latency, forecast, what has no cost.",
)
def overview(context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    file = settings.reports / "overview.html"
    try:
        with warehouse.reading(settings) as connection:
            page.write(connection, file)
    except NothingToReportError as nothing:
        context.log.warning(str(nothing))
        return dg.MaterializeResult(metadata={"report": "none yet"})
    return dg.MaterializeResult(metadata={"report": dg.MetadataValue.path(str(file))})
