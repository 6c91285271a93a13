-- What was believed about each observed price, and when: every island as an open row while it lasted, then
-- as a closed one once a later reading showed its end. Known time is the capture's, so that the order of
-- loading does not matter. Of one price, no two rows share an instant on both axes: the last word counts.
with stated as (

    select * from {{ ref('int_prices__stated') }}

),

islands as (

    select * from {{ ref('int_prices__islands') }}

),

observations as (

    select * from {{ ref('stg_prices__observations') }}

),

readings as (

    select * from {{ ref('int_prices__readings') }}

),

-- While an island lasts, its end moves as announcements come and go: a row for each end.
members as (

    select
        islands.island_id,
        stated.capture_number,
        stated.captured_at,
        stated.is_carried,
        stated.status,
        stated.observation_id,
        stated.ends_at,
        stated.capture_number - row_number() over (
            partition by islands.island_id, stated.ends_at
            order by stated.capture_number
        ) as run_number
    from islands
    inner join stated
        on
            islands.source = stated.source
            and islands.reader_version = stated.reader_version
            and islands.price_key = stated.price_key
            and islands.terms = stated.terms
            and islands.starts_at = stated.starts_at
            and stated.status <> 'cancelled'
            and stated.capture_number between islands.first_number and islands.last_number

),

open_rows as (

    select
        island_id,
        ends_at as valid_to,
        min(capture_number) as known_number,
        max(capture_number) + 1 as unknown_number,
        arg_min(observation_id, capture_number) as observation_id,
        max(captured_at) filter (where not is_carried) as last_seen_at,
        case when bool_or(status = 'active') then 'active' else 'announced' end as status
    from members
    group by island_id, ends_at, run_number

),

-- Once gone, a price that was in force keeps the time it had. A later word about that time takes it away.
later_words as (

    select
        islands.island_id,
        islands.gone_number as known_number,
        least(islands.stated_to, islands.gone_at) as ends_at
    from islands
    where islands.gone_number is not null and islands.live_number is not null
    union all
    select
        islands.island_id,
        greatest(islands.gone_number, others.live_number) as known_number,
        others.starts_at as ends_at
    from islands
    inner join islands as others
        on
            islands.source = others.source
            and islands.reader_version = others.reader_version
            and islands.price_key = others.price_key
            and islands.island_id <> others.island_id
            and others.last_number >= islands.gone_number
            and others.starts_at < least(islands.stated_to, islands.gone_at)
    where islands.live_number is not null and others.live_number is not null

),

shortened as (

    select
        island_id,
        known_number,
        min(min(ends_at)) over (partition by island_id order by known_number) as valid_to
    from later_words
    group by island_id, known_number

),

closed_rows as (

    select
        shortened.island_id,
        shortened.known_number,
        shortened.valid_to,
        lead(shortened.known_number) over (partition by shortened.island_id order by shortened.known_number) as unknown_number
    from (
        select *
        from shortened
        qualify valid_to is distinct from lag(valid_to) over (partition by island_id order by known_number)
    ) as shortened

),

live_at_end as (

    select
        islands.island_id,
        bool_or(successors.terms = islands.terms) as is_same_terms
    from islands
    inner join islands as successors
        on
            islands.source = successors.source
            and islands.reader_version = successors.reader_version
            and islands.price_key = successors.price_key
            and successors.live_number <= islands.gone_number
            and islands.gone_number <= successors.last_number
    group by islands.island_id

),

ended as (

    select
        closed_rows.*,
        islands.last_observation_id as observation_id,
        islands.last_seen_at,
        case
            when live_at_end.island_id is not null or islands.stated_to <= islands.gone_at then 'active'
            -- Another price took its place from before the reading that lacked it: succeeded, not withdrawn.
            when closed_rows.valid_to < islands.gone_at then 'active'
            else 'withdrawn'
        end as status
    from closed_rows
    inner join islands on closed_rows.island_id = islands.island_id
    left join live_at_end on closed_rows.island_id = live_at_end.island_id

),

-- Announced, gone before anybody saw it live, and not come early either.
called_off as (

    select
        islands.island_id,
        islands.gone_number as known_number,
        cast(null as bigint) as unknown_number,
        islands.starts_at as valid_to,
        islands.last_observation_id as observation_id,
        islands.last_seen_at,
        'cancelled' as status
    from islands
    left join live_at_end on islands.island_id = live_at_end.island_id
    left join stated as said
        on
            islands.source = said.source
            and islands.reader_version = said.reader_version
            and islands.price_key = said.price_key
            and islands.terms = said.terms
            and islands.gone_number = said.capture_number
            and islands.starts_at = said.starts_at
            and said.status = 'cancelled'
    where
        islands.live_number is null
        and islands.gone_number is not null
        and live_at_end.is_same_terms is distinct from true
        and said.observation_id is null

),

of_islands as (

    select
        rows_of.*,
        islands.source,
        islands.reader_version,
        islands.price_key,
        islands.terms,
        islands.starts_at,
        islands.is_start_stated
    from (
        select * from open_rows
        union all by name
        select * from ended
        union all by name
        select * from called_off
    ) as rows_of
    inner join islands on rows_of.island_id = islands.island_id
    where rows_of.status = 'cancelled' or rows_of.valid_to is null or rows_of.valid_to > islands.starts_at

),

-- Called off in so many words: an empty stretch of valid time, known from when the page first said so.
said_cancelled as (

    select
        source,
        reader_version,
        price_key,
        terms,
        starts_at,
        starts_at as valid_to,
        true as is_start_stated,
        min(capture_number) as known_number,
        arg_min(observation_id, capture_number) as observation_id,
        max(captured_at) as last_seen_at,
        'cancelled' as status
    from stated
    where status = 'cancelled'
    group by source, reader_version, price_key, terms, starts_at

),

versions as (

    select * from of_islands
    union all by name
    select * from said_cancelled

),

-- A mended reader's belief ends the older reader's.
clipped as (

    select
        versions.* exclude (unknown_number),
        unknown.capture_number as unknown_number,
        known.believed_at as known_from,
        least(unknown.believed_at, known.believed_to) as known_to
    from versions
    inner join readings as known
        on
            versions.source = known.source
            and versions.reader_version = known.reader_version
            and versions.known_number = known.capture_number
    left join readings as unknown
        on
            versions.source = unknown.source
            and versions.reader_version = unknown.reader_version
            and versions.unknown_number = unknown.capture_number

),

believed as (

    select
        cast(null as varchar) as tenant,
        clipped.source,
        clipped.reader_version,
        clipped.island_id,
        clipped.price_key,
        clipped.terms,
        observations.provider,
        observations.model,
        observations.model_label,
        observations.meter,
        observations.service_tier,
        observations.region,
        observations.context_from,
        observations.context_inclusive,
        observations.context_mode,
        observations.window_name,
        observations.window_definition,
        observations.currency,
        observations.amount,
        observations.per_quantity,
        observations.per_unit,
        observations.unit_amount,
        observations.applies_to,
        clipped.starts_at as valid_from,
        clipped.valid_to,
        case when clipped.is_start_stated then 'stated' else 'first_observed' end as valid_from_basis,
        clipped.known_number,
        clipped.unknown_number,
        clipped.known_from,
        clipped.known_to,
        clipped.status,
        observations.kind,
        observations.source_url,
        observations.captured_at as fetched_at,
        clipped.last_seen_at,
        observations.sha256,
        observations.evidence_where,
        observations.evidence_text
    from clipped
    inner join observations on clipped.observation_id = observations.observation_id

),

final as (

    select
        {{ price_id() }} as price_id,
        known_to is null or known_from < known_to as is_believed,
        *
    from believed

)

select * from final
