-- Entries of lists that a good reading understood or not and could make no row of: nothing is known of them.
with skips as (

    select * from {{ source('raw', 'price_skips') }}

),

readings as (

    select * from {{ ref('stg_prices__readings') }}

),

final as (

    select distinct
        readings.source,
        readings.reader_version,
        readings.capture_number,
        skips.entry
    from skips
    inner join readings on skips.reading_id = readings.reading_id

)

select * from final
