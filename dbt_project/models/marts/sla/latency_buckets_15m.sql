-- Latency, time to first token and output speed as counts per log-histogram bucket. Merging over any time and grouping
-- is summing counts per bucket, and any quantile read from the sums is within 1 %.
with calls as (

    select
        {{ quarter_hour('occurred_at') }} as quarter_hour_at,
        {{ histogram_dimensions() | join(',\n        ') }},
        latency_ms,
        ttft_ms,
        {{ output_tokens_per_second(total_of(['output_tokens', 'reasoning_tokens'])) }} as output_tokens_per_second
    from {{ ref('cost_calls') }}
    where status in ('ok', 'stream_broken')

),

measured as (

    {%- for measure in ['latency_ms', 'ttft_ms', 'output_tokens_per_second'] %}
    select
        quarter_hour_at,
        {{ histogram_dimensions() | join(',\n        ') }},
        '{{ measure }}' as measure,
        {{ log_bucket(measure) }} as bucket
    from calls
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

buckets as (

    select
        quarter_hour_at,
        {{ histogram_dimensions() | join(',\n        ') }},
        measure,
        bucket,
        count(*) as sample_count
    from measured
    where bucket is not null
    group by quarter_hour_at, {{ histogram_dimensions() | join(', ') }}, measure, bucket

)

select * from buckets
