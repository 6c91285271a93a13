-- What each good reading states of each price: since when, and until when as far as that page goes. An entry
-- that a reading could not read is taken as it last stood, so that silence is never read as a withdrawal.
with observations as (

    select * from {{ ref('stg_prices__observations') }}

),

readings as (

    select * from {{ ref('stg_prices__readings') }}

),

points as (

    select * from {{ ref('int_prices__readings') }}

),

skips as (

    select * from {{ ref('stg_prices__skips') }}

),

observed as (

    select
        observations.observation_id,
        observations.unit_amount,
        observations.model,
        observations.provider,
        observations.meter,
        observations.evidence_where,
        observations.valid_from,
        observations.valid_to,
        observations.status,
        observations.is_carried,
        readings.source,
        readings.reader_version,
        readings.capture_number,
        readings.sha256 as reading_sha256,
        {{ price_key() }} as price_key,
        {{ row_id(['unit_amount', 'per_unit', 'context_inclusive', 'context_mode', 'window_definition']) }} as terms
    from observations
    inner join readings on observations.reading_id = readings.reading_id

),

-- Two captures of one instant are one point in time; where they differ, the later hash stands, so that the
-- order of loading does not matter.
standing as (

    select * exclude (reading_sha256)
    from observed
    qualify rank() over (partition by source, reader_version, price_key, capture_number order by reading_sha256 desc) = 1

),

-- Unbroken runs of readings that skipped an entry; the reading before the run is the last that knew it.
skipped as (

    select
        *,
        min(capture_number) over (partition by source, reader_version, entry, run_number) - 1 as known_number
    from (
        select
            *,
            capture_number - row_number() over (partition by source, reader_version, entry order by capture_number) as run_number
        from skips
    ) as runs

),

-- The names a list may call an entry by, of those lists that skip any.
named as (

    select
        standing.*,
        unnest([
            model,
            concat(provider, '/', model),
            concat_ws(' ', provider, model, meter),
            split_part(evidence_where, ' / ', 1),
            split_part(evidence_where, ' / ', 2)
        ]) as entry
    from standing
    where source in (select distinct skips.source from skips)

),

kept as (

    select distinct
        named.* exclude (entry, capture_number, is_carried),
        skipped.capture_number,
        true as is_carried
    from skipped
    inner join named
        on
            skipped.source = named.source
            and skipped.reader_version = named.reader_version
            and skipped.entry = named.entry
            and skipped.known_number = named.capture_number
    left join standing
        on
            skipped.source = standing.source
            and skipped.reader_version = standing.reader_version
            and skipped.capture_number = standing.capture_number
            and named.price_key = standing.price_key
    where standing.observation_id is null

),

unified as (

    select
        *,
        true as is_read
    from standing
    union all by name
    select
        *,
        false as is_read
    from kept

),

-- A price whose announced day has come is in force when a page states it, whatever it calls it.
timed as (

    select
        unified.* exclude (status, model, provider, meter, evidence_where, is_read),
        points.captured_at,
        case
            when unified.is_read and unified.status = 'announced' and unified.valid_from <= points.captured_at then 'active'
            else unified.status
        end as status
    from unified
    inner join points
        on
            unified.source = points.source
            and unified.reader_version = points.reader_version
            and unified.capture_number = points.capture_number

),

numbered as (

    select
        *,
        capture_number - dense_rank() over (
            partition by source, reader_version, price_key, status, terms
            order by capture_number
        ) as run_number
    from timed

),

-- A live price began when the page says; else when an earlier page announced it for; else when first seen.
announced as (

    select
        live.source,
        live.reader_version,
        live.price_key,
        live.terms,
        live.run_number,
        max(notices.valid_from) as announced_from
    from (
        select source, reader_version, price_key, terms, run_number, min(capture_number) as first_number, min(captured_at) as first_at
        from numbered
        where status = 'active'
        group by source, reader_version, price_key, terms, run_number
    ) as live
    inner join numbered as notices
        on
            live.source = notices.source
            and live.reader_version = notices.reader_version
            and live.price_key = notices.price_key
            and live.terms = notices.terms
            and live.first_number - 1 = notices.capture_number
            and notices.status = 'announced'
            and notices.valid_from <= live.first_at
    group by live.source, live.reader_version, live.price_key, live.terms, live.run_number

),

started as (

    select
        numbered.*,
        case
            when numbered.status = 'active' then coalesce(
                last_value(numbered.valid_from ignore nulls) over run,
                announced.announced_from
            )
            else numbered.valid_from
        end as stated_from,
        min(numbered.captured_at) over run as first_seen_at
    from numbered
    left join announced
        on
            numbered.status = 'active'
            and numbered.source = announced.source
            and numbered.reader_version = announced.reader_version
            and numbered.price_key = announced.price_key
            and numbered.terms = announced.terms
            and numbered.run_number = announced.run_number
    window run as (
        partition by numbered.source, numbered.reader_version, numbered.price_key, numbered.status, numbered.terms, numbered.run_number
        order by numbered.capture_number, numbered.valid_from nulls first
        rows between unbounded preceding and current row
    )

),

dated as (

    select
        * exclude (run_number, stated_from, first_seen_at, valid_from),
        coalesce(stated_from, first_seen_at) as starts_at,
        stated_from is not null as is_start_stated
    from started

),

one_per_start as (

    select *
    from dated
    qualify
        row_number() over (
            partition by source, reader_version, price_key, capture_number, status = 'cancelled', terms, starts_at
            order by status asc, observation_id asc
        ) = 1

),

-- Of what one reading states of one price, each holds until the next begins; `live_to` leaves out what is
-- only announced and may never come.
final as (

    select
        *,
        least(valid_to, lead(starts_at) over alike) as ends_at,
        case
            when status = 'active' then least(
                valid_to,
                lead(starts_at) over (
                    partition by source, reader_version, price_key, capture_number, status
                    order by starts_at asc, terms asc
                )
            )
        end as live_to
    from one_per_start
    window alike as (
        partition by source, reader_version, price_key, capture_number, status = 'cancelled'
        order by starts_at asc, terms asc
    )

)

select * from final
