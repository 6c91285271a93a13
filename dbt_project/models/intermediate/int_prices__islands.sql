-- Unbroken runs of readings in which one source states one price with one start. Bytes of a page change on
-- every fetch; only a change of a parsed row begins a new island, and a price that was announced and goes
-- live is still the same one. What is called off on the page is left to the versions.
with stated as (

    select * from {{ ref('int_prices__stated') }} where status <> 'cancelled'

),

readings as (

    select * from {{ ref('int_prices__readings') }}

),

numbered as (

    select
        *,
        capture_number - row_number() over (
            partition by source, reader_version, price_key, terms, starts_at
            order by capture_number
        ) as run_number
    from stated

),

islands as (

    select
        source,
        reader_version,
        price_key,
        terms,
        starts_at,
        min(unit_amount) as unit_amount,
        bool_or(is_start_stated) as is_start_stated,
        min(capture_number) as first_number,
        max(capture_number) as last_number,
        min(capture_number) filter (where status = 'active') as live_number,
        min(captured_at) as first_seen_at,
        min(captured_at) filter (where status = 'active') as live_at,
        max(captured_at) filter (where not is_carried) as last_seen_at,
        last(live_to order by capture_number) as stated_to,
        arg_min(observation_id, capture_number) as first_observation_id,
        arg_max(observation_id, capture_number) as last_observation_id
    from numbered
    group by source, reader_version, price_key, terms, starts_at, run_number

),

-- The reading after the island's last one is when we learned that it no longer holds.
final as (

    select
        {{ row_id(['islands.source', 'islands.reader_version', 'islands.price_key', 'islands.terms', 'islands.starts_at', 'islands.first_number']) }} as island_id,
        islands.*,
        following.capture_number as gone_number,
        following.captured_at as gone_at
    from islands
    left join readings as following
        on
            islands.source = following.source
            and islands.reader_version = following.reader_version
            and islands.last_number + 1 = following.capture_number

)

select * from final
