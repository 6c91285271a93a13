"""What DeepSeek's page says about time, in words: peak hours, and the instant a price starts.

English and Chinese sentences, each read in the zone it names (UTC or Beijing time) and never
converted, except the start of a price, which is an instant. A sentence about peak hours in any other
form raises LayoutChanged when it is needed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from scrapers.errors import LayoutChanged
from scrapers.prices import Window

_RANGE = r"\d{1,2}:\d{2}\s*[-–—~～]\s*\d{1,2}:\d{2}"
_RANGES = rf"(?P<ranges>{_RANGE}(?:(?:\s*[,、，]\s*(?:and )?|\s*(?:and|和)\s*){_RANGE})*)"
_HOURS = (
    re.compile(
        rf"(?<!off-)(?<!off )peak hours(?: are|:) {_RANGES}"
        r" \(?(?P<zone>UTC(?!\+)|Beijing Time(?:, UTC\+8)?)\)?(?P<days>[^.()\]]*)",
        re.I,
    ),
    re.compile(rf"(?P<zone>北京时间)(?P<days>[^\d。；，、]*?){_RANGES}\s*为高峰时段"),
    re.compile(rf"高峰时段(?:定义)?\s*(?:为|：|:)\s*(?P<zone>北京时间)(?P<days>[^\d。；，、]*?){_RANGES}"),
)
_PEAK_WORDS = re.compile(r"(?<!off-)(?<!off )peak hours|高峰时段[^\d]{0,12}\d|\d为高峰时段", re.I)
_REST_IS_OFF_PEAK = re.compile(r"all other hours are off-peak|其余时(?:段|间)", re.I)
# The days of the calendar are not stated: a window names it, and the words stay in the row's evidence.
_EXCEPT = re.compile(r",? excluding chinese public holidays|[（(]不含中国法定节假日[）)]", re.I)
_DAYS = {
    "": (1, 2, 3, 4, 5, 6, 7), "daily": (1, 2, 3, 4, 5, 6, 7), "every day": (1, 2, 3, 4, 5, 6, 7),
    "每日": (1, 2, 3, 4, 5, 6, 7), "每天": (1, 2, 3, 4, 5, 6, 7),
    "monday through friday": (1, 2, 3, 4, 5), "monday to friday": (1, 2, 3, 4, 5), "周一至周五": (1, 2, 3, 4, 5),
}  # fmt: skip
_ZONES = {"utc": "UTC", "beijing time": "Asia/Shanghai", "北京时间": "Asia/Shanghai"}

_INSTANTS = (
    re.compile(
        r"(?P<hour>\d{1,2}):(?P<minute>\d{2})\s*\(?(?P<zone>UTC(?!\+)|Beijing Time)[^)\d]{0,3}(?:UTC\+8)?\)?,? on "
        r"(?P<month>[A-Z][a-z]+)\.? (?P<day>\d{1,2}),? (?P<year>\d{4})",
        re.I,
    ),
    re.compile(
        r"(?P<month>[A-Z][a-z]+)\.? (?P<day>\d{1,2}),? (?P<year>\d{4}),?(?: at)? (?P<hour>\d{1,2}):(?P<minute>\d{2})"
        r"\s*\(?(?P<zone>UTC(?!\+)|Beijing Time)",
        re.I,
    ),
    re.compile(
        r"(?P<zone>北京时间)\s*(?P<year>\d{4})\s*年\s*(?P<month>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*日\s*"
        r"(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    ),
)


def windows(page: str) -> dict[str, Window]:
    """The windows "peak" and "off_peak" as the page's own sentence defines them.

    Off-peak hours are stated as all others: the same window from outside, weekends and holidays included
    where peak hours hold on workdays only. Without any sentence the windows have no hours. Raises
    LayoutChanged for a sentence that cannot be read, or two that differ.
    """
    found = {_peak(match) for pattern in _HOURS for match in pattern.finditer(page)}
    if len(found) > 1:
        raise LayoutChanged(f"deepseek: the page states its peak hours in two ways: {sorted(map(repr, found))}")
    if not found:
        if words := _PEAK_WORDS.search(page):
            around = page[max(0, words.start() - 20) : words.end() + 120]
            raise LayoutChanged(f"deepseek: peak hours are stated in a form this reader does not know: {around!r}")
        return {"peak": Window(name="peak"), "off_peak": Window(name="off_peak")}
    peak = found.pop()
    if _REST_IS_OFF_PEAK.search(page):
        return {"peak": peak, "off_peak": peak.model_copy(update={"name": "off_peak", "is_outside": True})}
    return {"peak": peak, "off_peak": Window(name="off_peak", zone=peak.zone)}


def sentence(page: str) -> str:
    """The words the windows come from, for the evidence of a row."""
    matches = [match for pattern in _HOURS if (match := pattern.search(page))]
    if not matches:
        return ""
    end = re.compile(r"[.。]").search(page, matches[0].end())
    return page[matches[0].start() : end.end() if end else matches[0].end()]


def _peak(match: re.Match[str]) -> Window:
    days, exceptions = _EXCEPT.subn("", match["days"])
    days = days.strip(" ,").lower()
    if days not in _DAYS:
        raise LayoutChanged(f"deepseek: the days of the peak hours are not known: {match[0]!r}")
    zone = _ZONES[match["zone"].lower().partition(",")[0]]
    hours = tuple(
        (f"{int(a):02}:{b}", f"{int(c):02}:{d}")
        for a, b, c, d in re.findall(r"(\d{1,2}):(\d{2})\s*[-–—~～]\s*(\d{1,2}):(\d{2})", match["ranges"])
    )
    if any(not "00:00" <= start < end <= "23:59" for start, end in hours) or sorted(hours) != list(hours):
        raise LayoutChanged(f"deepseek: the peak hours are not ranges of one day in order: {match[0]!r}")
    return Window(name="peak", zone=zone, hours=hours, weekdays=_DAYS[days], holidays="CN" if exceptions else None)


def start_of(notice: str) -> datetime | None:
    """The one instant a notice names, in UTC; None if it names none. Raises LayoutChanged for two."""
    found = {_instant(match) for pattern in _INSTANTS for match in pattern.finditer(notice)}
    if len(found) > 1:
        raise LayoutChanged(f"deepseek: the notice above a price table names several instants: {notice!r}")
    return found.pop() if found else None


def _instant(match: re.Match[str]) -> datetime:
    month = match["month"]
    number = int(month) if month.isdigit() else datetime.strptime(month[:3], "%b").replace(tzinfo=UTC).month
    zone = ZoneInfo(_ZONES[match["zone"].lower()])
    return datetime(
        int(match["year"]), number, int(match["day"]), int(match["hour"]), int(match["minute"]), tzinfo=zone
    ).astimezone(UTC)
