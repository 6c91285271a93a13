-- How fast each objective spends its error budget, every five minutes over Google's windows: the share of bad events in
-- the window over the share the target allows. Without events in a window there is no rate. An alert needs
-- `minimum_events` in its long window; one that fires but for that is only low traffic.
with events as (

    select * from {{ ref('int_slo__events') }}

),

objectives as (

    select * from {{ source('raw', 'slo_objectives') }}

),

dated as (

    select
        *,
        max(starts_at) over () as newest_at
    from events

),

steps as (

    select
        slo_name,
        unnest(generate_series(min(starts_at), any_value(newest_at), interval 5 minutes)) as starts_at
    from dated
    group by slo_name

),

running as (

    select
        steps.slo_name,
        steps.starts_at,
        objectives.target,
        objectives.minimum_events,
        coalesce(events.total_count, 0) as total_count,
        coalesce(events.bad_count, 0) as bad_count,
        sum(coalesce(events.total_count, 0)) over (partition by steps.slo_name order by steps.starts_at rows unbounded preceding) as total_so_far,
        sum(coalesce(events.bad_count, 0)) over (partition by steps.slo_name order by steps.starts_at rows unbounded preceding) as bad_so_far
    from steps
    inner join objectives on steps.slo_name = objectives.slo_name
    left join events on steps.slo_name = events.slo_name and steps.starts_at = events.starts_at

),

windows as (

    select
        slo_name,
        starts_at,
        target,
        minimum_events,
        {%- for name, steps in burn_windows() %}
        cast(total_so_far - lag(total_so_far, {{ steps }}, 0) over (partition by slo_name order by starts_at) as bigint) as total_count_{{ name }},
        cast(bad_so_far - lag(bad_so_far, {{ steps }}, 0) over (partition by slo_name order by starts_at) as bigint) as bad_count_{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from running

)

select
    slo_name,
    starts_at,
    {%- for name, steps in burn_windows() %}
    total_count_{{ name }},
    bad_count_{{ name }},
    cast(bad_count_{{ name }} / nullif((1 - target) * total_count_{{ name }}, 0) as double) as burn_rate_{{ name }},
    {%- endfor %}
    {{ is_burning('page', 'total_count_LONG >= minimum_events') }} as is_page,
    {{ is_burning('ticket', 'total_count_LONG >= minimum_events') }} as is_ticket,
    {{ is_burning('page', 'total_count_LONG < minimum_events') }} or {{ is_burning('ticket', 'total_count_LONG < minimum_events') }} as is_low_traffic
from windows
