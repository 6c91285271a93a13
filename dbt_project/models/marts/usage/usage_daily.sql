-- What was used, by UTC day and attribution: attempts, logical requests, every meter. Days of another zone are
-- summed from the same quarter hours (`ratehouse usage --zone`).
with quarter_hours as (

    select
        *,
        {{ utc_day('quarter_hour_at') }} as occurred_on
    from {{ ref('usage_15m') }}

),

daily as (

    select
        occurred_on,
        tenant,
        project,
        team,
        provider,
        model,
        operation,
        region,
        service_tier,
        {{ usage_sums(meters()) }}
    from quarter_hours
    group by occurred_on, tenant, project, team, provider, model, operation, region, service_tier

)

select * from daily
