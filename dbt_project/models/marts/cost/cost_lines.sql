-- One row per attempt and meter counted: the price row it took, the rate, the amount. A view: the lines of ten
-- million calls are forty million rows that follow from the calls and the cards.
with calls as (

    select * from {{ ref('cost_calls') }}

),

cards as (

    select * from {{ ref('int_prices__rate_cards') }}

),

{%- for column, meter in meters() %}

{{ meter }}_lines as (

    select
        calls.event_id,
        calls.occurred_at,
        calls.tenant,
        calls.provider,
        calls.priced_model,
        '{{ meter }}' as meter,
        calls.{{ column }} as meter_count,
        calls.currency,
        {{ rate_of('cards', meter) }} as rate,
        case
            when calls.cost_status = 'not_billed' then cast(0 as decimal(38, 18))
            when calls.cost_status <> 'usage_unknown' then {{ rate_of('cards', meter) }} * cast(calls.{{ column }} as decimal(18, 0))
        end as amount,
        {{ rate_of('cards', meter, 'price_id') }} as price_id,
        {{ rate_of('cards', meter, 'factor_ids') }} as factor_ids,
        coalesce({{ is_early('cards', meter) }}, false) as is_before_first
    from calls
    left join cards on calls.rate_card_id = cards.rate_card_id
    where calls.{{ column }} > 0

),
{%- endfor %}

unified as (

{% for column, meter in meters() %}
    select * from {{ meter }}_lines{{ ' union all' if not loop.last }}
{% endfor %}
)

select * from unified
