{#- Everything a second engine would say differently stands here, one macro per notion. -#}

{#- The UTC day of an instant. -#}
{% macro utc_day(instant) -%}
    cast({{ instant }} at time zone 'UTC' as date)
{%- endmacro %}

{#- The start of the UTC hour an instant is in. -#}
{% macro utc_hour(instant) -%}
    to_timestamp(cast(epoch_us({{ instant }}) // 3600000000 * 3600 as bigint))
{%- endmacro %}

{#- A short stable id of some columns; null and the empty text differ. -#}
{% macro row_id(columns) -%}
    substr(md5(concat_ws('|', {% for c in columns %}coalesce(cast({{ c }} as varchar), '∅'){% if not loop.last %}, {% endif %}{% endfor %})), 1, 16)
{%- endmacro %}

{#- Exact quantile of a column at a fine grain. -#}
{% macro exact_quantile(column, q) -%}
    quantile_cont({{ column }}, {{ q }})
{%- endmacro %}

{#- The log-histogram bucket of a positive number: 1 % relative error at any quantile. A bucket for
    zero is kept apart, since dropping zeros was 38 % off. Null stays null. -#}
{% macro log_bucket(column) -%}
    case when {{ column }} > 0 then cast(ceil(ln({{ column }}) / ln(1.01 / 0.99)) as integer) when {{ column }} = 0 then -2147483648 end
{%- endmacro %}

{#- The list of those names whose condition holds. -#}
{% macro names_where(pairs) -%}
    list_filter([{% for name, condition in pairs %}case when {{ condition }} then '{{ name }}' end{% if not loop.last %}, {% endif %}{% endfor %}], lambda name : name is not null)
{%- endmacro %}

{% macro instant(text) -%}
    cast('{{ text }}' as timestamptz)
{%- endmacro %}

{#- A sum of costs over calls (those a condition names) that is null where nothing billed could be priced:
    beside unpriced calls, and in USD beside another currency's, the zeros of attempts nobody billed would
    read as "free". -#}
{% macro sum_of_known(column, condition='true') -%}
    case
            when count(*) filter (where {{ column }} is null and {{ condition }}) = 0 then sum({{ column }}) filter (where {{ condition }})
            else sum({{ column }}) filter (where cost_status <> 'not_billed' and {{ condition }})
        end
{%- endmacro %}

{#- A member of a JSON text, as text; of a list by its number. -#}
{% macro json_text(json, name) -%}
    json_extract_string({{ json }}, '{{ '$[' ~ name ~ ']' if name in ('0', '1') else '$.' ~ name }}')
{%- endmacro %}

{#- The items of a JSON list, as rows to cross join. -#}
{% macro json_items(json, name) -%}
    unnest(cast(json_extract({{ json }}, '$.{{ name }}') as json[]))
{%- endmacro %}

{#- The sorted list of a column's values where a condition holds. -#}
{% macro names_of(column, condition) -%}
    coalesce(list_sort(list({{ column }}) filter (where {{ condition }})), cast([] as varchar[]))
{%- endmacro %}

{#- Whether a list holds a value. -#}
{% macro holds_name(names, name) -%}
    list_contains({{ names }}, '{{ name }}')
{%- endmacro %}
