-- One wide row of rates per card, context band and time: a call meets exactly one, so costing is one interval
-- join. A meter without a row in the band takes its base row's rate, as every vendor read so far does. Before a
-- meter's first listed price the earliest holds, marked. A time-of-day window cuts the time it is open in.
with rates as (

    select
        *,
        -- An announced price never holds before its time, nor a contract; reasoning is output until it has a price.
        case
            when not is_contract and status <> 'announced' and meter <> 'reasoning'
                then min(case when not is_contract and status <> 'announced' then valid_from end) over (partition by card_key, meter)
        end as first_at
    from {{ ref('int_prices__rates') }}

),

hours as (

    select * from {{ ref('int_prices__window_hours') }}

),

windows as (

    select
        keyed.card_key,
        hours.*
    from (select distinct card_key, window_definition from rates where window_definition is not null) as keyed
    inner join hours on keyed.window_definition = hours.window_definition

),

instants as (

    select card_key, valid_from as boundary_at from rates
    union
    select card_key, valid_to as boundary_at from rates where valid_to is not null
    union
    select card_key, {{ instant('0001-01-01') }} as boundary_at from rates where first_at is not null
    union
    select card_key, open_from as boundary_at from windows
    union
    select card_key, open_to as boundary_at from windows

),

spans as (

    select
        card_key,
        boundary_at as valid_from,
        lead(boundary_at) over (partition by card_key order by boundary_at) as valid_to
    from instants

),

bands as (

    select
        card_key,
        tokens_from,
        lead(tokens_from) over (partition by card_key order by tokens_from) as tokens_to
    from (
        select distinct card_key, tokens_from from rates
        union
        select distinct card_key, 0 as tokens_from from rates
    ) as starts

),

cells as (

    select
        spans.card_key,
        spans.valid_from,
        spans.valid_to,
        bands.tokens_from,
        bands.tokens_to,
        rates.tenant,
        rates.provider,
        rates.model,
        rates.service_tier,
        rates.region,
        rates.currency,
        rates.meter,
        rates.rate,
        rates.price_id,
        rates.factor_ids,
        rates.first_at > spans.valid_from as is_early,
        row_number() over (
            partition by spans.card_key, spans.valid_from, bands.tokens_from, rates.meter
            order by
                rates.is_contract desc,
                rates.window_definition is null,
                rates.tokens_from desc,
                rates.is_of_region desc,
                rates.factor_count desc,
                rates.price_id asc
        ) as place
    from spans
    inner join bands on spans.card_key = bands.card_key
    inner join rates
        on
            spans.card_key = rates.card_key
            and rates.tokens_from <= bands.tokens_from
            and (
                (rates.valid_from <= spans.valid_from and (rates.valid_to is null or rates.valid_to > spans.valid_from))
                or (rates.valid_from = rates.first_at and spans.valid_from < rates.first_at)
            )
    left join windows
        on
            rates.card_key = windows.card_key
            and rates.window_definition = windows.window_definition
            and windows.open_from <= spans.valid_from
            and windows.open_to > spans.valid_from
    where rates.window_definition is null or windows.card_key is not null

),

cards as (

    select
        card_key,
        tenant,
        provider,
        model,
        service_tier,
        region,
        currency,
        valid_from,
        valid_to,
        tokens_from,
        tokens_to,
        bool_or(is_early) is true as is_before_first,
        {{ names_of('meter', 'is_early') }} as early_meters,
        {%- for column, meter in meters() %}
        max(case when meter = '{{ meter }}' then rate end) as {{ meter }}_rate,
        max(case when meter = '{{ meter }}' then price_id end) as {{ meter }}_price_id,
        max(case when meter = '{{ meter }}' then factor_ids end) as {{ meter }}_factor_ids{{ ',' if not loop.last }}
        {%- endfor %}
    from cells
    where place = 1
    group by
        card_key, tenant, provider, model, service_tier, region, currency, valid_from, valid_to, tokens_from, tokens_to

),

final as (

    select
        {{ row_id(['card_key', 'valid_from', 'tokens_from', 'is_before_first']) }} as rate_card_id,
        * exclude (valid_to, tokens_to),
        coalesce(valid_to, {{ instant('9999-12-31') }}) as valid_to,
        coalesce(tokens_to, 9223372036854775807) as tokens_to
    from cards

)

select * from final
