-- Spend by day and every attribution. `cost_usd` sums what is priced; `unpriced_count` says what it leaves out.
with calls as (

    select * from {{ ref('cost_calls') }}

),

daily as (

    select
        occurred_on,
        tenant,
        project,
        team,
        user_id,
        api_key_id,
        environment,
        provider,
        model,
        region,
        service_tier,
        currency,
        count(*) as attempt_count,
        count(distinct request_id) as request_count,
        count(*) filter (where status <> 'ok') as error_count,
        count(*) filter (where cost is null) as unpriced_count,
        count(*) filter (where is_estimated) as estimated_count,
        cast(sum({{ total_of(input_meters()) }}) as bigint) as input_tokens,
        cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
        cast(sum({{ total_of(['output_tokens', 'reasoning_tokens']) }}) as bigint) as output_tokens,
        cast({{ sum_of_known('cost') }} as decimal(38, 18)) as cost,
        cast({{ sum_of_known('cost_usd') }} as decimal(38, 18)) as cost_usd,
        cast({{ sum_of_known('cost_usd', "status <> 'ok'") }} as decimal(38, 18)) as failed_cost_usd,
        cast(sum(cost_reported) filter (where cost_reported_currency = 'USD') as decimal(38, 18)) as cost_reported_usd
    from calls
    group by
        occurred_on,
        tenant,
        project,
        team,
        user_id,
        api_key_id,
        environment,
        provider,
        model,
        region,
        service_tier,
        currency

)

select * from daily
