-- Whether trying again helps: success by attempt number, and the money failed attempts cost.
with calls as (

    select * from {{ ref('cost_calls') }}

),

daily as (

    select
        occurred_on,
        provider,
        model,
        attempt,
        count(*) as attempt_count,
        count(*) filter (where status = 'ok') as ok_count,
        cast(count(*) filter (where status = 'ok') / count(*) as double) as success_ratio,
        count(*) filter (where status <> 'ok' and cost_usd is null) as failed_unpriced_count,
        cast({{ sum_of_known('cost_usd', "status <> 'ok'") }} as decimal(38, 18)) as failed_cost_usd
    from calls
    group by occurred_on, provider, model, attempt

)

select * from daily
