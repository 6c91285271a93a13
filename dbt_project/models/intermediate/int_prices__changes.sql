-- What a reading changed in what we believe: a price is new, changed, announced, started, called off or
-- withdrawn. Old and new are what was believed of calls at `effective_at`, before and after. A reading in
-- which no row changed leaves no trace.
with islands as (

    select * from {{ ref('int_prices__islands') }}

),

versions as (

    select * from {{ ref('int_prices__versions') }}

),

readings as (

    select * from {{ ref('int_prices__readings') }}

),

lives as (

    select * from islands where live_number is not null

),

-- The price in force beside an island at some reading: the latest begun.
beside as (

    select
        asked.island_id,
        asked.capture_number,
        max_by(others.island_id, others.starts_at) as other_id
    from (
        select island_id, source, reader_version, price_key, first_number as capture_number from islands
        union
        select island_id, source, reader_version, price_key, live_number - 1 as capture_number from lives
        union
        select island_id, source, reader_version, price_key, gone_number as capture_number from islands where gone_number is not null
    ) as asked
    inner join lives as others
        on
            asked.source = others.source
            and asked.reader_version = others.reader_version
            and asked.price_key = others.price_key
            and asked.island_id <> others.island_id
            and asked.capture_number between others.live_number and others.last_number
    group by asked.island_id, asked.capture_number

),

begun as (

    select
        lives.island_id,
        others.island_id as old_id,
        lives.live_number as capture_number,
        case when lives.first_number < lives.live_number then 'started' when others.island_id is null then 'new' else 'changed' end as what
    from lives
    left join beside on lives.island_id = beside.island_id and lives.live_number - 1 = beside.capture_number
    left join lives as others on beside.other_id = others.island_id
    where others.terms is distinct from lives.terms

),

announced as (

    select
        islands.island_id,
        beside.other_id as old_id,
        islands.first_number as capture_number,
        'announced' as what
    from islands
    left join beside on islands.island_id = beside.island_id and islands.first_number = beside.capture_number
    left join lives as others on beside.other_id = others.island_id
    where
        (islands.live_number is null or islands.first_number < islands.live_number)
        and others.terms is distinct from islands.terms

),

-- A price whose end was stated and has come is no news.
withdrawn as (

    select
        cast(null as varchar) as island_id,
        lives.island_id as old_id,
        lives.gone_number as capture_number,
        'withdrawn' as what
    from lives
    left join beside on lives.island_id = beside.island_id and lives.gone_number = beside.capture_number
    where lives.gone_number is not null and beside.other_id is null and (lives.stated_to <= lives.gone_at) is not true

),

called_off as (

    select
        beside.other_id as island_id,
        versions.island_id as old_id,
        versions.known_number as capture_number,
        'cancelled' as what
    from versions
    inner join islands on versions.island_id = islands.island_id
    left join beside on islands.island_id = beside.island_id and islands.gone_number = beside.capture_number
    where versions.status = 'cancelled'

),

moved as (

    select * from begun
    union all by name
    select * from announced
    union all by name
    select * from withdrawn
    union all by name
    select * from called_off

),

of_islands as (

    select
        moved.what,
        moved.capture_number,
        keyed.source,
        keyed.reader_version,
        keyed.price_key,
        new.terms as new_terms,
        new.starts_at as new_starts_at,
        new.unit_amount as new_unit_amount,
        old.terms as old_terms,
        old.starts_at as old_starts_at,
        old.unit_amount as old_unit_amount,
        case when moved.what = 'cancelled' then old.starts_at else coalesce(new.starts_at, old.gone_at) end as effective_at
    from moved
    left join islands as new on moved.island_id = new.island_id
    left join islands as old on moved.old_id = old.island_id
    inner join islands as keyed on coalesce(moved.island_id, moved.old_id) = keyed.island_id

),

-- Called off in so many words, of which we may never have seen the announcement.
said_cancelled as (

    select
        'cancelled' as what,
        said.known_number as capture_number,
        said.source,
        said.reader_version,
        said.price_key,
        lives.terms as new_terms,
        lives.starts_at as new_starts_at,
        lives.unit_amount as new_unit_amount,
        said.terms as old_terms,
        said.valid_from as old_starts_at,
        said.unit_amount as old_unit_amount,
        said.valid_from as effective_at
    from versions as said
    left join lives
        on
            said.source = lives.source
            and said.reader_version = lives.reader_version
            and said.price_key = lives.price_key
            and said.known_number between lives.live_number and lives.last_number
    where said.status = 'cancelled' and said.island_id is null
    qualify row_number() over (partition by said.price_id order by lives.starts_at desc) = 1

),

-- Of pages an older reader had read, its word on their changes stands; see the rereads.
final as (

    select
        events.*,
        readings.believed_at as known_at,
        readings.captured_at,
        readings.sha256,
        readings.source_url,
        readings.capture_number = 1 as is_baseline
    from (
        select * from of_islands
        union all by name
        select * from said_cancelled
    ) as events
    inner join readings
        on
            events.source = readings.source
            and events.reader_version = readings.reader_version
            and events.capture_number = readings.capture_number
    where
        not readings.is_read_before
        and (readings.believed_to is null or readings.believed_at < readings.believed_to)

)

select * from final
