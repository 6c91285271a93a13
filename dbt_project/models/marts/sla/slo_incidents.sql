-- Incidents: contiguous five minutes in which an objective pages. Five minutes without traffic neither end one nor begin
-- one; the newest may be open.
with steps as (

    select
        *,
        lag(is_page, 1, false) over (partition by slo_name order by starts_at) as was_page
    from {{ ref('burn_rate_5m') }}
    where is_page or total_count_5m > 0

),

numbered as (

    select
        *,
        sum(cast(is_page and not was_page as integer)) over (partition by slo_name order by starts_at rows unbounded preceding) as incident_number,
        max(starts_at) over (partition by slo_name) as newest_at
    from steps

),

incidents as (

    select
        slo_name,
        cast(incident_number as bigint) as incident_number,
        min(starts_at) as started_at,
        max(starts_at) + interval 5 minutes as last_breach_at,
        max(starts_at) = max(newest_at) as is_open,
        cast(sum(total_count_5m) as bigint) as total_count,
        cast(sum(bad_count_5m) as bigint) as bad_count,
        max(burn_rate_1h) as peak_burn_rate_1h
    from numbered
    where is_page
    group by slo_name, incident_number

)

select
    slo_name,
    incident_number,
    started_at,
    case when not is_open then last_breach_at end as ended_at,
    is_open,
    cast(epoch(last_breach_at - started_at) / 60 as double) as duration_minutes,
    cast(epoch(started_at - lag(last_breach_at) over (partition by slo_name order by started_at)) / 60 as double) as minutes_since_previous,
    total_count,
    bad_count,
    peak_burn_rate_1h
from incidents
