{#- The meters a call is billed by: column of the canonical call -> meter of the price book. One list
    for every model; a test compares it with the importer's. -#}
{% macro meters() -%}
    {{ return([
        ('input_tokens', 'input'),
        ('cache_read_tokens', 'cache_read'),
        ('cache_write_5m_tokens', 'cache_write_5m'),
        ('cache_write_1h_tokens', 'cache_write_1h'),
        ('input_audio_tokens', 'input_audio'),
        ('input_image_tokens', 'input_image'),
        ('output_tokens', 'output'),
        ('reasoning_tokens', 'reasoning'),
        ('output_audio_tokens', 'output_audio'),
        ('output_image_tokens', 'output_image'),
        ('embedding_tokens', 'embedding'),
        ('web_search_calls', 'web_search'),
    ]) }}
{%- endmacro %}

{#- Meters that count into a request's total input, which decides its context tier. -#}
{% macro input_meters() -%}
    {{ return(['input_tokens', 'cache_read_tokens', 'cache_write_5m_tokens', 'cache_write_1h_tokens', 'input_audio_tokens', 'input_image_tokens']) }}
{%- endmacro %}

{#- Some counts of one call as one: an unknown part counts nothing beside a known one, and all unknown is unknown. -#}
{% macro total_of(columns) -%}
    case when coalesce({{ columns | join(', ') }}) is not null then {% for column in columns %}coalesce({{ column }}, 0){{ ' + ' if not loop.last }}{% endfor %} end
{%- endmacro %}

{#- The instant prices are taken as known at. -#}
{% macro as_known_at() -%}
    {% if var('as_known_at') == 'now' %}cast('9999-12-31' as timestamptz){% else %}{{ instant(var('as_known_at')) }}{% endif %}
{%- endmacro %}
