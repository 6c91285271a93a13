{#- Quarter-hour facts and what is summed from them. `pipelines.service_levels` renders these same macros for its
    questions, so they call none of another file and take what they need as arguments. -#}

{#- The start of the UTC quarter of an hour an instant is in: the longest step that is whole in every zone in use. -#}
{% macro quarter_hour(instant) -%}
    to_timestamp(cast(epoch_us({{ instant }}) // 900000000 * 900 as bigint))
{%- endmacro %}

{#- Whose a call is and what it asked for. -#}
{% macro attributions() -%}
    {{ return(['tenant', 'project', 'team', 'user_id', 'api_key_id', 'environment', 'provider', 'model', 'operation', 'region', 'service_tier']) }}
{%- endmacro %}

{#- `cost_usd` of some rows of `usage_15m`: the cost of attempts nobody billed is 0 and may not stand for that of
    attempts nobody could price, so beside those it is left out. -#}
{% macro usage_cost_usd() -%}
    case
                when sum(unpriced_count) = 0 then sum(cost_usd)
                else sum(cost_usd) filter (where not_billed_count < attempt_count)
            end
{%- endmacro %}

{#- The columns of `usage_15m` summed over any of its rows. -#}
{% macro usage_sums(meters) -%}
    cast(sum(attempt_count) as bigint) as attempt_count,
        cast(sum(request_count) as bigint) as request_count,
        count(distinct user_id) as user_count,
        cast(coalesce(sum(attempt_count) filter (where status = 'ok'), 0) as bigint) as ok_count,
        cast(coalesce(sum(attempt_count) filter (where status <> 'ok'), 0) as bigint) as error_count,
        cast(sum(retry_count) as bigint) as retry_count,
        cast(sum(gateway_cache_hit_count) as bigint) as gateway_cache_hit_count,
        cast(sum(usage_unknown_count) as bigint) as usage_unknown_count,
        {%- for column, meter in meters %}
        cast(sum({{ column }}) as bigint) as {{ column }},
        {%- endfor %}
        cast(sum(unpriced_count) as bigint) as unpriced_count,
        cast(sum(estimated_count) as bigint) as estimated_count,
        cast({{ usage_cost_usd() }} as decimal(38, 18)) as cost_usd
{%- endmacro %}
