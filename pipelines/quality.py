"""The door of `raw`: Great Expectations over frames, before anything is built on them.

Belongs here: what must be true of price rows as a whole and of a segment's profile. Does not belong
here: rules about single calls (set-based SQL in `logs/`), or about models (dbt tests).

Great Expectations works on pandas frames here and fails over DuckDB SQL, and takes seconds to import,
so it is imported inside the function and given profiles rather than ten million calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines import warehouse
from pipelines.pricing.gates import MAGNITUDE, VANISHED_SHARE
from pipelines.settings import Settings
from scrapers.vocabulary import CURRENCIES, EVIDENCE_KINDS, METERS, PROVIDERS, SERVICE_TIERS

if TYPE_CHECKING:
    import pandas as pd

# Above this share of quarantined records a segment is more likely misread than dirty.
QUARANTINE_SHARE_LIMIT = 0.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a frame passed, and each failure in words."""

    is_passed: bool
    failures: tuple[str, ...]
    checked_rows: int

    def __and__(self, other: Verdict) -> Verdict:
        return Verdict(
            self.is_passed and other.is_passed, self.failures + other.failures, self.checked_rows + other.checked_rows
        )


def price_rows(settings: Settings) -> Verdict:
    """Judge every price row about to be believed: words registered, amounts sane, evidence present."""
    with warehouse.reading(settings) as connection:
        frame = connection.execute(
            """
            select provider, meter, service_tier, currency, kind, model, source_url, evidence_where,
                cast(unit_amount as double) as unit_amount, cast(amount as double) as amount
            from raw.price_statements
            union all
            select provider, meter, service_tier, currency, kind, model, source_url, evidence_where,
                cast(unit_amount as double), cast(amount as double)
            from raw.price_observations
            """
        ).df()
    return judge(frame, _price_expectations())


def price_readings(settings: Settings) -> Verdict:
    """Judge the newest believed reading of every source as a whole, beside the one believed before it.

    The gates have judged them one price at a time; this counts the outcome: a page that lost most of its
    prices, is all zero, or moved by an order of magnitude must not be among the believed, unless a person
    said so.
    """
    with warehouse.reading(settings) as connection:
        frame = connection.execute(
            """
            with ordered as (
                select reading_id, source, kind, decided_at,
                    lag(reading_id) over past as earlier_id,
                    row_number() over (partition by source order by reader_version desc, captured_at desc, sha256 desc)
                        as place
                from raw.price_captures where status = 'accepted'
                window past as (partition by source, reader_version order by captured_at, sha256)
            ),
            newest as (select * from ordered where place = 1),
            held as (select observation_id from raw.price_findings where scope = 'price' and status <> 'accepted'),
            decided as (select observation_id from raw.price_findings where status = 'accepted'),
            prices as (
                select *, concat_ws('|', provider, model, meter, service_tier, region, context_from, window_name,
                    currency, applies_to) as key,
                    concat_ws('|', provider, model, meter, service_tier, currency) as price_kind
                from raw.price_observations where observation_id not in (from held) and status = 'active'
            ),
            changes as (
                select newest.source, max(greatest(now.unit_amount / before.unit_amount,
                    before.unit_amount / now.unit_amount))::double as largest_factor
                from newest
                join prices as now on now.reading_id = newest.reading_id
                join prices as before on before.reading_id = newest.earlier_id and before.key = now.key
                where newest.kind <> 'aggregator' and now.observation_id not in (from decided)
                    and now.unit_amount > 0 and before.unit_amount > 0
                group by all
            )
            select newest.source, count(*) as price_count,
                case when count(*) > 1 then avg((now.unit_amount = 0)::integer)::double end as zero_share,
                count(distinct now.price_kind) as kind_count,
                any_value((select count(distinct price_kind) from prices where reading_id = newest.earlier_id))
                    as earlier_count,
                case when earlier_count - kind_count > 2 then kind_count / earlier_count end as kept_share,
                coalesce(any_value(changes.largest_factor), 1) as largest_factor
            from newest
            join prices as now on now.reading_id = newest.reading_id
            left join changes on changes.source = newest.source
            where newest.decided_at is null
            group by newest.source, newest.earlier_id
            """
        ).df()
    return judge(frame, _reading_expectations())


def segment_profiles(settings: Settings) -> Verdict:
    """Judge the profile of every landed segment: counts conserved, not mostly quarantined, times plausible."""
    with warehouse.reading(settings) as connection:
        frame = connection.execute(
            """
            select segment_id, read_count, accepted_count + duplicate_count + quarantined_count as accounted_count,
                quarantined_count / nullif(read_count, 0) as quarantined_share,
                epoch(first_occurred_at) as first_occurred_epoch, epoch(last_occurred_at) as last_occurred_epoch
            from raw.segments where loaded_at is not null
            """
        ).df()
    return judge(frame, _segment_expectations())


def judge(frame: pd.DataFrame, expectations: list[Any]) -> Verdict:
    """Run expectations over a frame; an empty frame passes, since nothing is claimed."""
    if frame.empty:
        return Verdict(is_passed=True, failures=(), checked_rows=0)
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    batch = (
        context.data_sources.add_pandas("door").add_dataframe_asset("frame").add_batch_definition_whole_dataframe("all")
    ).get_batch({"dataframe": frame})
    failures = []
    for expectation in expectations:
        result = batch.validate(expectation)
        if not result.success:
            shown = (result.result or {}).get("partial_unexpected_list") or (result.exception_info or {})
            given = expectation.configuration.kwargs
            columns = ", ".join(given[name] for name in ("column", "column_A", "column_B") if name in given)
            failures.append(f"{expectation.expectation_type} {columns}: {shown}")
    return Verdict(is_passed=not failures, failures=tuple(failures), checked_rows=len(frame))


def _price_expectations() -> list[Any]:
    from great_expectations.expectations import core as gxe

    within = {
        "provider": list(PROVIDERS),
        "meter": list(METERS),
        "service_tier": list(SERVICE_TIERS),
        "currency": list(CURRENCIES),
        "kind": list(EVIDENCE_KINDS),
    }
    return [
        *(gxe.ExpectColumnValuesToBeInSet(column=column, value_set=values) for column, values in within.items()),
        *(gxe.ExpectColumnValuesToNotBeNull(column=c) for c in ("model", "source_url", "evidence_where", "amount")),
        gxe.ExpectColumnValuesToBeBetween(column="unit_amount", min_value=0, max_value=10_000),
    ]


def _reading_expectations() -> list[Any]:
    from great_expectations.expectations import core as gxe

    kept, factor = float(1 - VANISHED_SHARE), float(MAGNITUDE)
    return [
        gxe.ExpectColumnValuesToBeBetween(column="price_count", min_value=1),
        # A single price may be free; a page of several that all are is misread.
        gxe.ExpectColumnValuesToBeBetween(column="zero_share", max_value=1, strict_max=True),
        gxe.ExpectColumnValuesToBeBetween(column="kept_share", min_value=kept),
        gxe.ExpectColumnValuesToBeBetween(column="largest_factor", max_value=factor, strict_max=True),
    ]


def _segment_expectations() -> list[Any]:
    from great_expectations.expectations import core as gxe

    first, last = 1_577_836_800, 4_102_444_800  # 2020-01-01 to 2100-01-01: outside it a unit was misread
    return [
        gxe.ExpectColumnPairValuesToBeEqual(column_A="read_count", column_B="accounted_count"),
        gxe.ExpectColumnValuesToBeBetween(column="quarantined_share", max_value=QUARANTINE_SHARE_LIMIT),
        gxe.ExpectColumnValuesToBeBetween(column="first_occurred_epoch", min_value=first, max_value=last),
        gxe.ExpectColumnValuesToBeBetween(column="last_occurred_epoch", min_value=first, max_value=last),
    ]
