-- Which rate card speaks for each provider, model, tier, region and tenant that calls name. Exact names first,
-- then declared aliases; nothing is guessed by prefix: what is not found stays unpriced and is listed. A tenant
-- is named here only where it has prices of its own; beside its card stands the list's.
with cards as (

    select
        card_key,
        tenant,
        provider,
        model,
        service_tier,
        region,
        currency,
        bool_or(is_contract) as has_contract
    from {{ ref('int_prices__rates') }}
    group by card_key, tenant, provider, model, service_tier, region, currency

),

tenants as (

    select distinct provider, tenant from cards where tenant is not null

),

calls as (

    select distinct
        calls.provider,
        calls.model,
        coalesce(calls.service_tier, 'standard') as service_tier,
        coalesce(calls.region, 'global') as region,
        tenants.tenant
    from {{ ref('stg_logs__calls') }} as calls
    left join tenants on calls.provider = tenants.provider and calls.tenant = tenants.tenant

),

aliases as (

    select * from {{ ref('model_aliases') }}

),

names as (

    select
        calls.*,
        calls.model as priced_model,
        'exact' as matched_by
    from calls
    union all by name
    select
        calls.*,
        aliases.model as priced_model,
        'alias' as matched_by
    from calls
    inner join aliases on calls.provider = aliases.provider and calls.model = aliases.alias

),

ranked as (

    select
        names.provider,
        names.model,
        names.service_tier,
        names.region,
        names.tenant,
        names.matched_by,
        cards.card_key,
        cards.tenant as card_tenant,
        cards.model as priced_model,
        cards.currency,
        row_number() over (
            partition by names.provider, names.model, names.service_tier, names.region, names.tenant, cards.tenant
            order by
                case names.matched_by when 'exact' then 1 else 2 end,
                case when cards.region = names.region then 1 else 2 end,
                case when cards.has_contract then 1 else 2 end,
                case when cards.currency = 'USD' then 1 else 2 end,
                cards.currency
        ) as place
    from names
    inner join cards
        on
            names.provider = cards.provider
            and names.priced_model = cards.model
            and names.service_tier = cards.service_tier
            and cards.region in (names.region, 'global')
            and (cards.tenant is null or cards.tenant = names.tenant)

),

best as (

    select
        *,
        row_number() over (
            partition by provider, model, service_tier, region, tenant
            order by
                case matched_by when 'exact' then 1 else 2 end,
                case when card_tenant is not null then 1 else 2 end
        ) as choice,
        max(case when card_tenant is null then card_key end) over (
            partition by provider, model, service_tier, region, tenant
        ) as list_key
    from ranked
    where place = 1

)

select
    provider,
    model,
    service_tier,
    region,
    tenant,
    matched_by,
    card_key,
    priced_model,
    currency,
    case when card_tenant is not null then list_key end as list_card_key
from best
where choice = 1
