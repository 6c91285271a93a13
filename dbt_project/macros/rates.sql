{#- A rate under a factor row's factor, where the factor is upon the meter. Kept at 18 decimals, as every rate. -#}
{% macro multiplied(rate, factors, meter) -%}
    case
                when {{ factors }}.applies_to is null or contains(',' || {{ factors }}.applies_to || ',', ',' || {{ meter }} || ',')
                    then cast({{ rate }} * {{ factors }}.factor as decimal(20, 18))
                else {{ rate }}
            end
{%- endmacro %}

{#- Whether two rows are valid at one time. -#}
{% macro overlapping(left, right) -%}
    ({{ left }}.valid_to is null or {{ right }}.valid_from < {{ left }}.valid_to)
            and ({{ right }}.valid_to is null or {{ left }}.valid_from < {{ right }}.valid_to)
{%- endmacro %}

{#- Whether a card bills a meter by a price from after its span. -#}
{% macro is_early(cards, meter) -%}
    {%- set fallback = {'reasoning': 'output', 'input': 'embedding'}.get(meter) -%}
    {%- if fallback -%}
        ({{ holds_name(cards ~ '.early_meters', meter) }} or ({{ cards }}.{{ meter }}_rate is null and {{ holds_name(cards ~ '.early_meters', fallback) }}))
    {%- else -%}
        {{ holds_name(cards ~ '.early_meters', meter) }}
    {%- endif -%}
{%- endmacro %}

{#- What of a card a meter is billed by: reasoning as output and input as embedding where they have no own. -#}
{% macro rate_of(cards, meter, what='rate') -%}
    {%- set fallback = {'reasoning': 'output', 'input': 'embedding'}.get(meter) -%}
    {%- if fallback -%}
        coalesce({{ cards }}.{{ meter }}_{{ what }}, {{ cards }}.{{ fallback }}_{{ what }})
    {%- else -%}
        {{ cards }}.{{ meter }}_{{ what }}
    {%- endif -%}
{%- endmacro %}
