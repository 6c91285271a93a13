-- The rates each rate card is made of: one row per card and price, its factors multiplied in. A card is for one
-- seller, model, tier, region and currency, and for one tenant where that tenant has prices of its own. A
-- price under a factor stands before the same price without it, which holds where the factor does not.
with effective as (

    select
        *,
        -- No rate known is near 100 for one unit; the engine may cast before it filters, so the cast is guarded.
        case when unit_amount < 100 then cast(unit_amount as decimal(20, 18)) end as rate
    from {{ ref('int_prices__effective') }}
    where
        context_mode = 'whole'
        -- Other meters (an hour of a rented machine) are on no card, and dearer than a rate's digits hold.
        and meter in ({% for column, meter in meters() %}'{{ meter }}', {% endfor %}'multiplier')

),

listed as (

    select
        cast(null as varchar) as card_tenant,
        service_tier as card_tier,
        region as card_region,
        *,
        false as is_contract,
        0 as factor_count,
        cast(null as varchar) as factor_ids
    from effective
    where meter <> 'multiplier' and tenant is null

),

factors as (

    select
        *,
        cast(unit_amount as decimal(18, 9)) as factor
    from effective
    where meter = 'multiplier'

),

listed_tiers as (

    select distinct provider, model, service_tier from listed

),

stated_factors as (

    select distinct provider, model, region, service_tier from factors where tenant is null

),

-- A tier that is stated as a factor of the standard one: xAI's batch.
by_tier as (

    select
        listed.* replace (
            factors.service_tier as card_tier,
            {{ multiplied('listed.rate', 'factors', 'listed.meter') }} as rate,
            greatest(listed.valid_from, factors.valid_from) as valid_from,
            least(listed.valid_to, factors.valid_to) as valid_to,
            factors.price_id as factor_ids
        )
    from listed
    inner join factors
        on
            listed.provider = factors.provider
            and listed.model = factors.model
            and factors.tenant is null
            and factors.region = 'global'
            and factors.service_tier <> 'standard'
            and listed.service_tier = 'standard'
            and {{ overlapping('listed', 'factors') }}
    left join listed_tiers as own
        on factors.provider = own.provider and factors.model = own.model and factors.service_tier = own.service_tier
    where own.provider is null

),

tiered as (

    select * from listed
    union all by name
    select * from by_tier

),

tiered_places as (

    select distinct provider, model, card_tier, card_region from tiered

),

regional_factors as (

    select
        factors.*,
        tiers.card_tier
    from factors
    inner join (select distinct provider, model, card_tier from tiered where card_region = 'global') as tiers
        on factors.provider = tiers.provider and factors.model = tiers.model
    left join stated_factors as own
        on
            factors.provider = own.provider
            and factors.model = own.model
            and factors.region = own.region
            and tiers.card_tier = own.service_tier
    where
        factors.tenant is null
        and factors.region <> 'global'
        -- A factor stated for the standard tier holds for a tier that has none of its own.
        and (factors.service_tier = tiers.card_tier or (factors.service_tier = 'standard' and own.service_tier is null))

),

by_region as (

    select
        tiered.* replace (
            regional.region as card_region,
            {{ multiplied('tiered.rate', 'regional', 'tiered.meter') }} as rate,
            greatest(tiered.valid_from, regional.valid_from) as valid_from,
            least(tiered.valid_to, regional.valid_to) as valid_to,
            tiered.factor_count + 1 as factor_count,
            concat_ws(',', tiered.factor_ids, regional.price_id) as factor_ids
        )
    from tiered
    inner join regional_factors as regional
        on
            tiered.provider = regional.provider
            and tiered.model = regional.model
            and tiered.card_tier = regional.card_tier
            and tiered.card_region = 'global'
            and {{ overlapping('tiered', 'regional') }}
    left join tiered_places as own
        on
            regional.provider = own.provider
            and regional.model = own.model
            and regional.card_tier = own.card_tier
            and regional.region = own.card_region
    where own.provider is null

),

by_region_plain as (

    select tiered.* replace (regions.card_region as card_region)
    from tiered
    inner join (select distinct provider, model, card_tier, card_region from by_region) as regions
        on
            tiered.provider = regions.provider
            and tiered.model = regions.model
            and tiered.card_tier = regions.card_tier
            and tiered.card_region = 'global'

),

list_cards as (

    select * from tiered
    union all by name
    select * from by_region
    union all by name
    select * from by_region_plain

),

contracts as (

    select * from effective where tenant is not null

),

-- Where a tenant has a word of its own, its card is the list under that word: the list of the place, or of
-- everywhere where the place has none.
tenant_places as (

    select distinct
        contracts.tenant as card_tenant,
        list_cards.provider,
        list_cards.model,
        list_cards.card_tier,
        list_cards.card_region
    from contracts
    inner join list_cards
        on
            contracts.provider = list_cards.provider
            and contracts.model in (list_cards.model, '*')
            and contracts.service_tier = list_cards.card_tier
            and contracts.region in (list_cards.card_region, 'global')
    union
    select distinct
        contracts.tenant as card_tenant,
        contracts.provider,
        list_cards.model,
        contracts.service_tier as card_tier,
        contracts.region as card_region
    from contracts
    inner join list_cards
        on
            contracts.provider = list_cards.provider
            and contracts.model in (list_cards.model, '*')
            and contracts.service_tier = list_cards.card_tier
            and list_cards.card_region = 'global'
    union
    select distinct
        tenant as card_tenant,
        provider,
        model,
        service_tier as card_tier,
        region as card_region
    from contracts
    where meter <> 'multiplier'

),

tenant_bases as (

    select
        places.*,
        coalesce(own.card_region, 'global') as base_region
    from tenant_places as places
    left join (select distinct provider, model, card_tier, card_region from list_cards) as own
        on
            places.provider = own.provider
            and places.model = own.model
            and places.card_tier = own.card_tier
            and places.card_region = own.card_region

),

tenant_list as (

    select list_cards.* replace (places.card_tenant as card_tenant, places.card_region as card_region)
    from list_cards
    inner join tenant_bases as places
        on
            list_cards.provider = places.provider
            and list_cards.model = places.model
            and list_cards.card_tier = places.card_tier
            and list_cards.card_region = places.base_region

),

tenant_discounted as (

    select
        tenant_list.* replace (
            {{ multiplied('tenant_list.rate', 'factors', 'tenant_list.meter') }} as rate,
            greatest(tenant_list.valid_from, factors.valid_from) as valid_from,
            least(tenant_list.valid_to, factors.valid_to) as valid_to,
            tenant_list.factor_count + 1 as factor_count,
            concat_ws(',', tenant_list.factor_ids, factors.price_id) as factor_ids
        )
    from tenant_list
    inner join factors
        on
            tenant_list.card_tenant = factors.tenant
            and tenant_list.provider = factors.provider
            and factors.model in (tenant_list.model, '*')
            and factors.service_tier = tenant_list.card_tier
            and factors.region in (tenant_list.card_region, 'global')
            and {{ overlapping('tenant_list', 'factors') }}

),

tenant_own as (

    select
        places.card_tenant,
        places.card_tier,
        places.card_region,
        contracts.*,
        true as is_contract,
        0 as factor_count,
        cast(null as varchar) as factor_ids
    from contracts
    inner join tenant_places as places
        on
            contracts.tenant = places.card_tenant
            and contracts.provider = places.provider
            and contracts.model = places.model
            and contracts.service_tier = places.card_tier
            and contracts.region in (places.card_region, 'global')
    where contracts.meter <> 'multiplier'

),

unified as (

    select * from list_cards
    union all by name
    select * from tenant_list
    union all by name
    select * from tenant_discounted
    union all by name
    select * from tenant_own

),

final as (

    select
        {{ row_id(['card_tenant', 'provider', 'model', 'card_tier', 'card_region', 'currency']) }} as card_key,
        card_tenant as tenant,
        provider,
        model,
        card_tier as service_tier,
        card_region as region,
        currency,
        meter,
        rate,
        price_id,
        factor_ids,
        factor_count,
        is_contract,
        region = card_region as is_of_region,
        status,
        window_definition,
        case when context_from = 0 then 0 when context_inclusive then context_from else context_from + 1 end as tokens_from,
        valid_from,
        valid_to
    from unified

)

select * from final
