-- The good readings of each source as points in time: when the page was captured, when it was believed, and
-- whether an earlier version of the reader had come as far.
with readings as (

    select * from {{ ref('stg_prices__readings') }}

),

-- Captures of one instant are one point; the later hash speaks for it.
points as (

    select
        source,
        reader_version,
        capture_number,
        captured_at,
        believed_from,
        believed_to,
        min(believed_at) as believed_at,
        max(sha256) as sha256,
        arg_max(source_url, sha256) as source_url
    from readings
    group by source, reader_version, capture_number, captured_at, believed_from, believed_to

),

reached as (

    select
        source,
        reader_version,
        lag(max(captured_at)) over (partition by source order by reader_version) as reached_at
    from readings
    group by source, reader_version

),

-- Believed at its capture, or once a person let it in, but never after a later reading was; a mended
-- reader's word counts from when it first spoke.
final as (

    select
        points.* exclude (believed_at),
        greatest(
            points.believed_from,
            min(points.believed_at) over (
                partition by points.source, points.reader_version
                order by points.capture_number
                rows between current row and unbounded following
            )
        ) as believed_at,
        coalesce(points.captured_at <= reached.reached_at, false) as is_read_before
    from points
    inner join reached on points.source = reached.source and points.reader_version = reached.reader_version

)

select * from final
