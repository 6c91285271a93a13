-- Every line of a provider's report is of a claim in force, and every claim has its items: a replaced bucket leaves
-- nothing behind. An item of an invoice may be several lines, and one of OpenRouter is a line of each kind.
with lines as (

    select segment_id, scope_id, count(*) as line_count from {{ ref('stg_bills__usage') }} group by segment_id, scope_id
    union all
    select segment_id, scope_id, count(*) as line_count from {{ ref('stg_bills__costs') }} group by segment_id, scope_id

),

by_scope as (

    select segment_id, scope_id, sum(line_count) as line_count from lines group by segment_id, scope_id

)

select coalesce(by_scope.scope_id, scopes.scope_id) as scope_id
from by_scope
full join {{ ref('stg_bills__scopes') }} as scopes
    on by_scope.segment_id = scopes.segment_id and by_scope.scope_id = scopes.scope_id
where scopes.scope_id is null or coalesce(by_scope.line_count, 0) < scopes.item_count
