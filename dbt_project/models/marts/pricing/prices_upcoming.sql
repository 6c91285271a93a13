-- Prices announced for a day still to come, as believed now: in no call's cost before their time.
with history as (

    select * from {{ ref('price_history') }}

),

final as (

    select * exclude (known_to)
    from history
    where
        valid_from > current_timestamp
        and status <> 'cancelled'
        and known_from <= {{ as_known_at() }}
        and coalesce(known_to, {{ instant('9999-12-31 23:59:59+00') }}) > {{ as_known_at() }}
        and (valid_to is null or valid_to > valid_from)

)

select * from final
