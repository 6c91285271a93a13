-- Lines of usage reports in force. Where two reports hold the same figures, the API's count and the console's
-- export, with its rounded cents and missing filters, stays to be seen.
with lines as (

    select * from {{ source('raw', 'usage_reported') }}

),

better as (

    select distinct
        scope_start_at,
        scope_end_at
    from {{ ref('stg_bills__scopes') }}
    where report = 'anthropic_usage'

),

final as (

    select
        lines.*,
        {{ utc_day('lines.bucket_start_at') }} as usage_on,
        case
            when lines.report = 'anthropic_console_usage'
                then not exists (
                    select 1 from better
                    where better.scope_start_at < lines.bucket_end_at and better.scope_end_at > lines.bucket_start_at
                )
            else true
        end as is_counted,
        coalesce(lines.provider = 'anthropic' and lines.service_tier = 'priority', false) as is_outside_costs
    from lines

)

select * from final
