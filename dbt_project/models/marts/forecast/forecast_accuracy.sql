-- How far off forecasts made in the past would have been, beside the seasonal naive forecast.
with accuracy as (

    select * from {{ source('raw', 'forecast_accuracy') }}

),

final as (

    select
        measure,
        grain,
        cast(step as integer) as horizon_days,
        made_from_on,
        cast(series_count as integer) as series_count,
        cast(tests as integer) as test_count,
        cast(mase as double) as mase,
        cast(naive_mase as double) as naive_mase,
        cast(1 - mase / nullif(naive_mase, 0) as double) as skill,
        cast(coverage_80 as double) as coverage_80,
        cast(coverage_95 as double) as coverage_95
    from accuracy

)

select * from final
