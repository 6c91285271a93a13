-- How each objective did each day. A day without traffic has no row rather than a perfect score.
with events as (

    select
        slo_name,
        {{ utc_day('starts_at') }} as occurred_on,
        cast(sum(total_count) as bigint) as total_count,
        cast(sum(good_count) as bigint) as good_count
    from {{ ref('int_slo__events') }}
    group by slo_name, occurred_on

),

objectives as (

    select * from {{ source('raw', 'slo_objectives') }}

)

select
    events.occurred_on,
    objectives.slo_name,
    objectives.indicator,
    objectives.provider,
    objectives.model,
    objectives.tenant,
    objectives.region,
    objectives.threshold_ms,
    objectives.target,
    objectives.budgeting_method,
    events.total_count,
    events.good_count,
    cast(events.good_count / events.total_count as double) as attainment,
    events.good_count >= objectives.target * events.total_count as is_met,
    cast(1 - (events.total_count - events.good_count) / ((1 - objectives.target) * events.total_count) as double) as budget_left_ratio
from events
inner join objectives on events.slo_name = objectives.slo_name
