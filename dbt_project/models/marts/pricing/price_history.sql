-- Everything ever believed about a price: pages and statements under one shape.
with versions as (

    select * from {{ ref('int_prices__versions') }}

),

statements as (

    select * from {{ ref('stg_prices__statements') }}

),

observed as (

    select * exclude (reader_version, island_id, price_key, terms, known_number, unknown_number, is_believed)
    from versions
    where is_believed

),

stated as (

    select
        {{ price_id() }} as price_id,
        *
    from statements

),

unified as (

    select * from observed
    union all by name
    select * from stated

),

final as (

    select
        price_id,
        source,
        tenant,
        provider,
        model,
        model_label,
        meter,
        service_tier,
        region,
        context_from,
        context_inclusive,
        context_mode,
        window_name,
        window_definition,
        currency,
        amount,
        per_quantity,
        per_unit,
        unit_amount,
        applies_to,
        valid_from,
        valid_to,
        valid_from_basis,
        known_from,
        known_to,
        status,
        kind as evidence_kind,
        source_url,
        fetched_at,
        last_seen_at,
        sha256,
        evidence_where,
        evidence_text
    from unified

)

select * from final
