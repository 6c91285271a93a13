-- Calls whose computed cost is not what the source reported, each with the likeliest reason.
with calls as (

    select *
    from {{ ref('cost_calls') }}
    where cost_usd is not null and cost_reported is not null and cost_reported_currency = 'USD'

),

different as (

    select
        event_id,
        source,
        occurred_at,
        tenant,
        provider,
        model,
        input_tokens,
        cache_read_tokens,
        output_tokens,
        cost_usd,
        cost_reported,
        cost_usd - cost_reported as difference_usd,
        cast(cost_reported as double) / nullif(cast(cost_usd as double), 0) as reported_ratio,
        cost_status
    from calls
    where abs(cost_usd - cost_reported) > 0.000000001

),

explained as (

    select
        *,
        case
            when cost_status = 'not_billed' then 'nothing is billed: the attempt was refused, or a gateway''s cache answered'
            when cost_status = 'estimated' then 'priced before the first known price'
            when cost_reported = 0 then 'the source computed no cost'
            when reported_ratio between 0.05 and 1 and coalesce(cache_read_tokens, 0) = 0 then 'lower than list: cached tokens the log does not show, or an older price'
            when reported_ratio > 1 and reported_ratio < 10 then 'higher than list: cache writes the log does not show, or a later price'
            else 'the source''s own figure is out of range'
        end as likely_reason
    from different

)

select * from explained
