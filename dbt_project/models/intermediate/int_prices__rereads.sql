-- What a mended reader makes of the pages the older one had read, wherever their words on one price and one
-- time differ. That is our mistake set right, not a change by the vendor.
with versions as (

    select * from {{ ref('int_prices__versions') }} where status <> 'cancelled'

),

readings as (

    select * from {{ ref('int_prices__readings') }}

),

-- The newest page both have read: the last of the older reader's, and where the newer one stood at it.
readers as (

    select
        source,
        reader_version,
        lag(reader_version) over (partition by source order by reader_version) as older_version,
        max(capture_number) filter (where is_read_before) as common_number,
        min(believed_from) as believed_from
    from readings
    group by source, reader_version

),

newer as (

    select versions.*
    from versions
    inner join readers on versions.source = readers.source and versions.reader_version = readers.reader_version
    where
        versions.known_number <= readers.common_number
        and (versions.unknown_number is null or versions.unknown_number > readers.common_number)

),

older as (

    select
        versions.*,
        readers.reader_version as newer_version
    from versions
    inner join readers on versions.source = readers.source and versions.reader_version = readers.older_version
    where versions.unknown_number is null and readers.common_number is not null

),

pairs as (

    select
        coalesce(newer.source, older.source) as source,
        coalesce(newer.reader_version, older.newer_version) as reader_version,
        coalesce(newer.price_key, older.price_key) as price_key,
        newer.terms as new_terms,
        newer.valid_from as new_starts_at,
        newer.unit_amount as new_unit_amount,
        older.terms as old_terms,
        older.valid_from as old_starts_at,
        older.unit_amount as old_unit_amount
    from newer
    full outer join older
        on
            newer.source = older.source
            and newer.reader_version = older.newer_version
            and newer.price_key = older.price_key
            and (newer.valid_to is null or older.valid_from < newer.valid_to)
            and (older.valid_to is null or newer.valid_from < older.valid_to)

),

final as (

    select
        'reread' as what,
        pairs.*,
        greatest(pairs.new_starts_at, pairs.old_starts_at) as effective_at,
        readers.common_number as capture_number,
        readers.believed_from as known_at,
        readings.captured_at,
        readings.sha256,
        readings.source_url,
        false as is_baseline
    from pairs
    inner join readers on pairs.source = readers.source and pairs.reader_version = readers.reader_version
    inner join readings
        on
            readers.source = readings.source
            and readers.reader_version = readings.reader_version
            and readers.common_number = readings.capture_number
    where pairs.new_terms is distinct from pairs.old_terms

)

select * from final
