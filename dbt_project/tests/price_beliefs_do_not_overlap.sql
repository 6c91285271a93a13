-- At any instant of valid time and of known time, a source says at most one thing of a price.
select
    a.price_id,
    b.price_id as other_price_id
from {{ ref('int_prices__versions') }} as a
inner join {{ ref('int_prices__versions') }} as b
    on
        a.source = b.source
        and a.price_key = b.price_key
        and a.price_id < b.price_id
        and a.is_believed
        and b.is_believed
        and a.status <> 'cancelled'
        and b.status <> 'cancelled'
        and (b.valid_to is null or a.valid_from < b.valid_to)
        and (a.valid_to is null or b.valid_from < a.valid_to)
        and (b.known_to is null or a.known_from < b.known_to)
        and (a.known_to is null or b.known_from < a.known_to)
