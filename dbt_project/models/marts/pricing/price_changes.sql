-- One row per change of a believed price, on the axis of known time, with the belief before and after it.
with changes as (

    select * from {{ ref('int_prices__changes') }}

),

rereads as (

    select * from {{ ref('int_prices__rereads') }}

),

versions as (

    select * from {{ ref('int_prices__versions') }} where is_believed

),

stated as (

    select * from {{ ref('int_prices__stated') }}

),

observations as (

    select * from {{ ref('stg_prices__observations') }}

),

events as (

    select
        {{ row_id(['source', 'reader_version', 'price_key', 'what', 'known_at', 'effective_at', 'old_terms', 'new_terms']) }} as change_id,
        *
    from (
        select * from changes
        union all by name
        select * from rereads
    ) as both_kinds

),

-- The rows of the book on either side.
before as (

    select
        events.change_id,
        max(versions.price_id) as price_id
    from events
    inner join versions
        on
            events.source = versions.source
            and events.price_key = versions.price_key
            and events.old_terms = versions.terms
            and events.old_starts_at = versions.valid_from
            and versions.known_from < events.known_at
            and (versions.known_to is null or versions.known_to >= events.known_at)
    group by events.change_id

),

after as (

    select
        events.change_id,
        max(versions.price_id) as price_id
    from events
    inner join versions
        on
            events.source = versions.source
            and events.price_key = versions.price_key
            and events.new_terms = versions.terms
            and events.new_starts_at = versions.valid_from
            and versions.known_from <= events.known_at
            and (versions.known_to is null or versions.known_to > events.known_at)
    group by events.change_id

),

-- The cell that says so; a price that is gone has none.
cells as (

    select
        events.change_id,
        observations.evidence_where,
        observations.evidence_text
    from events
    inner join stated
        on
            events.source = stated.source
            and events.reader_version = stated.reader_version
            and events.capture_number = stated.capture_number
            and events.price_key = stated.price_key
            and events.new_terms = stated.terms
            and events.new_starts_at = stated.starts_at
    inner join observations on stated.observation_id = observations.observation_id

),

keys as (

    select distinct
        price_key,
        provider,
        model,
        meter,
        service_tier,
        region,
        context_from,
        window_name,
        currency,
        applies_to
    from versions

),

final as (

    select
        events.change_id,
        events.what,
        events.is_baseline,
        events.source,
        keys.provider,
        keys.model,
        keys.meter,
        keys.service_tier,
        keys.region,
        keys.context_from,
        keys.window_name,
        keys.currency,
        keys.applies_to,
        events.old_unit_amount,
        events.new_unit_amount,
        cast(events.new_unit_amount / nullif(events.old_unit_amount, 0) as double) as ratio,
        events.effective_at,
        events.known_at,
        before.price_id as old_price_id,
        after.price_id as new_price_id,
        events.source_url,
        events.captured_at as fetched_at,
        events.sha256,
        cells.evidence_where,
        cells.evidence_text
    from events
    inner join keys on events.price_key = keys.price_key
    left join before on events.change_id = before.change_id
    left join after on events.change_id = after.change_id
    left join cells on events.change_id = cells.change_id

)

select * from final
