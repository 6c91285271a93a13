"""What one call costs, by the rules of the book, as a pure function.

Belongs here: selecting the rate of each meter of one call, and its exact lines. Does not belong here: a
million calls (the dbt models do those, set-based; a test holds both against each other), where prices come
from, conversion between currencies.

The rules, in order: prices of the call's seller and model, known at the instant asked for and valid at the
call's own; a contract price of the tenant before a correction, before a page, before a list; the rows of the
call's region, else global ones times the region's factor; the rows of its tier, else the standard ones times
the tier's factor; a time-of-day window that is open before the row without one; the highest context threshold
the whole input crosses, meter by meter. A call before everything known takes the earliest rows, marked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any, Final

from scrapers.prices import Window

# Which prices outrank which at one key; see also `int_prices__effective`.
PRECEDENCE: Final = {"contract": 1, "manual": 2, "official_api": 3, "official_page": 3, "list": 4}
INPUT_METERS: Final = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "input_audio", "input_image")
# A meter billed at another's rate where it has none of its own, as the contract of the book says.
FALLBACK: Final = {"reasoning": "output", "input": "embedding"}
_DIGITS: Final = 60  # exact: 20 of a rate, 18 of a count, 6 of each factor


@dataclass(frozen=True, slots=True)
class Price:
    """One believed price, as `price_history` has it. `unit_amount` is for one unit, or the factor."""

    price_id: str
    provider: str
    model: str
    meter: str
    unit_amount: Decimal
    currency: str
    valid_from: datetime
    valid_to: datetime | None = None
    tenant: str | None = None
    service_tier: str = "standard"
    region: str = "global"
    context_from: int = 0
    context_inclusive: bool = False
    window: Window | None = None
    applies_to: tuple[str, ...] = ()
    evidence_kind: str = "official_page"

    def is_valid_at(self, instant: datetime) -> bool:
        return self.valid_from <= instant and (self.valid_to is None or instant < self.valid_to)

    def covers(self, tokens: int) -> bool:
        """Whether a request of so many input tokens is in this row's context tier."""
        if self.context_from == 0:
            return True
        return tokens >= self.context_from if self.context_inclusive else tokens > self.context_from


@dataclass(frozen=True, slots=True)
class Call:
    """What the cost of an attempt depends on. Counts are disjoint meters; a meter not named counts nothing."""

    provider: str
    model: str
    occurred_at: datetime
    counts: Mapping[str, int]
    tenant: str | None = None
    region: str = "global"
    service_tier: str = "standard"

    @property
    def input_tokens(self) -> int:
        """The request's whole input, cached included: what context thresholds look at."""
        return sum(self.counts.get(meter, 0) for meter in INPUT_METERS)


@dataclass(frozen=True, slots=True)
class Line:
    """One meter of a call: `amount` is `count` times `rate`, exactly; both null where there is no price."""

    meter: str
    count: int
    rate: Decimal | None
    amount: Decimal | None
    price_id: str | None
    factor_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call costs, and how that is known. `total` is null while any meter is unpriced."""

    currency: str | None
    total: Decimal | None
    lines: tuple[Line, ...]
    unpriced_meters: tuple[str, ...] = ()
    estimated_because: tuple[str, ...] = ()


@dataclass(slots=True)
class _Card:
    """The rows one call may meet, and the factors upon them."""

    rows: list[Price]
    factors: list[Price] = field(default_factory=list)


def cost(call: Call, prices: Iterable[Price]) -> Cost:
    """Price one call. `prices` are those known at the instant the answer is for; aggregators' are not among them."""
    mine = [p for p in prices if p.provider == call.provider and p.model in (call.model, "*")]
    mine = [p for p in mine if p.tenant in (None, call.tenant)]
    card = _card(call, mine)
    if card is None:
        return Cost(None, None, tuple(Line(m, n, None, None, None) for m, n in call.counts.items() if n), _used(call))
    currency = min({p.currency for p in card.rows}, key=lambda name: (name != "USD", name))
    rows = [p for p in card.rows if p.currency == currency]
    first = min(p.valid_from for p in rows)
    instant = max(call.occurred_at, first)
    because = ("before first observation",) if call.occurred_at < first else ()
    lines = tuple(
        _line(call, meter, count, rows, card.factors, instant) for meter, count in call.counts.items() if count
    )
    unpriced = tuple(line.meter for line in lines if line.amount is None)
    with localcontext(prec=_DIGITS):
        total = None if unpriced else sum((line.amount for line in lines if line.amount is not None), Decimal(0))
    return Cost(currency, total, lines, unpriced, because)


def _used(call: Call) -> tuple[str, ...]:
    return tuple(meter for meter, count in call.counts.items() if count)


def _card(call: Call, prices: Sequence[Price]) -> _Card | None:
    rates = [p for p in prices if p.meter != "multiplier" and p.model == call.model]
    factors = [p for p in prices if p.meter == "multiplier"]
    for tier in dict.fromkeys((call.service_tier, "standard")):
        tiered = [p for p in rates if p.service_tier == tier]
        # Another tier's rows speak for this one only by its factor.
        of_tier = [
            p for p in factors if p.tenant is None and p.region == "global" and p.service_tier == call.service_tier
        ]
        if tier != call.service_tier and not of_tier:
            continue
        for region in dict.fromkeys((call.region, "global")):
            rows = [p for p in tiered if p.region == region]
            if not rows:
                continue
            upon = [*(of_tier if tier != call.service_tier else ())]
            if region != call.region:
                of_region = [p for p in factors if p.tenant is None and p.region == call.region]
                own = [p for p in of_region if p.service_tier == call.service_tier]
                upon += own or [p for p in of_region if p.service_tier == "standard"]
            upon += [p for p in factors if p.tenant is not None and p.service_tier == call.service_tier
                     and p.region in (call.region, "global")]  # fmt: skip
            return _Card(rows, upon)
    return None


def _line(
    call: Call, meter: str, count: int, rows: Sequence[Price], factors: Sequence[Price], instant: datetime
) -> Line:
    price = _rate(call, meter, rows, instant)
    if price is None and meter in FALLBACK:
        price = _rate(call, FALLBACK[meter], rows, instant)
    if price is None:
        return Line(meter, count, None, None, None)
    with localcontext(prec=_DIGITS):
        rate, used = price.unit_amount, []
        # A contract price is what the contract says; factors are upon list prices.
        for factor in factors if price.tenant is None else ():
            if factor.is_valid_at(instant) and (not factor.applies_to or price.meter in factor.applies_to):
                rate *= factor.unit_amount
                used.append(factor.price_id)
        return Line(meter, count, rate, rate * count, price.price_id, tuple(used))


def _rate(call: Call, meter: str, rows: Sequence[Price], instant: datetime) -> Price | None:
    """The row of one meter: the tenant's own first, then open windows, then the highest threshold crossed."""
    found = [
        p for p in rows
        if p.meter == meter and p.is_valid_at(instant) and p.covers(call.input_tokens)
        and (p.window is None or p.window.contains(instant))
    ]  # fmt: skip
    return min(
        found,
        key=lambda p: (p.tenant is None, p.window is None, -p.context_from, PRECEDENCE[p.evidence_kind]),
        default=None,
    )


def price_of(values: Mapping[str, Any]) -> Price:
    """From the columns of `price_history`."""
    plain = {name: values[name] for name in Price.__dataclass_fields__ if name not in ("window", "applies_to")}
    definition = values["window_definition"]
    return Price(
        **plain,
        window=Window.model_validate(json.loads(definition)) if definition else None,
        applies_to=tuple(values["applies_to"].split(",")) if values["applies_to"] else (),
    )
