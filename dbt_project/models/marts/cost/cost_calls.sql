-- Every attempt priced at its own time. Unknown is never zero: a call with one unpriced meter has no total,
-- and names the meter.
{%- set lines_unpriced = [] -%}
{%- for column, meter in meters() -%}{%- do lines_unpriced.append((meter, meter ~ '_cost is null')) -%}{%- endfor %}
with calls as (

    select
        *,
        {% for column in input_meters() %}coalesce({{ column }}, 0){{ ' + ' if not loop.last }}{% endfor %} as context_tokens,
        -- A provider bills nothing for an attempt it refused; a stream that broke after 200 may have been billed.
        (is_cache_hit or (status = 'error' and usage_status = 'missing' and coalesce(http_status, 500) >= 400)) is true as is_not_billed
    from {{ ref('stg_logs__calls') }}

),

resolved as (

    select * from {{ ref('int_models__resolved') }}

),

cards as (

    select * from {{ ref('int_prices__rate_cards') }}

),

tenants as (

    select distinct provider, tenant from resolved where tenant is not null

),

named as (

    select
        calls.*,
        tenants.tenant as contract_tenant
    from calls
    left join tenants on calls.provider = tenants.provider and calls.tenant = tenants.tenant

),

matched as (

    select
        calls.*,
        resolved.priced_model,
        resolved.matched_by,
        resolved.list_card_key,
        cards.rate_card_id,
        cards.currency,
        cards.is_before_first and (
            {%- for column, meter in meters() %}
            ({{ is_early('cards', meter) }} and {{ column }} > 0){{ ' or' if not loop.last }}
            {%- endfor %}
        ) is true as is_before_first,
        {%- for column, meter in meters() %}
        {{ rate_of('cards', meter) }} as {{ meter }}_rate,
        {%- endfor %}
        -- What the list would have asked of a tenant with prices of its own.
        case
            when resolved.list_card_key is not null
                then {% for column, meter in meters() %}case when coalesce({{ column }}, 0) = 0 then cast(0 as decimal(38, 18)) else {{ rate_of('list_cards', meter) }} * cast({{ column }} as decimal(18, 0)) end{{ ' + ' if not loop.last }}{% endfor %}
        end as list_sum
    from named as calls
    left join resolved
        on
            calls.provider = resolved.provider
            and calls.model = resolved.model
            and coalesce(calls.service_tier, 'standard') = resolved.service_tier
            and coalesce(calls.region, 'global') = resolved.region
            and calls.contract_tenant is not distinct from resolved.tenant
    left join cards
        on
            resolved.card_key = cards.card_key
            and calls.occurred_at >= cards.valid_from
            and calls.occurred_at < cards.valid_to
            and calls.context_tokens >= cards.tokens_from
            and calls.context_tokens < cards.tokens_to
    left join cards as list_cards
        on
            resolved.list_card_key = list_cards.card_key
            and calls.occurred_at >= list_cards.valid_from
            and calls.occurred_at < list_cards.valid_to
            and calls.context_tokens >= list_cards.tokens_from
            and calls.context_tokens < list_cards.tokens_to

),

priced as (

    select
        *,
        case
            when is_not_billed then 'not_billed'
            when usage_status in ('missing', 'unsupported') then 'usage_unknown'
            when provider is null then 'provider_unknown'
            when rate_card_id is null then 'model_unpriced'
        end as gap,
        {%- for column, meter in meters() %}
        case
            when coalesce({{ column }}, 0) = 0 then cast(0 as decimal(38, 18))
            else {{ meter }}_rate * cast({{ column }} as decimal(18, 0))
        end as {{ meter }}_cost{{ ',' if not loop.last }}
        {%- endfor %}
    from matched

),

summed as (

    select
        *,
        {% for column, meter in meters() %}{{ meter }}_cost{{ ' + ' if not loop.last }}{% endfor %} as sum_of_lines,
        case
            when gap is null then {{ names_where(lines_unpriced) }}
            else cast([] as varchar[])
        end as unpriced_meters
    from priced

),

totalled as (

    select
        *,
        case
            when gap = 'not_billed' then cast(0 as decimal(38, 18))
            when gap is null then sum_of_lines
        end as cost,
        case
            when gap = 'not_billed' then cast(0 as decimal(38, 18))
            when gap is null then coalesce(list_sum, sum_of_lines)
        end as list_cost,
        case
            when gap is not null then gap
            when sum_of_lines is null then 'meter_unpriced'
            when is_before_first then 'estimated'
            when usage_status = 'estimated' then 'estimated'
            else 'exact'
        end as cost_status
    from summed

),

final as (

    select
        event_id,
        request_id,
        attempt,
        source,
        occurred_at,
        occurred_on,
        tenant,
        project,
        team,
        user_id,
        api_key_id,
        session_id,
        environment,
        provider,
        provider_reported,
        model,
        model_requested,
        model_served,
        priced_model,
        region,
        coalesce(service_tier, 'standard') as service_tier,
        operation,
        http_status,
        status,
        error_class,
        latency_ms,
        ttft_ms,
        {%- for column, meter in meters() %}
        {{ column }},
        {%- endfor %}
        usage_status,
        rate_card_id,
        currency,
        cost,
        list_cost,
        case when currency = 'USD' or cost_status = 'not_billed' then cost end as cost_usd,
        cost_status,
        cost_status = 'estimated' as is_estimated,
        case
            when cost_status = 'estimated'
                then concat_ws(
                    '; ',
                    case when is_before_first then 'before first observation' end,
                    case when usage_status = 'estimated' then 'usage estimated by the source' end
                )
        end as estimated_because,
        unpriced_meters,
        cost_reported,
        cost_reported_currency,
        segment_id
    from totalled

)

select * from final
