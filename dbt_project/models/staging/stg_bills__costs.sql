-- Lines of cost reports in force. Where two reports hold the same figures, the API's count and the console's
-- export, with its rounded cents and missing filters, stays to be seen.
with lines as (

    select * from {{ source('raw', 'cost_reported') }}

),

better as (

    select distinct
        scope_start_at,
        scope_end_at
    from {{ ref('stg_bills__scopes') }}
    where report = 'anthropic_costs'

),

final as (

    select
        lines.*,
        {{ utc_day('lines.bucket_start_at') }} as charged_on,
        case
            when lines.report = 'anthropic_console_costs'
                then not exists (
                    select 1 from better
                    where better.scope_start_at < lines.bucket_end_at and better.scope_end_at > lines.bucket_start_at
                )
            else true
        end as is_counted
    from lines

)

select * from final
