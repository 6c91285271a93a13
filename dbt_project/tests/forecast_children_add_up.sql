-- A tenant is the sum of its models and the total the sum of the tenants, day by day.
with children as (

    select measure, tenant, forecast_on, forecast_usd from {{ ref('forecast_daily') }} where model <> ''
    union all
    select measure, '' as tenant, forecast_on, forecast_usd from {{ ref('forecast_daily') }} where model = '' and tenant <> ''

),

parents as (

    select measure, tenant, forecast_on, forecast_usd from {{ ref('forecast_daily') }} where model = ''

)

select
    coalesce(children.measure, parents.measure) as measure,
    coalesce(children.tenant, parents.tenant) as tenant,
    coalesce(children.forecast_on, parents.forecast_on) as forecast_on,
    sum(children.forecast_usd) as children_usd,
    any_value(parents.forecast_usd) as parent_usd
from children
full outer join parents
    on
        children.measure = parents.measure
        and children.tenant = parents.tenant
        and children.forecast_on = parents.forecast_on
group by all
having coalesce(abs(sum(children.forecast_usd) - any_value(parents.forecast_usd)) > 1e-6, true)
