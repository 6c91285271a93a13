-- What is left of each objective's error budget at the end of each day, over its rolling window, and when it would be
-- gone. A burn rate of 1 spends a budget in just its window, which a rolling window gives back as fast: only a faster
-- burning ends somewhere, at the pace of the last three days.
with days as (

    select * from {{ ref('slo_attainment_daily') }}

),

objectives as (

    select * from {{ source('raw', 'slo_objectives') }}

),

dated as (

    select
        *,
        max(occurred_on) over () as newest_on
    from days

),

calendar as (

    select
        slo_name,
        unnest(generate_series(min(occurred_on), any_value(newest_on), interval 1 day)) as day_at
    from dated
    group by slo_name

),

windows as (

    select
        cast(calendar.day_at as date) as occurred_on,
        objectives.slo_name,
        objectives.target,
        objectives.window_days,
        cast(sum(days.total_count) as bigint) as total_count,
        cast(sum(days.total_count - days.good_count) as bigint) as bad_count,
        cast(coalesce(sum(days.total_count) filter (where days.occurred_on > calendar.day_at - interval 3 day), 0) as bigint) as total_count_3d,
        cast(coalesce(sum(days.total_count - days.good_count) filter (where days.occurred_on > calendar.day_at - interval 3 day), 0) as bigint) as bad_count_3d
    from calendar
    inner join objectives on calendar.slo_name = objectives.slo_name
    inner join days
        on
            calendar.slo_name = days.slo_name
            and days.occurred_on <= calendar.day_at
            and days.occurred_on > calendar.day_at - to_days(objectives.window_days)
    group by calendar.day_at, objectives.slo_name, objectives.target, objectives.window_days

),

spent as (

    select
        *,
        cast((1 - target) * total_count as double) as budget_count,
        cast(1 - bad_count / ((1 - target) * total_count) as double) as budget_left_ratio,
        cast(bad_count_3d / nullif((1 - target) * total_count_3d, 0) as double) as burn_rate_3d
    from windows

)

select
    occurred_on,
    slo_name,
    target,
    window_days,
    total_count,
    bad_count,
    budget_count,
    budget_left_ratio,
    burn_rate_3d,
    budget_left_ratio <= 0 as is_exhausted,
    case
        when budget_left_ratio > 0 and burn_rate_3d > 1
            then cast(occurred_on + 1 as timestamptz) + to_seconds(cast(budget_left_ratio * window_days * 86400 / burn_rate_3d as bigint))
    end as exhausted_at
from spent
