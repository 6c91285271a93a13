"""The price row: one seller, one meter, one amount, its conditions, its time, its proof.

Belongs here: the row, its exact arithmetic, its key, and the stored page it comes from. Does not
belong here: how a page is fetched (`fetch`), found in a page (`tables`, `providers/`), or what
is believed when (the price book computes known time from captures).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from scrapers.errors import ConflictingRows
from scrapers.vocabulary import CURRENCIES, METERS, PROVIDERS

# A unit amount must be exact at this many decimals; the warehouse stores DECIMAL(38, 18).
UNIT_SCALE = 18


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("an instant needs a zone (append Z for UTC)")
    return value.astimezone(UTC)


Instant = Annotated[datetime, AfterValidator(_utc)]
Clock = Annotated[str, Field(pattern=r"^(?:[01]\d|2[0-3]):[0-5]\d$")]


class Per(BaseModel):
    """What the amount buys, as published: `1000000 tokens`, `1 image`, `1 hour`, `factor`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quantity: Annotated[Decimal, Field(gt=0)]
    unit: str

    def __str__(self) -> str:
        return self.unit if self.unit == "factor" else f"{self.quantity:f} {self.unit}"


MTOK = Per(quantity=Decimal(1_000_000), unit="tokens")
KTOK = Per(quantity=Decimal(1_000), unit="tokens")
TOKEN = Per(quantity=Decimal(1), unit="tokens")
FACTOR = Per(quantity=Decimal(1), unit="factor")


class Window(BaseModel):
    """A named time-of-day window in its own zone, e.g. DeepSeek's peak hours.

    `hours` are half-open [from, to) clock times "HH:MM" of the zone; a range may cross midnight, and then
    belongs to the day it begins on; one that ends where it begins is the whole day. `weekdays` are ISO
    numbers 1 (Monday) to 7. `holidays` names a calendar ("CN") whose days are outside whatever the clock
    says. `is_outside` turns it all round: the window is every other time. A named window without hours is
    one whose hours the page does not state, and no call can match it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    zone: str = "UTC"
    hours: tuple[tuple[Clock, Clock], ...] = ()
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = (1, 2, 3, 4, 5, 6, 7)
    holidays: str | None = None
    is_outside: bool = False

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{name!r} is no time zone") from error
        return name

    @model_serializer(mode="wrap")
    def _without_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What a window does not use is not written, so that stored definitions stay what they were."""
        unused = {"is_outside": False, "holidays": None}
        return {name: value for name, value in handler(self).items() if name not in unused or value != unused[name]}

    def contains(self, instant: datetime, holidays: Collection[date] = ()) -> bool:
        """Whether the window is open at an instant, exactly, by the clock on the wall of its zone.

        `holidays` are the days of the calendar the window names; whoever does not know them gets the answer
        for a year without any. Raises ValueError for an instant without a zone.
        """
        if instant.tzinfo is None:
            raise ValueError("an instant needs a zone")
        if not self.hours:
            return False
        wall = instant.astimezone(ZoneInfo(self.zone))
        day_before = wall.date() - timedelta(days=1)
        is_inside = False
        for start, end in ((time.fromisoformat(a), time.fromisoformat(b)) for a, b in self.hours):
            if start < end:
                is_inside |= start <= wall.time() < end and self._is_day(wall.date(), holidays)
            else:
                is_inside |= wall.time() >= start and self._is_day(wall.date(), holidays)
                is_inside |= wall.time() < end and self._is_day(day_before, holidays)
        return is_inside != self.is_outside

    def _is_day(self, day: date, holidays: Collection[date]) -> bool:
        return day.isoweekday() in self.weekdays and not (self.holidays and day in holidays)


class PriceRow(BaseModel):
    """One published price. Amounts are exact; null is never zero (no price is no row).

    `context_from` is the token threshold from which the row holds (0 is the base row);
    `context_inclusive` says whether a request of exactly that many tokens is in it;
    `context_mode` says whether the whole request takes this rate or only the tokens beyond.
    A `multiplier` row's amount is a factor, and `applies_to` names the meters it multiplies.
    `where` and `text` are the evidence inside the page: the path to the cell, and its words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str
    model: Annotated[str, Field(min_length=1)]
    model_label: str
    meter: str
    service_tier: Literal["standard", "batch", "flex", "priority", "fast"] = "standard"
    region: str = "global"
    context_from: Annotated[int, Field(ge=0)] = 0
    context_inclusive: bool = False
    context_mode: Literal["whole", "marginal"] = "whole"
    window: Window | None = None
    currency: str = "USD"
    amount: Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
    per: Per = MTOK
    valid_from: Instant | None = None
    valid_to: Instant | None = None
    valid_from_basis: Literal["stated", "first_observed"] = "first_observed"
    status: Literal["active", "announced", "cancelled"] = "active"
    applies_to: tuple[str, ...] = ()
    where: str
    text: str

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.provider not in PROVIDERS:
            raise ValueError(f"provider {self.provider!r} is not registered in scrapers/vocabulary.py")
        if self.meter not in METERS:
            raise ValueError(f"meter {self.meter!r} is not registered in scrapers/vocabulary.py")
        if self.currency not in CURRENCIES:
            raise ValueError(f"currency {self.currency!r} is not registered in scrapers/vocabulary.py")
        if (self.meter == "multiplier") != (self.per.unit == "factor"):
            raise ValueError("a multiplier is a factor, and only a multiplier is")
        unknown = [meter for meter in self.applies_to if meter not in METERS]
        if unknown:
            raise ValueError(f"applies_to names unregistered meters: {unknown}")
        if (self.valid_from is None) == (self.valid_from_basis == "stated"):
            raise ValueError("valid_from is given exactly when its basis is 'stated'")
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise ValueError("valid_to must come after valid_from")
        if self.status == "announced" and self.valid_from is None:
            raise ValueError("an announced price needs the instant it starts; a vague notice is not a price")
        _ = self.unit_amount  # must be exact
        return self

    @property
    def unit_amount(self) -> Decimal:
        """The amount for one unit, exact. Raises ValueError if it needs more than 18 decimals."""
        unit = self.amount / self.per.quantity
        if unit * self.per.quantity != self.amount or -int(unit.as_tuple().exponent) > UNIT_SCALE:
            raise ValueError(f"{self.amount} per {self.per} is not exact at {UNIT_SCALE} decimals")
        return unit

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two rows the same price stated twice (amount, time and evidence apart)."""
        return (
            self.provider, self.model, self.meter, self.service_tier, self.region,
            str(self.context_from), self.window.name if self.window else "", self.currency,
            self.status, _iso(self.valid_from) or "" if self.status == "announced" else "",
            ",".join(self.applies_to) if self.meter == "multiplier" else "",
        )  # fmt: skip


@dataclass(frozen=True)  # no slots: a cached property needs a place
class Capture:
    """A stored page: the body as fetched and how it was come by. Readers take nothing else."""

    source: str
    url: str
    captured_at: datetime
    body: bytes
    content_type: str | None = None
    final_url: str | None = None
    status_code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace").removeprefix("\ufeff")


def distinct(rows: Iterable[PriceRow]) -> list[PriceRow]:
    """Rows in page order, one per key. The same price stated twice is one row; two amounts for one
    key raise ConflictingRows: one of them is misread, and guessing which is not ours to do."""
    kept: dict[tuple[str, ...], PriceRow] = {}
    for row in rows:
        first = kept.setdefault(row.key, row)
        same = (first.unit_amount, first.per.unit, first.valid_from, first.context_inclusive)
        if same != (row.unit_amount, row.per.unit, row.valid_from, row.context_inclusive):
            raise ConflictingRows(
                f"{row.provider} states two prices for {row.model} {row.meter} ({row.service_tier}, "
                f"{row.currency}, from {row.context_from} tokens): {first.amount} per {first.per} at "
                f"[{first.where}] and {row.amount} per {row.per} at [{row.where}]"
            )
    return list(kept.values())


def as_json(row: PriceRow, capture: Capture, kind: str) -> dict[str, Any]:
    """One row as plain JSON values under the contract's field names; amounts as decimal text."""
    return {
        "provider": row.provider,
        "model": row.model,
        "model_label": row.model_label,
        "meter": row.meter,
        "service_tier": row.service_tier,
        "region": row.region,
        "context_from": row.context_from,
        "context_inclusive": row.context_inclusive,
        "context_mode": row.context_mode,
        "window": row.window.model_dump(mode="json") if row.window else None,
        "currency": row.currency,
        "amount": f"{row.amount:f}",
        "per": str(row.per),
        "unit_amount": f"{row.unit_amount:f}",
        "valid_from": _iso(row.valid_from),
        "valid_to": _iso(row.valid_to),
        "valid_from_basis": row.valid_from_basis,
        "known_from": _iso(capture.captured_at),
        "known_to": None,
        "status": row.status,
        "applies_to": list(row.applies_to),
        "evidence": {
            "source_url": capture.url,
            "kind": kind,
            "fetched_at": _iso(capture.captured_at),
            "sha256": capture.sha256,
            "where": row.where,
            "text": row.text,
        },
    }


def _iso(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value else None
