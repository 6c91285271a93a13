"""Windows of the clock: exact at their edges, over midnight and over a change of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scrapers.prices import Window

ZONES = st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
CLOCKS = st.times().map(lambda at: f"{at:%H:%M}")
WINDOWS = st.builds(
    Window,
    name=st.just("peak"),
    zone=ZONES,
    hours=st.lists(st.tuples(CLOCKS, CLOCKS), min_size=1, max_size=3).map(tuple),
    weekdays=st.sets(st.integers(1, 7), min_size=1).map(lambda days: tuple(sorted(days))),
    holidays=st.sampled_from([None, "CN"]),
)
INSTANTS = st.timedeltas(timedelta(0), timedelta(days=730)).map(lambda after: datetime(2026, 1, 1, tzinfo=UTC) + after)
DAYS = st.sets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=3)


@given(WINDOWS, INSTANTS, DAYS)
def test_a_window_and_its_outside_are_all_of_time(window: Window, instant: datetime, holidays: set[date]) -> None:
    outside = window.model_copy(update={"name": "off_peak", "is_outside": True})
    assert window.contains(instant, holidays) != outside.contains(instant, holidays)


@given(WINDOWS, INSTANTS)
def test_the_zone_an_instant_is_written_in_changes_nothing(window: Window, instant: datetime) -> None:
    assert window.contains(instant) == window.contains(instant.astimezone(ZoneInfo("Asia/Kathmandu")))


@given(WINDOWS, INSTANTS, DAYS)
def test_it_says_what_counting_minutes_says(window: Window, instant: datetime, holidays: set[date]) -> None:
    """Another way to the answer: minutes since the midnight of the day a range begins on."""
    wall = instant.astimezone(ZoneInfo(window.zone)).replace(tzinfo=None)
    found = False
    for back in (0, 1):
        day = wall.date() - timedelta(days=back)
        if day.isoweekday() not in window.weekdays or (window.holidays and day in holidays):
            continue
        minute = (wall - datetime.combine(day, time())).total_seconds() / 60
        for start, end in window.hours:
            first, last = (int(clock[:2]) * 60 + int(clock[3:]) for clock in (start, end))
            found |= first <= minute < (last if first < last else last + 24 * 60)
    assert window.contains(instant, holidays) == found


@pytest.mark.parametrize(
    ("clock", "expected"),
    [("21:59:59.999999", False), ("22:00", True), ("23:59:59.999999", True), ("00:00", True), ("01:59:59", True), ("02:00", False)],
)  # fmt: skip
def test_edges_are_half_open_and_midnight_is_crossed(clock: str, expected: bool) -> None:
    window = Window(name="night", hours=(("22:00", "02:00"),))
    assert window.contains(datetime.fromisoformat(f"2026-08-20T{clock}+00:00")) is expected


def test_a_night_belongs_to_the_day_it_begins_on() -> None:
    window = Window(name="friday night", hours=(("22:00", "02:00"),), weekdays=(5,))
    assert window.contains(datetime(2026, 8, 22, 1, tzinfo=UTC))  # Saturday
    assert not window.contains(datetime(2026, 8, 21, 1, tzinfo=UTC))  # Friday, of Thursday's night


def test_a_repeated_hour_is_twice_in_the_window_and_a_skipped_one_never() -> None:
    window = Window(name="small hours", zone="Europe/Berlin", hours=(("02:00", "03:00"),))
    autumn = [datetime(2026, 10, 25, 0, 0, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(6)]
    assert [window.contains(at) for at in autumn] == [True, True, True, True, False, False]
    spring = [datetime(2026, 3, 29, 0, 30, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(4)]
    assert not any(window.contains(at) for at in spring)


def test_a_window_whose_hours_nobody_states_is_never_open_nor_its_outside() -> None:
    now = datetime(2026, 8, 20, tzinfo=UTC)
    assert not Window(name="peak").contains(now)
    assert not Window(name="off_peak", is_outside=True).contains(now)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        Window(name="peak", hours=(("01:00", "02:00"),)).contains(datetime(2026, 8, 20))  # noqa: DTZ001  # the point


@pytest.mark.parametrize(
    "bad", [{"hours": (("24:00", "01:00"),)}, {"hours": (("1:00", "02:00"),)}, {"weekdays": (0,)}, {"zone": "Mars/Base"}, {"days": 1}]
)  # fmt: skip
def test_what_is_no_window_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Window.model_validate({"name": "peak"} | bad)


def test_what_a_window_does_not_use_is_not_written() -> None:
    plain = Window(name="night", hours=(("22:00", "02:00"),))
    assert set(plain.model_dump(mode="json")) == {"name", "zone", "hours", "weekdays"}
    outside = plain.model_copy(update={"is_outside": True, "holidays": "CN"})
    assert Window.model_validate(outside.model_dump(mode="json")) == outside
