-- What callers were answered, by hour: a stream that broke after a 200 is no success of that code, and what nobody
-- answered has no code.
with calls as (

    select
        {{ utc_hour('occurred_at') }} as hour_at,
        provider,
        model,
        http_status,
        case
            when status = 'ok' then 'ok'
            when http_status is null then 'no_answer'
            when http_status < 400 then 'broke_after_success'
            else 'refused'
        end as outcome
    from {{ ref('cost_calls') }}

),

hourly as (

    select
        hour_at,
        provider,
        model,
        http_status,
        outcome,
        count(*) as attempt_count
    from calls
    group by hour_at, provider, model, http_status, outcome

)

select * from hourly
