-- What was used, by quarter of an hour and everything a call is known by; every other usage table is summed from
-- this one. A request counts where its first attempt does, so that requests add up over any rows.
with calls as (

    select
        *,
        {{ quarter_hour('occurred_at') }} as quarter_hour_at
    from {{ ref('cost_calls') }}

),

retried as (

    select
        request_id,
        arg_min(event_id, (attempt, occurred_at, event_id)) as first_event_id
    from calls
    group by request_id
    having count(*) > 1

),

counted as (

    select
        calls.*,
        coalesce(calls.event_id = retried.first_event_id, true) as is_first_attempt
    from calls
    left join retried on calls.request_id = retried.request_id

),

quarter_hours as (

    select
        quarter_hour_at,
        {{ attributions() | join(',\n        ') }},
        status,
        error_class,
        count(*) as attempt_count,
        count(*) filter (where is_first_attempt) as request_count,
        count(*) filter (where attempt > 1) as retry_count,
        count(*) filter (where status <> 'error' and cost_status = 'not_billed') as gateway_cache_hit_count,
        count(*) filter (where usage_status in ('missing', 'unsupported')) as usage_unknown_count,
        {%- for column, meter in meters() %}
        cast(sum({{ column }}) as bigint) as {{ column }},
        {%- endfor %}
        count(*) filter (where cost_usd is null) as unpriced_count,
        count(*) filter (where is_estimated) as estimated_count,
        count(*) filter (where cost_status = 'not_billed') as not_billed_count,
        cast({{ sum_of_known('cost_usd') }} as decimal(38, 18)) as cost_usd,
        min(occurred_at) as first_at,
        max(occurred_at) as last_at
    from counted
    group by quarter_hour_at, {{ attributions() | join(', ') }}, status, error_class

)

select * from quarter_hours
