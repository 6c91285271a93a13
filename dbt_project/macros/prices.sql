{#- The words that make two prices of one source the same price at different times. -#}
{% macro price_key() -%}
    {{ row_id(['provider', 'model', 'meter', 'service_tier', 'region', 'context_from', 'window_name', 'currency', 'applies_to']) }}
{%- endmacro %}

{#- Names one belief: what a source says of a price, valid when, since when known. The status is not in it:
    an announced price that goes live is the same row. -#}
{% macro price_id() -%}
    {{ row_id(['source', 'tenant', 'provider', 'model', 'meter', 'service_tier', 'region', 'context_from', 'window_name', 'currency', 'applies_to', 'unit_amount', 'valid_from', 'valid_to', 'known_from']) }}
{%- endmacro %}

{#- Whose word counts where several state one price: the lowest. A contract for its tenant, the house's own
    correction, the seller's page, a dated list; null only warns and never prices a call. A test compares
    this with the text `pipelines.pricing.book` asks by. -#}
{% macro precedence() -%}
    case
        when evidence_kind = 'contract' then 1
        when evidence_kind = 'manual' and source like 'overrides/%' then 2
        when evidence_kind in ('official_api', 'official_page') then 3
        when evidence_kind = 'manual' then 4
    end
{%- endmacro %}
