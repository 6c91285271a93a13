-- The same latencies in the bucket sets other systems keep (`latency_bucket_sets`): how many samples are at most each
-- bound. Only a sample within 1 % of a bound can be counted on its wrong side.
with buckets as (

    select
        {{ utc_day('quarter_hour_at') }} as occurred_on,
        provider,
        model,
        measure,
        {{ bucket_value('bucket') }} as bucket_value,
        sum(sample_count) as sample_count
    from {{ ref('latency_buckets_15m') }}
    group by occurred_on, provider, model, measure, bucket

),

bounds as (

    select
        bucket_set,
        measure,
        upper_bound
    from {{ ref('latency_bucket_sets') }}
    union all
    select distinct
        bucket_set,
        measure,
        cast(null as double) as upper_bound
    from {{ ref('latency_bucket_sets') }}

),

counted as (

    select
        buckets.occurred_on,
        buckets.provider,
        buckets.model,
        buckets.measure,
        bounds.bucket_set,
        bounds.upper_bound,
        cast(coalesce(sum(buckets.sample_count) filter (where bounds.upper_bound is null or buckets.bucket_value <= bounds.upper_bound), 0) as bigint) as up_to_count
    from buckets
    inner join bounds on buckets.measure = bounds.measure
    group by
        buckets.occurred_on,
        buckets.provider,
        buckets.model,
        buckets.measure,
        bounds.bucket_set,
        bounds.upper_bound

)

select * from counted
