"""What DeepSeek's sentences about peak hours and starting instants mean, in two languages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from scrapers.errors import LayoutChanged
from scrapers.providers._deepseek_notices import start_of, windows

UTC_PEAK = (("01:00", "04:00"), ("06:00", "10:00"))
BEIJING_PEAK = (("09:00", "12:00"), ("14:00", "18:00"))
ALL, WEEKDAYS = (1, 2, 3, 4, 5, 6, 7), (1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("page", "zone", "hours", "weekdays"),
    [
        ("Peak hours are 01:00 - 04:00 and 06:00 - 10:00 UTC (all other hours are off-peak).", "UTC", UTC_PEAK, ALL),
        (
            "Peak hours are 01:00-04:00 and 06:00-10:00 UTC, Monday through Friday, excluding Chinese public holidays.",
            "UTC",
            UTC_PEAK,
            WEEKDAYS,
        ),
        ("[Peak hours: 9:00–12:00 and 14:00–18:00 (Beijing Time, UTC+8) daily]", "Asia/Shanghai", BEIJING_PEAK, ALL),
        ("【高峰时段定义：北京时间每日 9:00～12:00 和 14:00～18:00】", "Asia/Shanghai", BEIJING_PEAK, ALL),
        (
            "北京时间周一至周五（不含中国法定节假日）9:00 - 12:00、14:00 - 18:00 为高峰时段；其余时段均为空闲时段。",
            "Asia/Shanghai",
            BEIJING_PEAK,
            WEEKDAYS,
        ),
    ],
)
def test_peak_hours(page: str, zone: str, hours: tuple[tuple[str, str], ...], weekdays: tuple[int, ...]) -> None:
    peak = windows(page)["peak"]
    assert (peak.zone, peak.hours, peak.weekdays) == (zone, hours, weekdays)


def test_off_peak_is_every_other_hour_where_the_page_says_so() -> None:
    peak = "Peak hours are 01:00 - 04:00 and 06:00 - 10:00 UTC"
    rest = windows(f"{peak} (all other hours are off-peak).")["off_peak"]
    assert (rest.hours, rest.is_outside) == (UTC_PEAK, True)
    assert windows(f"{peak}.")["off_peak"].hours == ()


def test_where_peak_is_for_workdays_weekends_and_holidays_are_off_peak() -> None:
    text = "Peak hours are 01:00-04:00 UTC, Monday through Friday, excluding Chinese public holidays. All other hours are off-peak."
    found = windows(text)
    saturday, national_day = datetime(2026, 8, 22, 2, tzinfo=UTC), datetime(2026, 10, 1, 2, tzinfo=UTC)
    assert found["peak"].holidays == found["off_peak"].holidays == "CN"
    assert found["off_peak"].contains(saturday)
    assert not found["peak"].contains(saturday)
    assert found["peak"].contains(national_day)
    assert not found["peak"].contains(national_day, {national_day.date()})
    assert found["off_peak"].contains(national_day, {national_day.date()})


def test_windows_nobody_defines_have_no_hours() -> None:
    assert windows("Prices per 1M tokens.")["peak"].hours == ()


@pytest.mark.parametrize(
    "page",
    [
        "Peak hours are 01:00 - 04:00 UTC, on workdays of the lunar calendar.",
        "Peak hours begin at 01:00 UTC.",
        "Peak hours are 01:00 - 04:00 UTC. Peak hours are 02:00 - 05:00 UTC.",
        "Peak hours are 22:00 - 04:00 UTC.",
        "Peak hours are 01:00 - 04:00 PST.",
    ],
)
def test_peak_hours_in_another_form_fail(page: str) -> None:
    with pytest.raises(LayoutChanged):
        windows(page)


@pytest.mark.parametrize(
    "notice",
    [
        "The new prices take effect at 16:00 UTC on August 16, 2026, as follows:",
        "Effective Aug. 16, 2026 at 16:00 (UTC):",
        "New prices from 00:00 (Beijing Time, UTC+8) on August 17, 2026:",
        "新价格于北京时间 2026 年 8 月 17 日 00:00 起生效：",
    ],
)
def test_the_instant_a_price_starts(notice: str) -> None:
    assert start_of(notice) == datetime(2026, 8, 16, 16, tzinfo=UTC)


def test_a_notice_without_an_instant_starts_nothing() -> None:
    assert start_of("Prices will rise in August 2026.") is None


def test_a_notice_with_two_instants_fails() -> None:
    with pytest.raises(LayoutChanged):
        start_of("From 16:00 UTC on August 16, 2026 until 16:00 UTC on August 20, 2026:")
