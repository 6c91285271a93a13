-- What was used, by hour and every attribution.
with quarter_hours as (

    select
        *,
        {{ utc_hour('quarter_hour_at') }} as hour_at
    from {{ ref('usage_15m') }}

),

hourly as (

    select
        hour_at,
        {{ attributions() | join(',\n        ') }},
        {{ usage_sums(meters()) }}
    from quarter_hours
    group by hour_at, {{ attributions() | join(', ') }}

)

select * from hourly
