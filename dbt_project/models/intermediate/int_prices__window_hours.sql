-- When each time-of-day window was open, in UTC, over the days there are calls of. A range belongs to the day
-- it begins on in the window's zone; a window that is all the other times is open between the ranges.
with windows as (

    select distinct
        window_definition,
        {{ json_text('window_definition', 'zone') }} as zone,
        coalesce({{ json_text('window_definition', 'is_outside') }} = 'true', false) as is_outside
    from {{ ref('int_prices__effective') }}
    where window_definition is not null

),

ranges as (

    select
        windows.*,
        {{ json_text('hours.pair', '0') }} as starts_at,
        {{ json_text('hours.pair', '1') }} as ends_at
    from windows
    cross join {{ json_items('windows.window_definition', 'hours') }} as hours (pair)

),

weekdays as (

    select
        windows.window_definition,
        cast(days.number as integer) as weekday
    from windows
    cross join {{ json_items('windows.window_definition', 'weekdays') }} as days (number)

),

horizon as (

    select
        {{ utc_day('min(occurred_at)') }} - 2 as first_on,
        {{ utc_day('max(occurred_at)') }} + 2 as last_on
    from {{ ref('stg_logs__calls') }}

),

days as (

    select unnest(generate_series(first_on, last_on, interval 1 day)) as day_at
    from horizon

),

open_ranges as (

    select distinct
        ranges.window_definition,
        ranges.is_outside,
        timezone(ranges.zone, days.day_at + cast(ranges.starts_at as interval)) as open_from,
        timezone(
            ranges.zone,
            days.day_at + cast(ranges.ends_at as interval) + case when ranges.ends_at <= ranges.starts_at then interval 1 day else interval 0 day end
        ) as open_to
    from ranges
    cross join days
    inner join weekdays on ranges.window_definition = weekdays.window_definition and isodow(days.day_at) = weekdays.weekday

),

-- Ranges that touch or overlap are one, so that what lies between is truly outside.
started as (

    select
        *,
        coalesce(max(open_to) over earlier < open_from, true) as is_start
    from open_ranges
    window earlier as (partition by window_definition order by open_from, open_to rows between unbounded preceding and 1 preceding)

),

grouped as (

    select
        *,
        sum(cast(is_start as integer)) over (partition by window_definition order by open_from, open_to) as group_number
    from started

),

merged as (

    select
        window_definition,
        is_outside,
        min(open_from) as open_from,
        max(open_to) as open_to
    from grouped
    group by window_definition, is_outside, group_number

),

final as (

    select
        window_definition,
        open_from,
        open_to
    from merged
    where not is_outside
    union all
    select
        window_definition,
        open_to as open_from,
        lead(open_from) over (partition by window_definition order by open_from) as open_to
    from merged
    where is_outside

)

select *
from final
where open_to is not null and open_from < open_to
