-- What each objective judges, in steps of five minutes. By occurrences an event is an attempt; by time slices it is a
-- slice with traffic, good where enough of it was, and stands in the slice's last five minutes. A client's own mistakes
-- are outside availability and the times: neither good nor bad.
with calls as (

    select
        {{ five_minutes('occurred_at') }} as starts_at,
        provider,
        model,
        tenant,
        region,
        status,
        error_class,
        latency_ms,
        ttft_ms
    from {{ ref('cost_calls') }}

),

objectives as (

    select * from {{ source('raw', 'slo_objectives') }}

),

faults as (

    select * from {{ ref('error_classes') }}

),

judged as (

    select
        calls.*,
        case when calls.status = 'ok' then 'none' else coalesce(faults.fault, 'provider') end as fault
    from calls
    left join faults on calls.error_class = faults.error_class

),

attempts as (

    select
        objectives.slo_name,
        judged.starts_at,
        count(*) as total_count,
        count(*) filter (
            where
            case objectives.indicator
                when 'latency' then judged.latency_ms <= objectives.threshold_ms
                when 'time_to_first_token' then judged.ttft_ms <= objectives.threshold_ms
                else judged.fault = 'none'
            end
        ) as good_count
    from objectives
    inner join judged
        on
            (objectives.provider is null or objectives.provider = judged.provider)
            and (objectives.model is null or objectives.model = judged.model)
            and (objectives.tenant is null or objectives.tenant = judged.tenant)
            and (objectives.region is null or objectives.region = judged.region)
            and (objectives.indicator = 'error_rate' or judged.fault <> 'client')
            and (objectives.indicator in ('availability', 'error_rate') or judged.status = 'ok')
            and (objectives.indicator <> 'time_to_first_token' or judged.ttft_ms is not null)
            and (objectives.indicator <> 'latency' or judged.latency_ms is not null)
    group by objectives.slo_name, judged.starts_at

),

slices as (

    select
        attempts.slo_name,
        attempts.total_count,
        attempts.good_count,
        objectives.slice_target,
        to_timestamp(epoch(attempts.starts_at) // (objectives.slice_minutes * 60) * (objectives.slice_minutes * 60) + (objectives.slice_minutes - 5) * 60) as starts_at
    from attempts
    inner join objectives on attempts.slo_name = objectives.slo_name and objectives.budgeting_method = 'Timeslices'

),

judged_slices as (

    select
        slo_name,
        starts_at,
        sum(good_count) >= any_value(slice_target) * sum(total_count) as is_good
    from slices
    group by slo_name, starts_at

),

events as (

    select
        attempts.slo_name,
        attempts.starts_at,
        attempts.total_count,
        attempts.good_count
    from attempts
    inner join objectives on attempts.slo_name = objectives.slo_name and objectives.budgeting_method = 'Occurrences'
    union all
    select
        slo_name,
        starts_at,
        1 as total_count,
        cast(is_good as bigint) as good_count
    from judged_slices

)

select
    slo_name,
    starts_at,
    total_count,
    good_count,
    total_count - good_count as bad_count
from events
