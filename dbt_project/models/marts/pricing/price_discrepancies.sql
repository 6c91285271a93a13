-- Where another source's current word on one price differs from the one that decides: the seller's own page
-- before a list. Models are compared under one name only where that is declared; a seller's price is only
-- ever compared with the same seller's, so what a reseller asks never speaks against the maker.
with history as (

    select * from {{ ref('price_history') }}

),

effective as (

    select * from {{ ref('int_prices__effective') }}

),

aliases as (

    select * from {{ ref('model_aliases') }}

),

-- Since when a source is believed to say so: its row may have been split by announcements since.
dated as (

    select
        *,
        min(known_from) over (
            partition by source, provider, model, meter, service_tier, region, context_from, window_name, currency, applies_to, unit_amount, valid_from
        ) as said_since
    from history
    where status <> 'cancelled' and tenant is null

),

current_words as (

    select
        dated.*,
        coalesce(aliases.model, dated.model) as canonical_model,
        {{ row_id(['dated.provider', 'coalesce(aliases.model, dated.model)', 'dated.meter', 'dated.service_tier', 'dated.region', 'dated.context_from', 'dated.window_name', 'dated.currency', 'dated.applies_to']) }} as compared_key
    from dated
    left join aliases on dated.provider = aliases.provider and dated.model = aliases.alias
    where
        dated.known_from <= {{ as_known_at() }}
        and coalesce(dated.known_to, {{ instant('9999-12-31 23:59:59+00') }}) > {{ as_known_at() }}
        and dated.valid_from <= current_timestamp
        and (dated.valid_to is null or dated.valid_to > current_timestamp)

),

deciding as (

    select current_words.*
    from current_words
    inner join effective
        on
            current_words.price_id = effective.price_id
            and effective.valid_from <= current_timestamp
            and (effective.valid_to is null or effective.valid_to > current_timestamp)

),

final as (

    select
        deciding.provider,
        deciding.canonical_model as model,
        deciding.meter,
        deciding.service_tier,
        deciding.region,
        deciding.context_from,
        deciding.window_name,
        deciding.currency,
        deciding.applies_to,
        deciding.source as deciding_source,
        deciding.evidence_kind as deciding_kind,
        deciding.unit_amount as deciding_unit_amount,
        deciding.last_seen_at as deciding_last_seen_at,
        deciding.price_id as deciding_price_id,
        others.source as other_source,
        others.evidence_kind as other_kind,
        others.model as other_model,
        others.unit_amount as other_unit_amount,
        others.last_seen_at as other_last_seen_at,
        others.price_id as other_price_id,
        cast(others.unit_amount / nullif(deciding.unit_amount, 0) as double) as ratio,
        greatest(deciding.said_since, others.said_since) as known_since,
        deciding.source_url as deciding_source_url,
        deciding.sha256 as deciding_sha256,
        deciding.evidence_where as deciding_evidence_where,
        others.source_url as other_source_url,
        others.sha256 as other_sha256,
        others.evidence_where as other_evidence_where
    from deciding
    inner join current_words as others
        on
            deciding.compared_key = others.compared_key
            and deciding.source <> others.source
            and deciding.unit_amount <> others.unit_amount

)

select * from final
