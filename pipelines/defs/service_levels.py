"""Service-level documents into `raw.slo_objectives`, and the table of what providers say of themselves."""

import dagster as dg

from pipelines.settings import Settings
from pipelines.slo import documents, feeds


@dg.asset(
    key=["raw", "slo_objectives"],
    group_name="service_levels",
    pool="warehouse",
    kinds={"duckdb"},
    description="One row per objective of the home's OpenSLO documents, or of the default ones.",
)
def slo_objectives(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"rows": documents.load(settings)})


@dg.asset(
    key=["raw", "provider_outages"],
    group_name="service_levels",
    pool="warehouse",
    kinds={"duckdb"},
    description="One row per provider, service and day of a provider's own word on its outages, as fed.",
)
def provider_outages(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"rows": feeds.ensure_table(settings)})
