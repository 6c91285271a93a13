-- Good readings in order, each knowing the next one of the same source and reader version.
with captures as (

    select * from {{ source('raw', 'price_captures') }} where status = 'accepted'

),

-- A capture taken at the same instant twice is one point in time.
ordered as (

    select
        reading_id,
        source,
        reader_version,
        kind,
        source_url,
        captured_at,
        greatest(captured_at, coalesce(decided_at, captured_at)) as believed_at,
        sha256,
        read_at,
        dense_rank() over (partition by source, reader_version order by captured_at) as capture_number
    from captures

),

mended as (

    select
        source,
        reader_version,
        min(read_at) as first_read_at,
        row_number() over (partition by source order by reader_version) as version_number
    from captures
    group by source, reader_version

),

-- The first reader's word counts from the capture itself; a mended reader's from when it first spoke.
believed as (

    select
        source,
        reader_version,
        case when version_number = 1 then {{ instant('0001-01-01') }} else first_read_at end as believed_from,
        lead(first_read_at) over (partition by source order by reader_version) as believed_to
    from mended

),

final as (

    select
        ordered.*,
        believed.believed_from,
        believed.believed_to
    from ordered
    inner join believed on ordered.source = believed.source and ordered.reader_version = believed.reader_version

)

select * from final
