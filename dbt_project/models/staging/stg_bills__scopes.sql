-- What providers' reports speak for now: beside no scope, no lines mean that nobody asked; beside an empty one,
-- that nothing was used.
with scopes as (

    select * from {{ source('raw', 'reported_scopes') }} where is_current

),

final as (

    select
        * exclude (is_current),
        item_count = 0 as is_empty
    from scopes

)

select * from final
