-- One price per key and instant, as known at `as_known_at`: a contract, then the house's own correction, then
-- the seller's page, then a list. Aggregators only warn and never price a call. A page that says a price is
-- over silences pages and lists last heard before it: an old capture of a second page must not bring the
-- price back. `pipelines.pricing.book` asks the same at one instant.
with history as (

    select * from {{ ref('price_history') }}

),

known as (

    select
        *,
        {{ precedence() }} as precedence,
        {{ row_id(['tenant', 'provider', 'model', 'meter', 'service_tier', 'region', 'context_from', 'window_name', 'currency', 'applies_to']) }} as price_key
    from history
    where
        evidence_kind <> 'aggregator'
        and status <> 'cancelled'
        and known_from <= {{ as_known_at() }}
        and coalesce(known_to, {{ instant('9999-12-31 23:59:59+00') }}) > {{ as_known_at() }}

),

-- Stretches in which a page of the seller says that a price it once stated is over.
ended as (

    select
        price_key,
        source,
        precedence,
        known_from as said_at,
        valid_to as over_from,
        lead(valid_from) over (partition by price_key, source order by valid_from) as over_to
    from known
    where evidence_kind in ('official_api', 'official_page')
    qualify over_from is not null and (over_to is null or over_to > over_from)

),

boundaries as (

    select price_key, valid_from as boundary_at from known
    union
    select price_key, valid_to as boundary_at from known where valid_to is not null

),

spans as (

    select
        price_key,
        boundary_at as span_from,
        lead(boundary_at) over (partition by price_key order by boundary_at) as span_to
    from boundaries

),

ranked as (

    select
        known.* exclude (valid_from, valid_to),
        spans.span_from as valid_from,
        spans.span_to as valid_to,
        row_number() over (
            partition by spans.price_key, spans.span_from
            order by known.precedence asc, known.valid_from desc, known.last_seen_at desc, known.known_from desc, known.source asc, known.price_id asc
        ) as place
    from spans
    inner join known
        on
            spans.price_key = known.price_key
            and known.valid_from <= spans.span_from
            and (known.valid_to is null or known.valid_to > spans.span_from)
    left join ended
        on
            spans.price_key = ended.price_key
            and known.source <> ended.source
            and known.precedence >= ended.precedence
            and known.last_seen_at < ended.said_at
            and ended.over_from <= spans.span_from
            and (ended.over_to is null or ended.over_to > spans.span_from)
    where ended.source is null

)

select * exclude (place, precedence)
from ranked
where place = 1
