-- Latency, time to first token and output speed by hour, provider and model; exact at this grain. An answer without
-- counted output (an embedding, usage nobody knows) has no speed rather than a speed of zero.
with calls as (

    select
        *,
        {{ utc_hour('occurred_at') }} as hour_at,
        status in ('ok', 'stream_broken') as is_answered,
        {{ output_tokens_per_second(total_of(['output_tokens', 'reasoning_tokens'])) }} as output_tokens_per_second
    from {{ ref('stg_logs__calls') }}

),

hourly as (

    select
        hour_at,
        provider,
        model,
        count(*) as attempt_count,
        count(*) filter (where is_answered) as answered_count,
        count(*) filter (where status <> 'ok') as error_count,
        count(*) filter (where error_class = 'rate_limited') as rate_limited_count,
        {%- for measure in ['latency_ms', 'ttft_ms'] %}
        {%- for name, q in [('p50', 0.5), ('p90', 0.9), ('p95', 0.95), ('p99', 0.99)] %}
        {{ exact_quantile(measure, q) }} filter (where is_answered) as {{ measure | replace('_ms', '') }}_{{ name }}_ms,
        {%- endfor %}
        {%- endfor %}
        {{ exact_quantile('output_tokens_per_second', 0.5) }} as output_p50_tokens_per_second
    from calls
    group by hour_at, provider, model

)

select * from hourly
