{#- Reading log-histograms: a bucket holds (g^(bucket-1), g^bucket] with g = 1.01/0.99, so that its middle, 0.99 g^bucket, is
    within 1 % of everything in it. `pipelines.service_levels` renders these same macros for its questions, so they call
    no macro of another file. The counting side is `log_bucket`. -#}

{#- The number a bucket stands for; zero has a bucket of its own. -#}
{% macro bucket_value(bucket) -%}
    case when {{ bucket }} = -2147483648 then 0.0 else 0.99 * pow(1.01 / 0.99, {{ bucket }}) end
{%- endmacro %}

{#- How fast the answer came once it began; without counted output there is no speed rather than a speed of zero, and none
    is measured over less than a microsecond. -#}
{% macro output_tokens_per_second(output_tokens) -%}
    case
            when status = 'ok' and latency_ms - coalesce(ttft_ms, 0) >= 0.001
                then nullif({{ output_tokens }}, 0) / ((latency_ms - coalesce(ttft_ms, 0)) / 1000)
        end
{%- endmacro %}

{#- What a histogram can be grouped by. -#}
{% macro histogram_dimensions() -%}
    {{ return(['tenant', 'project', 'team', 'provider', 'model', 'operation', 'region', 'service_tier']) }}
{%- endmacro %}

{#- Name of a percentile's column and the share of samples below it. -#}
{% macro percentiles() -%}
    {{ return([('p50', 0.5), ('p90', 0.9), ('p95', 0.95), ('p99', 0.99), ('p99_9', 0.999)]) }}
{%- endmacro %}

{#- The percentiles of histograms merged by some columns, one row per group: a whole query over a relation of
    (…, bucket, sample_count). A percentile lies between two samples as `quantile_cont` puts it; each of the two is
    within 1 %, so what lies between them is. -#}
{% macro histogram_percentiles(relation, by, quantiles) -%}
    select
        {{ by | join(', ') }},
        cast(max(total_count) as bigint) as sample_count,
        {%- for name, q in quantiles %}
        {%- set position = q ~ 'e0 * (total_count - 1)' %}
        {%- set lower = 'min(bucket_value) filter (where up_to_count > floor(' ~ position ~ '))' %}
        {%- set upper = 'min(bucket_value) filter (where up_to_count > ceil(' ~ position ~ '))' %}
        {%- set between = 'any_value(' ~ position ~ ' - floor(' ~ position ~ '))' %}
        least({{ upper }}, {{ lower }} + ({{ upper }} - {{ lower }}) * {{ between }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            {{ by | join(', ') }},
            {{ bucket_value('bucket') }} as bucket_value,
            sum(sum(sample_count)) over (partition by {{ by | join(', ') }} order by bucket) as up_to_count,
            sum(sum(sample_count)) over (partition by {{ by | join(', ') }}) as total_count
        from {{ relation }}
        group by {{ by | join(', ') }}, bucket
    ) as ranked
    group by {{ by | join(', ') }}
{%- endmacro %}
