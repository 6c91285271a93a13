-- What could not be priced, and why: the list a person works through. Cost here is null, never 0.
with calls as (

    select * from {{ ref('cost_calls') }} where cost is null

),

gaps as (

    select
        provider,
        provider_reported,
        model,
        service_tier,
        cost_status,
        unpriced_meters,
        count(*) as attempt_count,
        cast(sum(input_tokens) as bigint) as input_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        cast(sum(cost_reported) filter (where cost_reported_currency = 'USD') as decimal(38, 18)) as cost_reported,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at
    from calls
    group by provider, provider_reported, model, service_tier, cost_status, unpriced_meters

)

select * from gaps
