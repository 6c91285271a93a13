"""Every call counts once, on its own day, in every zone."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.logs.canonical import METER_COLUMNS
from pipelines.service_levels import macros
from pipelines.service_levels.usage import COLUMNS, usage
from pipelines.service_levels.windows import ask

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Chatham",
    "Australia/Lord_Howe", "America/Havana", "Africa/Cairo", "Asia/Beirut", "Pacific/Apia", "Pacific/Kiritimati",
)  # fmt: skip
YEAR = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def facts(marts):
    """An empty `usage_15m`, and a function that fills it with an attempt at each instant."""
    meters = ", ".join(f"{column} bigint" for column in METER_COLUMNS)
    counts = ("request_count", "retry_count", "gateway_cache_hit_count", "usage_unknown_count", "unpriced_count",
              "estimated_count", "not_billed_count")  # fmt: skip
    marts.execute(
        f"create table marts.usage_15m (quarter_hour_at timestamptz, {', '.join(f'{c} varchar' for c in COLUMNS)},"
        f" attempt_count bigint, {', '.join(f'{c} bigint' for c in counts)}, {meters}, cost_usd decimal(38, 18))"
    )
    quarter = macros.rendered("quarter_hours", "quarter_hour", "occurred_at")

    def fill(instants):
        marts.execute("delete from marts.usage_15m")
        marts.execute(
            "insert into marts.usage_15m by name"
            f" select {quarter} as quarter_hour_at, 'ok' as status, provider, count(*) as attempt_count,"
            " count(*) as request_count, 0 as unpriced_count, 0 as not_billed_count, sum(usd) as cost_usd"
            " from (select unnest($instants::timestamptz[]) as occurred_at, unnest($providers) as provider,"
            " 0.000000000000000007::decimal(38, 18) as usd) as calls group by all",
            {"instants": instants, "providers": ["openai" if n % 2 else None for n in range(len(instants))]},
        )
        return marts

    return fill


# Instants of a year, half of them within a day of a change of the clocks somewhere.
changes = st.sampled_from(
    [(3, 9), (3, 30), (4, 6), (4, 25), (9, 28), (10, 5), (10, 26), (10, 31), (11, 2), (1, 1), (12, 31)]
).map(lambda on: datetime(2025, *on, tzinfo=UTC))
instants = st.lists(
    st.one_of(
        st.timedeltas(timedelta(0), timedelta(days=364)).map(lambda since: YEAR + since),
        st.tuples(changes, st.timedeltas(timedelta(days=-1), timedelta(days=1))).map(lambda both: both[0] + both[1]),
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=20, deadline=None)
@given(instants=instants, zone=st.sampled_from(ZONES))
def test_a_call_is_of_the_day_the_zones_clocks_showed(facts, instants, zone):
    connection = facts(instants)
    clock = ZoneInfo(zone)
    expected = Counter(at.astimezone(clock).date() for at in instants)
    days = usage(connection, ask(COLUMNS, by="day", zone=zone))
    assert {row["day"]: row["attempt_count"] for row in days} == expected
    assert sum(row["cost_usd"] for row in days) == Decimal("0.000000000000000007") * len(instants)
    months = usage(connection, ask(COLUMNS, by="month", zone=zone))
    assert {row["month"]: row["attempt_count"] for row in months} == Counter(
        at.astimezone(clock).date().replace(day=1) for at in instants
    )
    for grain in ("quarter_hour", "hour", "week", "provider"):
        assert sum(r["attempt_count"] for r in usage(connection, ask(COLUMNS, by=grain, zone=zone))) == len(instants)


@settings(max_examples=12, deadline=None)
@given(instants=instants, zone=st.sampled_from(ZONES))
def test_the_window_of_a_day_holds_what_grouping_gives_that_day(facts, instants, zone):
    connection = facts(instants)
    for row in usage(connection, ask(COLUMNS, by="day", zone=zone)):
        on = row["day"]
        whole = usage(connection, ask(COLUMNS, start=str(on), end=str(on + timedelta(days=1)), zone=zone))
        assert [one["attempt_count"] for one in whole] == [row["attempt_count"]]


def test_an_hour_begins_on_the_zones_clocks(facts):
    connection = facts([datetime(2025, 6, 1, 10, 20, tzinfo=UTC)])
    (row,) = usage(connection, ask(COLUMNS, by="hour", zone="Asia/Kathmandu"))
    assert row["hour"].astimezone(ZoneInfo("Asia/Kathmandu")).strftime("%H:%M") == "16:00"


def test_filters_know_unknown_and_a_window_without_calls_has_no_rows(facts):
    connection = facts([YEAR, YEAR, YEAR])
    assert [r["attempt_count"] for r in usage(connection, ask(COLUMNS, where=["provider="]))] == [2]
    assert [r["attempt_count"] for r in usage(connection, ask(COLUMNS, where=["provider=openai"]))] == [1]
    assert [r["provider"] for r in usage(connection, ask(COLUMNS, by="provider"))] == ["openai", None]
    assert usage(connection, ask(COLUMNS, where=["provider=x' or true --"])) == []
    assert usage(connection, ask(COLUMNS, start="2025-01-02")) == []
