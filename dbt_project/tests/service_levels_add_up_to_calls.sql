-- Codes, error classes, retries and histograms hold each call they speak of once, and its money.
with totals as (

    select
        count(*) as attempt_count,
        count(*) filter (where status <> 'ok') as error_count,
        count(*) filter (where status in ('ok', 'stream_broken') and latency_ms >= 0) as latency_count,
        count(*) filter (where status in ('ok', 'stream_broken') and ttft_ms >= 0) as ttft_count,
        sum(cost_usd) filter (where status <> 'ok') as failed_cost_usd
    from {{ ref('cost_calls') }}

)

select *
from totals
where
    attempt_count <> (select coalesce(sum(attempt_count), 0) from {{ ref('status_codes_hourly') }})
    or attempt_count <> (select coalesce(sum(attempt_count), 0) from {{ ref('retries_daily') }})
    or error_count <> (select coalesce(sum(attempt_count), 0) from {{ ref('errors_hourly') }})
    or coalesce(failed_cost_usd, 0) <> (select coalesce(sum(cost_usd), 0) from {{ ref('errors_hourly') }})
    or coalesce(failed_cost_usd, 0) <> (select coalesce(sum(failed_cost_usd), 0) from {{ ref('retries_daily') }})
    {%- for measure in ['latency', 'ttft'] %}
    or {{ measure }}_count <> (select coalesce(sum(sample_count), 0) from {{ ref('latency_buckets_15m') }} where measure = '{{ measure }}_ms')
    or {{ measure }}_count <> (select coalesce(sum(sample_count), 0) from {{ ref('latency_daily') }} where measure = '{{ measure }}_ms')
    or {{ measure }}_count <> (select coalesce(sum(up_to_count), 0) from {{ ref('latency_bucket_sets_daily') }} where measure = '{{ measure }}_ms' and bucket_set = 'prometheus' and upper_bound is null)
    {%- endfor %}
