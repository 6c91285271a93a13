-- Prices read from pages, by the readings the gates let in. A held price is not among them: what was last
-- believed of it stands in its place, stated by the same reading.
with observations as (

    select * from {{ source('raw', 'price_observations') }}

),

captures as (

    select * from {{ source('raw', 'price_captures') }} where status = 'accepted'

),

held as (

    select *
    from {{ source('raw', 'price_findings') }}
    where scope = 'price' and status in ('waiting', 'rejected')

),

own as (

    select
        observations.*,
        false as is_carried
    from observations
    inner join captures on observations.reading_id = captures.reading_id
    left join held on observations.observation_id = held.observation_id
    where held.observation_id is null

),

carried as (

    select
        standing.* exclude (observation_id, reading_id, captured_at),
        {{ row_id(['held.reading_id', 'standing.observation_id']) }} as observation_id,
        captures.reading_id,
        captures.captured_at,
        true as is_carried
    from held
    inner join captures on held.reading_id = captures.reading_id
    inner join observations as standing on held.standing_observation_id = standing.observation_id

),

accepted as (

    select * from own
    union all by name
    select * from carried

)

select * from accepted
