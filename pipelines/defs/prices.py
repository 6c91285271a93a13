"""Prices into `raw`: dated lists, readings of stored pages, live scraping, and the check at their door."""

from collections.abc import Iterator

import dagster as dg

from pipelines import quality
from pipelines.pricing import overrides, readings, statements
from pipelines.settings import Settings

STATEMENTS = dg.AssetKey(["raw", "price_statements"])
OBSERVATIONS = dg.AssetKey(["raw", "price_observations"])


@dg.asset(
    key=STATEMENTS,
    group_name="prices",
    pool="warehouse",
    kinds={"duckdb"},
    description="One row per dated price stated by a list, or by the house itself (contracts, corrections).",
)
def price_statements(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    listed, own = statements.load(settings), overrides.load(settings)
    return dg.MaterializeResult(metadata={"rows": listed + own, "overrides": own})


@dg.multi_asset(
    specs=[
        dg.AssetSpec(OBSERVATIONS, description="One row per price a reading of a stored page found."),
        dg.AssetSpec(["raw", "price_captures"], description="One row per reading of a stored page, failures too."),
    ],
    group_name="prices",
    pool="warehouse",
)
def price_observations(settings: dg.ResourceParam[Settings]) -> Iterator[dg.MaterializeResult[None]]:
    outcomes = readings.read_stored_pages(settings)
    failed = [f"{o.source}: {o.error_name}" for o in outcomes if o.status != "accepted"]
    facts: dict[str, int | str] = {"readings": len(outcomes), "not accepted": "\n".join(failed) or "none"}
    yield dg.MaterializeResult(asset_key=["raw", "price_captures"], metadata={**facts})
    yield dg.MaterializeResult(asset_key=OBSERVATIONS, metadata={**facts})


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "door",
            asset=asset,
            blocking=True,
            description="Words registered, amounts sane, evidence present in every price row.",
        )
        for asset in (STATEMENTS, OBSERVATIONS)
    ],
    pool="warehouse",
)
def prices_door(settings: dg.ResourceParam[Settings]) -> Iterator[dg.AssetCheckResult]:
    rows, whole = quality.price_rows(settings), quality.price_readings(settings)
    for asset, verdict in ((STATEMENTS, rows), (OBSERVATIONS, rows & whole)):
        yield dg.AssetCheckResult(
            passed=verdict.is_passed,
            check_name="door",
            asset_key=asset,
            metadata={"rows": verdict.checked_rows, "failures": "\n".join(verdict.failures) or "none"},
        )
