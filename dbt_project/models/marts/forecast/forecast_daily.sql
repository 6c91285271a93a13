-- The newest forecast of each series. Children add up to parents: a tenant is the sum of its models, the total
-- that of the tenants.
with forecasts as (

    select * from {{ source('raw', 'forecasts') }}

),

final as (

    select
        measure,
        tenant,
        model,
        forecast_on,
        made_from_on,
        forecast_model,
        cast(yhat as double) as forecast_usd,
        cast(lo_80 as double) as lo_80_usd,
        cast(hi_80 as double) as hi_80_usd,
        cast(lo_95 as double) as lo_95_usd,
        cast(hi_95 as double) as hi_95_usd
    from forecasts

)

select * from final
