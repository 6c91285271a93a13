-- Percentiles of a day by provider and model, merged from the quarter hours' histograms.
with buckets as (

    select
        *,
        {{ utc_day('quarter_hour_at') }} as occurred_on
    from {{ ref('latency_buckets_15m') }}

),

daily as (

    {{ histogram_percentiles('buckets', ['occurred_on', 'provider', 'model', 'measure'], percentiles()) }}

)

select * from daily
