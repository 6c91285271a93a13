-- Five minutes hold each event once, and days hold each of them too.
with totals as (

    select
        (select sum(total_count) from {{ ref('int_slo__events') }}) as total_count,
        (select sum(bad_count) from {{ ref('int_slo__events') }}) as bad_count,
        (select sum(total_count_5m) from {{ ref('burn_rate_5m') }}) as total_count_of_steps,
        (select sum(bad_count_5m) from {{ ref('burn_rate_5m') }}) as bad_count_of_steps,
        (select sum(total_count) from {{ ref('slo_attainment_daily') }}) as total_count_of_days,
        (select sum(total_count - good_count) from {{ ref('slo_attainment_daily') }}) as bad_count_of_days

)

select *
from totals
where
    total_count is distinct from total_count_of_steps
    or bad_count is distinct from bad_count_of_steps
    or total_count is distinct from total_count_of_days
    or bad_count is distinct from bad_count_of_days
