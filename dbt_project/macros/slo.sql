{#- The arithmetic of error budgets: Google's windows and factors. Each alert needs its short window too, so that it
    ends soon after the burning does. -#}

{#- The start of the five minutes an instant is in. -#}
{% macro five_minutes(instant) -%}
    to_timestamp(cast(epoch_us({{ instant }}) // 300000000 * 300 as bigint))
{%- endmacro %}

{#- Windows burn rates are kept for: name and how many five minutes it holds. -#}
{% macro burn_windows() -%}
    {{ return([('5m', 1), ('30m', 6), ('1h', 12), ('2h', 24), ('6h', 72), ('1d', 288), ('3d', 864)]) }}
{%- endmacro %}

{#- Severity, long window, short window, and the burn rate both must exceed. -#}
{% macro burn_alerts() -%}
    {{ return([('page', '1h', '5m', '14.4'), ('page', '6h', '30m', '6'), ('ticket', '1d', '2h', '3'), ('ticket', '3d', '6h', '1')]) }}
{%- endmacro %}

{#- Whether any alert of a severity fires and the guard holds of its LONG window. Exact: nothing is divided. -#}
{% macro is_burning(severity, guard) -%}
    {%- set found = [] -%}
    {%- for kind, long, short, factor in burn_alerts() if kind == severity -%}
        {%- set both = [] -%}
        {%- for name in (long, short) -%}
            {%- do both.append('bad_count_' ~ name ~ ' > ' ~ factor ~ ' * (1 - target) * total_count_' ~ name) -%}
        {%- endfor -%}
        {%- do both.append(guard | replace('LONG', long)) -%}
        {%- do found.append('(' ~ both | join(' and ') ~ ')') -%}
    {%- endfor -%}
    {{ found | join(' or ') }}
{%- endmacro %}
