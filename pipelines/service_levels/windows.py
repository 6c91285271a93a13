"""A window of time in a zone, and the columns a question is grouped by.

Belongs here: reading `--from`, `--to`, `--zone`, `--by` and `--where` into a `Question`, and the SQL of its
filter and groups. Does not belong here: what is counted (`usage.py`, `percentiles.py`).

Windows are half-open, [start, end), and begin and end with a quarter of an hour: the facts know no finer time,
and every zone in use is a whole number of quarters from UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipelines.errors import RatehouseError

QUARTER: Final = timedelta(minutes=15)

# Grain -> SQL over `quarter_hour_at`, the instant, and `local`, the time on the zone's clocks. A day, week or month
# is a date of that zone; an hour is the instant it begins on those clocks.
GRAINS: Final[dict[str, str]] = {
    "quarter_hour": "quarter_hour_at",
    "hour": "quarter_hour_at - to_minutes(date_part('minute', {local}))",
    "day": "cast({local} as date)",
    "week": "cast(date_trunc('week', {local}) as date)",
    "month": "cast(date_trunc('month', {local}) as date)",
}


class BadQuestionError(RatehouseError):
    """A window, zone, group or filter that cannot be asked for; the message says what can."""

    name = "bad_question"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: groups, window and filters; without `start` or `end` the window is open on that side."""

    by: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    zone: str = "UTC"
    where: tuple[tuple[str, str | None], ...] = field(default=())

    @property
    def columns(self) -> set[str]:
        """The columns of calls it speaks of: grains of time are none."""
        return {name for name in (*self.by, *(name for name, _ in self.where)) if name not in GRAINS}

    def groups(self) -> dict[str, str]:
        """Name of each group -> its SQL; the zone is `$zone`."""
        local = "timezone($zone, quarter_hour_at)"
        return {name: GRAINS[name].format(local=local) if name in GRAINS else name for name in self.by}

    def condition(self) -> tuple[str, dict[str, Any]]:
        """The SQL of window and filters over `quarter_hour_at` and the columns, and its parameters."""
        parts = ["$zone is not null"]  # names the zone for the engine also where no group needs it
        values: dict[str, Any] = {"zone": self.zone}
        for name, operator, instant in (("start", ">=", self.start), ("end", "<", self.end)):
            if instant:
                parts.append(f"quarter_hour_at {operator} ${name}")
                values[name] = instant
        for number, (column, value) in enumerate(self.where):
            parts.append(f"{column} is not distinct from $where_{number}")
            values[f"where_{number}"] = value
        return " and ".join(parts), values


def ask(
    allowed: Collection[str],
    *,
    by: str | Sequence[str] = (),
    start: str | None = None,
    end: str | None = None,
    zone: str = "UTC",
    where: Iterable[str] = (),
) -> Question:
    """A question from words: `by` as `provider,day`, instants in ISO 8601 (a day is its first instant in the zone),
    filters as `column=value`, where an empty value asks for unknown.

    `allowed` are the columns that may be grouped and filtered by, beside the grains of time. Raises BadQuestionError.
    """
    clock = _zone(zone)
    names = tuple(part.strip() for part in by.split(",") if part.strip()) if isinstance(by, str) else tuple(by)
    for name in names:
        if name not in allowed and name not in GRAINS:
            raise BadQuestionError(f"cannot group by {name!r}; there are {', '.join((*GRAINS, *sorted(allowed)))}")
        if names.count(name) > 1:
            raise BadQuestionError(f"{name} is grouped by twice")
    filters = tuple(_filter(one, allowed) for one in where)
    first, last = _instant(start, clock, "--from"), _instant(end, clock, "--to")
    if first and last and first >= last:
        raise BadQuestionError(f"the window is empty: --from {start} is not before --to {end}")
    return Question(names, first, last, zone, filters)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadQuestionError(f"there is no time zone {name!r}; give an IANA name such as Europe/Berlin") from error


def _filter(text: str, allowed: Collection[str]) -> tuple[str, str | None]:
    column, equals, value = text.partition("=")
    if not equals or column not in allowed:
        raise BadQuestionError(f"{text!r} is no filter; write column=value with one of {', '.join(sorted(allowed))}")
    return column, value or None


def _instant(text: str | None, clock: ZoneInfo, option: str) -> datetime | None:
    """The instant in UTC. A day is its first instant on the zone's clocks, which is not midnight where clocks
    jump over it."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)  # of a day alone its midnight
    except ValueError as error:
        raise BadQuestionError(f"{option} {text!r} is no day and no instant (ISO 8601)") from error
    try:
        instant = (at if at.tzinfo else at.replace(tzinfo=clock)).astimezone(UTC)
    except OverflowError as error:
        raise BadQuestionError(f"{option} {text!r} is out of range") from error
    if (instant - datetime(1970, 1, 1, tzinfo=UTC)) % QUARTER:
        raise BadQuestionError(f"{option} {text!r} does not begin a quarter of an hour, the finest time kept")
    return instant
