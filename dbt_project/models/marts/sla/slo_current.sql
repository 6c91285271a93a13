-- How each objective stands at the newest of its five minutes: window, budget, burn rates, incidents so far. Mean time to
-- recover is over incidents that ended; between failures, the time outside incidents over their number.
with objectives as (

    select * from {{ source('raw', 'slo_objectives') }}

),

budgets as (

    select *
    from {{ ref('error_budget_daily') }}
    qualify row_number() over (partition by slo_name order by occurred_on desc) = 1

),

rates as (

    select
        *,
        min(starts_at) over (partition by slo_name) as observed_from
    from {{ ref('burn_rate_5m') }}
    qualify row_number() over (partition by slo_name order by starts_at desc) = 1

),

incidents as (

    select
        slo_name,
        count(*) as incident_count,
        max(started_at) filter (where is_open) as open_since_at,
        avg(duration_minutes) filter (where not is_open) as mttr_minutes,
        sum(duration_minutes) as breach_minutes
    from {{ ref('slo_incidents') }}
    group by slo_name

)

select
    objectives.slo_name,
    objectives.indicator,
    objectives.target,
    objectives.window_days,
    rates.observed_from,
    rates.starts_at + interval 5 minutes as observed_to,
    budgets.total_count,
    budgets.bad_count,
    cast(1 - budgets.bad_count / budgets.total_count as double) as attainment,
    budgets.budget_left_ratio,
    budgets.is_exhausted,
    budgets.exhausted_at,
    rates.burn_rate_1h,
    rates.burn_rate_6h,
    rates.burn_rate_1d,
    rates.burn_rate_3d,
    coalesce(rates.is_page, false) as is_page,
    coalesce(rates.is_ticket, false) as is_ticket,
    coalesce(rates.is_low_traffic, false) as is_low_traffic,
    coalesce(incidents.incident_count, 0) as incident_count,
    incidents.open_since_at,
    incidents.mttr_minutes,
    cast((epoch(rates.starts_at + interval 5 minutes - rates.observed_from) / 60 - incidents.breach_minutes) / incidents.incident_count as double) as mtbf_minutes
from objectives
left join budgets on objectives.slo_name = budgets.slo_name
left join rates on objectives.slo_name = rates.slo_name
left join incidents on objectives.slo_name = incidents.slo_name
