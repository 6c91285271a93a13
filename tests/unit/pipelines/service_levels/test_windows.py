from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipelines.service_levels.windows import BadQuestionError, ask

COLUMNS = ("provider", "model", "tenant")


@pytest.mark.parametrize(
    ("zone", "day", "first"),
    [
        ("UTC", "2026-03-29", "2026-03-29T00:00"),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00"),  # 23 hours long
        ("Europe/Berlin", "2026-03-30", "2026-03-29T22:00"),
        ("Asia/Kolkata", "2026-03-29", "2026-03-28T18:30"),
        ("Asia/Kathmandu", "2026-03-29", "2026-03-28T18:15"),
        ("Pacific/Chatham", "2026-07-01", "2026-06-30T11:15"),
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00"),  # clocks jump over midnight: the day begins at 01:00
        ("America/Havana", "2025-11-02", "2025-11-02T04:00"),  # midnight comes twice: the day begins with the first
    ],
)
def test_a_day_is_its_first_instant_on_the_zones_clocks(zone, day, first):
    start = ask(COLUMNS, start=day, zone=zone).start
    assert start == datetime.fromisoformat(first).replace(tzinfo=UTC)


def test_an_instant_keeps_its_own_offset_and_one_without_is_on_the_zones_clocks():
    question = ask(COLUMNS, start="2026-03-01T10:15:00+05:45", end="2026-03-01T10:15", zone="Europe/Berlin")
    assert question.start == datetime(2026, 3, 1, 4, 30, tzinfo=UTC)
    assert question.end == datetime(2026, 3, 1, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"zone": "Mars/Olympus"}, "no time zone 'Mars/Olympus'"),
        ({"zone": "../../etc/passwd"}, "no time zone"),
        ({"by": "provider,colour"}, "cannot group by 'colour'; there are quarter_hour, .*tenant"),
        ({"by": "1; drop table x"}, "cannot group by"),
        ({"by": "day,day"}, "day is grouped by twice"),
        ({"where": ["colour=red"]}, "no filter; write column=value"),
        ({"where": ["provider"]}, "no filter; write column=value"),
        ({"start": "yesterday"}, "--from 'yesterday' is no day"),
        ({"end": "2026-02-30"}, "--to '2026-02-30' is no day"),
        ({"start": "2026-03-01T10:07:00Z"}, "does not begin a quarter of an hour"),
        ({"start": "2026-03-01", "end": "2026-03-01"}, "the window is empty"),
        ({"start": "0001-01-01", "zone": "Asia/Kathmandu"}, "out of range|does not begin"),
    ],
)
def test_what_cannot_be_asked_is_named(given, words):
    with pytest.raises(BadQuestionError, match=words):
        ask(COLUMNS, **given)
