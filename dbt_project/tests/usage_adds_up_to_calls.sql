-- Every roll-up of usage holds the attempts, requests, meters and money of the calls, to the last decimal.
with totals as (

    select
        'cost_calls' as relation,
        count(*) as attempt_count,
        count(distinct request_id) as request_count,
        {%- for column, meter in meters() %}
        sum({{ column }}) as {{ column }},
        {%- endfor %}
        sum(cost_usd) filter (where cost_status <> 'not_billed') as cost_usd
    from {{ ref('cost_calls') }}
    {%- for relation in ['usage_15m', 'usage_hourly', 'usage_daily'] %}
    union all
    select
        '{{ relation }}' as relation,
        sum(attempt_count) as attempt_count,
        sum(request_count) as request_count,
        {%- for column, meter in meters() %}
        sum({{ column }}) as {{ column }},
        {%- endfor %}
        nullif(sum(cost_usd), 0) as cost_usd
    from {{ ref(relation) }}
    {%- endfor %}

)

select rollup_totals.*
from totals as rollup_totals
inner join totals as call_totals on call_totals.relation = 'cost_calls' and call_totals.attempt_count > 0
where
    rollup_totals.attempt_count is distinct from call_totals.attempt_count
    or rollup_totals.request_count is distinct from call_totals.request_count
    or rollup_totals.cost_usd is distinct from nullif(call_totals.cost_usd, 0)
    {%- for column, meter in meters() %}
    or rollup_totals.{{ column }} is distinct from call_totals.{{ column }}
    {%- endfor %}
