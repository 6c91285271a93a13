-- What providers say of themselves beside what our calls met. A status page counts a minute of major outage whole and
-- one of partial outage at 0.3, as Statuspage does; our own share leaves the client's mistakes out.
with outages as (

    select * from {{ source('raw', 'provider_outages') }}

),

calls as (

    select
        usage.quarter_hour_at,
        usage.provider,
        usage.attempt_count,
        case when usage.status = 'ok' then 'none' else coalesce(faults.fault, 'provider') end as fault
    from {{ ref('usage_15m') }} as usage
    left join {{ ref('error_classes') }} as faults on usage.error_class = faults.error_class

),

measured as (

    select
        {{ utc_day('quarter_hour_at') }} as occurred_on,
        provider,
        cast(sum(attempt_count) as bigint) as attempt_count,
        cast(coalesce(sum(attempt_count) filter (where fault = 'none'), 0) as bigint) as ok_count
    from calls
    where fault <> 'client' and provider is not null
    group by occurred_on, provider

)

select
    coalesce(outages.occurred_on, measured.occurred_on) as occurred_on,
    coalesce(outages.provider, measured.provider) as provider,
    outages.service,
    outages.partial_outage_minutes,
    outages.major_outage_minutes,
    1 - (outages.major_outage_minutes + 0.3 * outages.partial_outage_minutes) / 1440 as stated_availability,
    measured.attempt_count,
    measured.ok_count,
    cast(measured.ok_count / measured.attempt_count as double) as measured_availability
from outages
full join measured on outages.provider = measured.provider and outages.occurred_on = measured.occurred_on
