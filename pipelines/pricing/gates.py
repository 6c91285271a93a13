"""What a reading must pass before the book believes it: judged against the last one believed.

Belongs here: the gates as pure functions over the rows of two readings. Does not belong here: which
reading came before (`verdicts.py`), what a person decided about one (`decisions.py`), the vocabulary and
sanity of single rows (`pipelines.quality`).

A finding about the page as a whole holds the whole reading back; one about a single price holds that
price, and the last good one stays in force; the others are only noted. A list that only warns (an
aggregator) is held back as a whole or not at all, since none of its rows prices a call.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any, Final, Literal

from scrapers.providers import Source

# An order of magnitude: slips are by 10 (a digit), 100 (cents), 1,000 (per thousand for per million).
MAGNITUDE: Final = Decimal(10)
# A price not seen before is only held against its like, which differ more: one vendor's announced peak price
# of cached input is 12 times the one it replaces.
LIKE: Final = Decimal(100)
# More of a page's prices than this out of line is a misread page, not odd prices.
SLIPPED_SHARE: Final = Decimal("0.2")
# Vendors retire a model or two at a time; in 30 dated captures of one page at most 12 % vanished at once.
VANISHED_SHARE: Final = Decimal("0.25")
_FEW: Final = 3

Scope = Literal["reading", "price", "note"]


@dataclass(frozen=True, slots=True)
class Row:
    """Of one price, what the gates look at. `row_id` names it in the raw table."""

    row_id: str
    provider: str
    model: str
    meter: str
    service_tier: str
    region: str
    context_from: int
    window_name: str | None
    currency: str
    applies_to: str | None
    status: str
    unit_amount: Decimal
    amount: Decimal  # as printed
    per_unit: str

    @property
    def key(self) -> tuple[Any, ...]:
        """The price this row states an amount for."""
        return (self.provider, self.model, self.meter, self.service_tier, self.region, self.context_from,
                self.window_name, self.currency, self.applies_to)  # fmt: skip

    @property
    def kind(self) -> tuple[Any, ...]:
        """The price apart from its conditions: a page that adds a threshold or a window still states it."""
        return (self.provider, self.model, self.meter, self.service_tier, self.currency)

    @property
    def place(self) -> tuple[Any, ...]:
        """The price apart from its model: one column of a table."""
        return (self.meter, self.service_tier, self.region, self.context_from, self.window_name, self.currency)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a gate saw. `scope` says what it holds back: the reading, the price of `row`, or nothing."""

    gate: str
    scope: Scope
    message: str
    row: Row | None = None
    standing: Row | None = None


def row_of(values: Mapping[str, Any], row_id: str = "") -> Row:
    """From the columns of `raw.price_observations`."""
    fields = [name for name in Row.__slots__ if name != "row_id"]
    return Row(row_id=row_id or str(values.get("observation_id", "")), **{name: values[name] for name in fields})


def judge(
    earlier: Sequence[Row] | None,
    rows: Sequence[Row],
    source: Source,
    *,
    earlier_headers: Sequence[str] | None = None,
    headers: Sequence[str] | None = None,
) -> list[Finding]:
    """Everything the gates have to say of a reading; `earlier` are the prices believed before, or None."""
    now = {row.key: row for row in rows if row.status == "active"}
    # A price announced before is known when it becomes the live one.
    before = {row.key: row for row in earlier or () if row.status == "announced" and row.key in now}
    before |= {row.key: row for row in earlier or () if row.status == "active"}
    announced = {row.key: row for row in rows if row.status == "announced"}
    promised = {row.key: row for row in earlier or () if row.status == "announced"}
    is_warning_only = source.kind == "aggregator"
    found = [*_size(rows, source), *_zero(rows), *_order(now)]
    if before:
        slips = _slips(before, now) + _slips(before | promised, announced)
        found += _vanished(before, now, source)
        found += _slipped(slips, before, now, is_warning_only)
        if not is_warning_only:
            found += _moved(before, now)
            found += _relaid(before, now, earlier_headers, headers)
    return found


def _size(rows: Sequence[Row], source: Source) -> Iterable[Finding]:
    if len(rows) < source.min_rows:
        yield Finding("too_few_rows", "reading", f"{len(rows)} prices, where at least {source.min_rows} are expected")


def _zero(rows: Sequence[Row]) -> Iterable[Finding]:
    if len(rows) > 1 and all(row.unit_amount == 0 for row in rows):
        yield Finding("all_zero", "reading", f"all {len(rows)} prices are zero")


def _order(now: Mapping[tuple[Any, ...], Row]) -> Iterable[Finding]:
    """Cached above uncached, batch above standard: published so by some, and a misread by most."""
    by_key = {row.key: row for row in now.values()}
    for row in now.values():
        for name, other in (("cache_read", {"meter": "input"}), ("batch", {"service_tier": "standard"})):
            if name not in (row.meter, row.service_tier):
                continue
            dearer = by_key.get(_key_with(row, **other))
            if dearer is not None and dearer is not row and row.unit_amount > dearer.unit_amount:
                words = f"{_words(row)} is {row.unit_amount:f}, above {dearer.unit_amount:f} of {_words(dearer)}"
                yield Finding("inverted", "note", words, row)


def _vanished(
    before: Mapping[tuple[Any, ...], Row], now: Mapping[tuple[Any, ...], Row], source: Source
) -> Iterable[Finding]:
    was, there = {row.kind for row in before.values()}, {row.kind for row in now.values()}
    gone = was - there
    # A page that lost prices and won as many has moved on, it has not shrunk.
    if min(len(gone), len(was) - len(there)) >= _FEW and len(was) - len(there) > len(was) * VANISHED_SHARE:
        yield Finding("shrinking", "reading", f"{len(gone)} of {len(was)} prices vanished at once")
    models = {row.model for row in before.values()} - {row.model for row in now.values()}
    for model in source.sentinels:
        if model in models:
            yield Finding("missing_sentinel", "reading", f"{model} is no longer on the page")
    if source.kind == "aggregator":
        return
    # The sentence of a multiplier is often reworded; without it calls would lose a factor that still applies.
    factors = [row for key, row in before.items() if row.meter == "multiplier" and key not in now]
    if not any(row.meter == "multiplier" for row in now.values()):
        for row in factors:
            yield Finding("vanished_factor", "price", f"{_words(row)} is no longer stated", None, row)
    for name, place in (("meter", 2), ("tier", 3), ("currency", 4)):
        for value in sorted({kind[place] for kind in was} - {kind[place] for kind in there}):
            count = sum(kind[place] == value for kind in was)
            if count >= _FEW and value != "multiplier":
                yield Finding("shrinking", "reading", f"all {count} prices of {name} {value} vanished at once")
    # Without their windows the prices they replaced would come back.
    for window in sorted(
        {row.window_name or "" for row in before.values()} - {row.window_name or "" for row in now.values()}
    ):
        count = sum(row.window_name == window for row in before.values())
        if window and count >= _FEW:
            yield Finding("shrinking", "reading", f"all {count} prices of window {window} vanished at once")


def _slips(
    before: Mapping[tuple[Any, ...], Row], now: Mapping[tuple[Any, ...], Row]
) -> list[tuple[Row, Row | None, str]]:
    """(row, the price that stands, why) of each price an order of magnitude off."""
    kinds, places = _index(before.values(), "kind"), _index(before.values(), "place")
    found: list[tuple[Row, Row | None, str]] = []
    for row in now.values():
        standing = before.get(row.key)
        if standing is not None:
            if _is_off(row.unit_amount, standing.unit_amount, standing.unit_amount, MAGNITUDE):
                found.append((row, standing, f"was {standing.unit_amount:f}, now {row.unit_amount:f}"))
            continue
        # A price not seen before is held against its like: the model's own, then the page's.
        like = kinds.get(row.kind) or places.get(row.place, [])
        if like and (row.kind in kinds or len(like) >= _FEW):
            low, high = min(like), max(like)
            if _is_off(row.unit_amount, low, high, LIKE):
                found.append((row, None, f"{row.unit_amount:f} is new, where its like are {low:f} to {high:f}"))
    return found


def _is_off(amount: Decimal, low: Decimal, high: Decimal, factor: Decimal) -> bool:
    if low <= amount <= high:
        return False
    return amount >= high * factor > 0 or amount * factor <= low


def _slipped(
    slips: list[tuple[Row, Row | None, str]],
    before: Mapping[tuple[Any, ...], Row],
    now: Mapping[tuple[Any, ...], Row],
    is_warning_only: bool,
) -> Iterable[Finding]:
    compared = len(before.keys() & now.keys()) or len(now)
    known = [slip for slip in slips if slip[1] is not None]
    if len(known) >= _FEW and len(known) > compared * SLIPPED_SHARE:
        yield Finding("magnitude", "reading", f"{len(known)} of {compared} prices changed tenfold or more")
    for row, standing, why in slips:
        scope: Scope = "note" if is_warning_only else "price"
        yield Finding("magnitude", scope, f"{_words(row)}: {why}", row, standing)


def _moved(before: Mapping[tuple[Any, ...], Row], now: Mapping[tuple[Any, ...], Row]) -> Iterable[Finding]:
    """Amounts that moved into a neighbour: between the columns of a row, or between two rows.

    Amounts as printed: a price per thousand read as one per million moves by its digits. An amount is taken
    for moved when the place it left took another's, or is gone; one that equals a neighbour's is not.
    """
    changed = {key: row for key, row in now.items() if key in before and before[key].unit_amount != row.unit_amount}
    gone = before.keys() - now.keys()
    for line, direction in ((_line_of_model, "columns"), (_line_of_place, "models")):
        for name, keys in _lines(changed, line):
            candidates = {key for key in before if line(before[key]) == name} & (set(keys) | gone)
            moved = {
                key: origin
                for key in keys
                for origin in candidates
                if origin != key and before[origin].amount == now[key].amount
            }
            certain = [
                key for key, origin in moved.items() if origin in moved or (direction == "columns" and origin in gone)
            ]
            if certain:
                shown = ", ".join(_words(now[key]) for key in certain[:_FEW])
                yield Finding(
                    "moved", "reading", f"amounts moved between {direction}: {shown} took the amount of a neighbour"
                )
    yield from _renamed(before, now)


def _renamed(before: Mapping[tuple[Any, ...], Row], now: Mapping[tuple[Any, ...], Row]) -> Iterable[Finding]:
    """An amount that left one meter or tier of a model and turned up under another it never had."""
    known = {row.kind for row in before.values()}
    lost = {(_line_of_model(row), row.amount): row for key, row in before.items() if key not in now and row.amount}
    there = {row.kind for row in now.values()}
    for row in now.values():
        origin = lost.get((_line_of_model(row), row.amount))
        if origin is not None and row.kind not in known and origin.kind not in there and origin.kind != row.kind:
            words = f"{_words(row)} took the amount of {_words(origin)}, which is gone"
            yield Finding("moved", "reading", words, row, origin)


def _relaid(
    before: Mapping[tuple[Any, ...], Row],
    now: Mapping[tuple[Any, ...], Row],
    earlier_headers: Sequence[str] | None,
    headers: Sequence[str] | None,
) -> Iterable[Finding]:
    """New headers alone are only noted; with them known prices moving, one of the two is misread."""
    if not earlier_headers or not headers or set(earlier_headers) == set(headers):
        return
    added, lost = set(headers) - set(earlier_headers), set(earlier_headers) - set(headers)
    words = "; ".join(
        f"{name} {', '.join(repr(one[:80]) for one in sorted(group)[:_FEW])}"
        for name, group in (("new", added), ("gone", lost))
        if group
    )
    # A table taken over whole under other headers is a swap; a table more or less is not.
    swapped = {frozenset(one.split(" | ")) for one in added} & {frozenset(one.split(" | ")) for one in lost}
    changed = [key for key in before.keys() & now.keys() if before[key].unit_amount != now[key].unit_amount]
    if swapped and changed:
        yield Finding("headers", "reading", f"columns changed places as {len(changed)} known prices changed: {words}")
    else:
        yield Finding("headers", "note", f"headers changed: {words}")


def _line_of_model(row: Row) -> tuple[Any, ...]:
    return (row.provider, row.model, row.currency)


def _line_of_place(row: Row) -> tuple[Any, ...]:
    return (row.provider, *row.place)


def _lines(rows: Mapping[tuple[Any, ...], Row], line: Any) -> Iterable[tuple[tuple[Any, ...], list[tuple[Any, ...]]]]:
    ordered = sorted(((line(row), key) for key, row in rows.items()), key=str)
    for name, group in groupby(ordered, key=lambda pair: pair[0]):
        yield name, [key for _, key in group]


def _index(rows: Iterable[Row], name: str) -> dict[tuple[Any, ...], list[Decimal]]:
    """Amounts that are not zero by a property; of one unit, since the property fixes the meter."""
    found: dict[tuple[Any, ...], list[Decimal]] = defaultdict(list)
    for row in rows:
        if row.unit_amount > 0:
            found[getattr(row, name)].append(row.unit_amount)
    return found


def _key_with(row: Row, **changes: str) -> tuple[Any, ...]:
    names = ("provider", "model", "meter", "service_tier", "region", "context_from", "window_name", "currency",
             "applies_to")  # fmt: skip
    return tuple(changes.get(name, getattr(row, name)) for name in names)


def _words(row: Row) -> str:
    parts = (row.model, row.meter, row.service_tier, row.region if row.region != "global" else "",
             f"from {row.context_from}" if row.context_from else "", row.window_name or "", row.currency)  # fmt: skip
    return " ".join(part for part in parts if part)
