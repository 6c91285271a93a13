"""What one call costs, by the rules of the book, as a pure function.

Belongs here: selecting the rate of each meter of one call, and its exact lines. Does not belong here: a
million calls (the dbt models do those, set-based; a test holds both against each other), where prices come
from, conversion between currencies.

The rules: prices of the call's seller and model, valid at its own time, one row for each price and instant (the
model `int_prices__effective` has settled whose word counts); the rows of its tier, else the standard ones
under the tier's factor; the rows of its region, else the global ones under the region's factor; a contract
price of the tenant before the list, and a discount upon the list; meter by meter an open time-of-day window
before the row without one, and the highest context threshold the whole input crosses. A call older than a
meter's first listed price takes that, marked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any, Final

from scrapers.prices import Window

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
    status: str = "active"

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


@dataclass(frozen=True, slots=True)
class _Rate:
    """A price with the factors upon it, and when all of them hold."""

    price: Price
    rate: Decimal
    valid_from: datetime
    valid_to: datetime | None
    factor_ids: tuple[str, ...] = ()

    def is_valid_at(self, instant: datetime) -> bool:
        return self.valid_from <= instant and (self.valid_to is None or instant < self.valid_to)

    def under(self, factor: Price) -> _Rate | None:
        """The price while the factor holds too; None where they never hold at one time."""
        starts = max(self.valid_from, factor.valid_from)
        ends = min((one for one in (self.valid_to, factor.valid_to) if one is not None), default=None)
        if ends is not None and ends <= starts:
            return None
        rate, ids = self.rate, self.factor_ids
        if not factor.applies_to or self.price.meter in factor.applies_to:
            with localcontext(prec=_DIGITS):
                rate, ids = self.rate * factor.unit_amount, (*self.factor_ids, factor.price_id)
        return replace(self, rate=rate, valid_from=starts, valid_to=ends, factor_ids=ids)


def cost(call: Call, prices: Iterable[Price]) -> Cost:
    """Price one call. `prices` are those known at the instant the answer is for; aggregators' are not among them."""
    mine = [p for p in prices if p.provider == call.provider and p.model in (call.model, "*")]
    own = [p for p in mine if p.tenant is not None and p.tenant == call.tenant and p.service_tier == call.service_tier
           and p.region in (call.region, "global")]  # fmt: skip
    listed = _listed(call, [p for p in mine if p.tenant is None])
    discounts = [p for p in own if p.meter == "multiplier"]
    contracts = [_plain(p) for p in own if p.meter != "multiplier"]
    # A price under a factor stands before the same price without it, which holds where the factor does not.
    discounted = [found for rate in listed for factor in discounts if (found := rate.under(factor))]
    rates = [*contracts, *discounted, *listed]
    if not rates:
        used = tuple(meter for meter, count in call.counts.items() if count)
        return Cost(None, None, tuple(Line(meter, call.counts[meter], None, None, None) for meter in used), used)
    in_contract = {rate.price.currency for rate in contracts}
    currency = min({r.price.currency for r in rates}, key=lambda name: (name not in in_contract, name != "USD", name))
    rates = [rate for rate in rates if rate.price.currency == currency]
    priced = [_line(call, meter, count, rates) for meter, count in call.counts.items() if count]
    lines = tuple(line for line, _ in priced)
    unpriced = tuple(line.meter for line in lines if line.amount is None)
    is_early = any(early for _, early in priced)
    with localcontext(prec=_DIGITS):
        total = None if unpriced else sum((line.amount for line in lines if line.amount is not None), Decimal(0))
    return Cost(currency, total, lines, unpriced, ("before first observation",) if is_early else ())


def _plain(price: Price) -> _Rate:
    return _Rate(price, price.unit_amount, price.valid_from, price.valid_to)


def _listed(call: Call, prices: Sequence[Price]) -> list[_Rate]:
    """The list's rates for the call's tier and region: its own rows, else others under the factor stated for it."""
    rates = [_plain(p) for p in prices if p.meter != "multiplier" and p.model == call.model]
    factors = [p for p in prices if p.meter == "multiplier" and p.model == call.model]
    tiered = [rate for rate in rates if rate.price.service_tier == call.service_tier]
    if not tiered:
        of_tier = [p for p in factors if p.region == "global" and p.service_tier == call.service_tier != "standard"]
        standard = [rate for rate in rates if rate.price.service_tier == "standard"]
        tiered = [found for rate in standard for factor in of_tier if (found := rate.under(factor))]
    if here := [rate for rate in tiered if rate.price.region == call.region]:
        return here
    everywhere = [rate for rate in tiered if rate.price.region == "global"]
    of_region = [p for p in factors if p.region == call.region != "global"]
    # A factor stated for the standard tier holds for a tier that has none of its own.
    own = [p for p in of_region if p.service_tier == call.service_tier]
    chosen = own or [p for p in of_region if p.service_tier == "standard"]
    return [*(found for rate in everywhere for factor in chosen if (found := rate.under(factor))), *everywhere]


def _line(call: Call, meter: str, count: int, rates: Sequence[_Rate]) -> tuple[Line, bool]:
    """One meter's line, and whether the call is older than the meter's first listed price."""
    of_meter = [rate for rate in rates if rate.price.meter == meter]
    found, is_early = _chosen(call, of_meter), False
    if found is None:
        listed = [r for r in of_meter if r.price.tenant is None and r.price.status != "announced"]
        first = min((rate.valid_from for rate in listed), default=None)
        # Reasoning is output until it has a price.
        if first is not None and call.occurred_at < first and meter != "reasoning":
            found, is_early = _chosen(call, [r for r in listed if r.valid_from == first], first), True
    if found is None and meter in FALLBACK:
        line, is_early = _line(call, FALLBACK[meter], count, rates)
        return replace(line, meter=meter), is_early
    if found is None:
        return Line(meter, count, None, None, None), False
    with localcontext(prec=_DIGITS):
        amount = found.rate * count
    return Line(meter, count, found.rate, amount, found.price.price_id, found.factor_ids), is_early


def _chosen(call: Call, rates: Iterable[_Rate], valid_at: datetime | None = None) -> _Rate | None:
    """The tenant's own first, then open windows, then the highest threshold crossed, then the most factors."""
    instant = valid_at or call.occurred_at
    fitting = [
        rate for rate in rates
        if rate.is_valid_at(instant) and rate.price.covers(call.input_tokens)
        and (rate.price.window is None or rate.price.window.contains(call.occurred_at))
    ]  # fmt: skip
    return min(
        fitting,
        key=lambda rate: (
            rate.price.tenant is None,
            rate.price.window is None,
            -rate.price.context_from,
            rate.price.region != call.region,
            -len(rate.factor_ids),
        ),
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
