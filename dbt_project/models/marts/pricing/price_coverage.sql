-- Which source speaks for which price: whether it still does, and how old its last word is.
with history as (

    select * from {{ ref('price_history') }}

),

final as (

    select
        provider,
        model,
        meter,
        source,
        evidence_kind,
        coalesce(evidence_kind in ('official_page', 'official_api'), false) as is_official,
        {{ precedence() }} is not null as is_deciding,
        count(*) filter (
            where
            status <> 'cancelled'
            and known_to is null
            and valid_from <= current_timestamp
            and (valid_to is null or valid_to > current_timestamp)
        ) as current_prices,
        current_prices > 0 as has_current_price,
        max(last_seen_at) as last_seen_at,
        date_diff('day', max(last_seen_at), current_timestamp) as age_days
    from history
    where tenant is null
    group by provider, model, meter, source, evidence_kind

)

select * from final
