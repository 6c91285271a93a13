-- What went wrong by hour and class: when, for whom, at what cost, and how much of it no class is known for.
with quarter_hours as (

    select
        *,
        {{ utc_hour('quarter_hour_at') }} as hour_at,
        case when status <> 'ok' then coalesce(error_class, 'unknown') end as failure_class
    from {{ ref('usage_15m') }}

),

classes as (

    select
        hour_at,
        provider,
        model,
        failure_class as error_class,
        cast(sum(attempt_count) as bigint) as attempt_count,
        min(first_at) as first_seen_at,
        max(last_at) as last_seen_at,
        count(distinct tenant) as tenant_count,
        count(distinct user_id) as user_count,
        cast(sum(unpriced_count) as bigint) as unpriced_count,
        cast({{ usage_cost_usd() }} as decimal(38, 18)) as cost_usd
    from quarter_hours
    group by hour_at, provider, model, failure_class

),

shares as (

    select
        *,
        sum(attempt_count) over (partition by hour_at, provider, model) as all_count,
        sum(attempt_count) filter (where error_class is not null) over (partition by hour_at, provider, model) as error_count,
        sum(attempt_count) filter (where error_class = 'unknown') over (partition by hour_at, provider, model) as unknown_count
    from classes

)

select
    shares.hour_at,
    shares.provider,
    shares.model,
    shares.error_class,
    faults.fault,
    shares.attempt_count,
    shares.first_seen_at,
    shares.last_seen_at,
    shares.tenant_count,
    shares.user_count,
    shares.unpriced_count,
    shares.cost_usd,
    cast(shares.attempt_count / shares.all_count as double) as share_of_attempts,
    cast(coalesce(shares.unknown_count, 0) / shares.error_count as double) as share_unknown
from shares
left join {{ ref('error_classes') }} as faults on shares.error_class = faults.error_class
where shares.error_class is not null
