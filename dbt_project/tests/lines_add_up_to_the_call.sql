-- Every priced call is the sum of its lines, to the last digit.
with lines as (

    select
        event_id,
        sum(amount) as amount
    from {{ ref('cost_lines') }}
    group by event_id

)

select
    calls.event_id,
    calls.cost,
    lines.amount
from {{ ref('cost_calls') }} as calls
left join lines on calls.event_id = lines.event_id
where calls.cost is not null and calls.cost <> coalesce(lines.amount, 0)
