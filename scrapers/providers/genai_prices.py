"""genai-prices' `data.json`: sellers, their models, and `prices` in USD under the keys of its unit registry.

* Sellers are read through the registered aliases (`aws` is Bedrock). Google's list holds both of Google's
  sellers; its Claude models are Vertex's. The lists per partner of Hugging Face (`huggingface_…`) say nothing
  of the price without a partner, and `zhipuai` is converted from CNY: no rows.
* The `id` is the model; the clauses that match other spellings are not unrolled.
* A key of `prices` ends in what it is per: `_mtok` a million tokens, `_kcount` a thousand, `_kpages` a thousand
  pages, `_mchars` a million characters, `_hours` an hour. A key that is not known raises LayoutChanged; the
  known ones that cannot be a row are listed below.
* `base` and `tiers`: a tier holds above `start` input tokens, strictly, for the whole request (the list's own
  calculation).
* A list of conditional prices is read as its owner does, last match first. A start date is UTC midnight: the
  price in force at the capture is active, later ones are announced with their date, earlier ones are
  history and no row. A daily interval is a window, named by its hours; its prices take over
  whatever earlier entry is in force.
* `price_variants` state prices of a service tier, for the keys they name; variants by anything else (a
  route, a search type) are set aside.
* No prices (`{}`) is no row: the list writes it for free models and for ones it has no price of. A 0 that is
  stated is a price of 0, for here nobody has to write it.

`skipped` tells what was set aside, and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

from scrapers.errors import LayoutChanged, UnknownDocument
from scrapers.prices import MTOK, Capture, Per, PriceRow, Window
from scrapers.providers import Provider, Source
from scrapers.providers._aggregate import Bad, Collector, Skip, cache_write, exact, load, number, record
from scrapers.vocabulary import canonical_provider

_SELLERS: Final = {"aws": "bedrock"}
_CONVERTED: Final = {"zhipuai": "the seller bills in CNY, and this list converts"}


def _per(quantity: int, unit: str) -> Per:
    return Per.model_validate({"quantity": quantity, "unit": unit})


_KEYS: Final[dict[str, tuple[str, Per]]] = {
    "input_mtok": ("input", MTOK),
    "input_text_mtok": ("input", MTOK),
    "output_mtok": ("output", MTOK),
    "output_text_mtok": ("output", MTOK),
    "output_reasoning_mtok": ("reasoning", MTOK),
    "cache_read_mtok": ("cache_read", MTOK),
    "cache_text_read_mtok": ("cache_read", MTOK),
    "cache_write_mtok": ("cache_write", MTOK),
    "cache_text_write_mtok": ("cache_write", MTOK),
    "cache_write_5m_mtok": ("cache_write_5m", MTOK),
    "cache_write_1h_mtok": ("cache_write_1h", MTOK),
    "input_audio_mtok": ("input_audio", MTOK),
    "output_audio_mtok": ("output_audio", MTOK),
    "cache_audio_read_mtok": ("cache_read_audio", MTOK),
    "input_image_mtok": ("input_image", MTOK),
    "output_image_mtok": ("output_image", MTOK),
    "cache_image_read_mtok": ("cache_read_image", MTOK),
    "input_video_mtok": ("input_video", MTOK),
    "output_video_mtok": ("output_video", MTOK),
    "cache_video_read_mtok": ("cache_read_video", MTOK),
    "input_mchars": ("character", _per(1_000_000, "characters")),
    "audio_hours": ("audio_hour", _per(1, "hour")),
    "input_document_kpages": ("page", _per(1000, "pages")),
    "input_annotated_document_kpages": ("annotated_page", _per(1000, "pages")),
    "requests_kcount": ("request", _per(1000, "calls")),
    "web_searches_kcount": ("web_search", _per(1000, "searches")),
    "storage_searches_kcount": ("file_search_call", _per(1000, "calls")),
    "rerank_searches_kcount": ("rerank_search", _per(1000, "searches")),
}
# Known, and no row: meters no log keeps apart, hours that repeat `audio_hours` for one direction.
_IGNORED = re.compile(
    r"cache_(?:audio|image|video)_write(?:_5m|_1h)?_mtok|cache_text_write_(?:5m|1h)_mtok"
    r"|input(?:_[a-z]+)?_tool_mtok|output_[a-z]+_reasoning_mtok|output(?:_[a-z]+)?_citation_mtok"
    r"|(?:in|out)put_audio_hours|input_gpixels|input_text_messages_kcount|social_searches_kcount|code_executions_kcount"
)
_TIERS: Final = {
    ("processing", "batch"): "batch",
    ("service_tier", "batch"): "batch",
    ("service_tier", "flex"): "flex",
    ("service_tier", "priority"): "priority",
    ("service_tier", "fast"): "fast",
    ("speed", "fast"): "fast",
}

Fields = dict[str, Any]  # of a PriceRow


@dataclass(frozen=True, slots=True)
class _Stated:
    """One entry of a list of conditional prices."""

    prices: dict[str, Any]
    where: str
    start: datetime | None = None
    window: Window | None = None


def read(capture: Capture) -> list[PriceRow]:
    """Rows of every model of a registered seller: in force at the capture, and announced."""
    return _settled(capture)[0]


def skipped(capture: Capture) -> list[str]:
    """What the list holds and `read` does not return, one line each with its reason."""
    return _settled(capture)[1]


def _settled(capture: Capture) -> tuple[list[PriceRow], list[str]]:
    document = load(capture)
    sellers = document if isinstance(document, list) else []
    if not any(isinstance(seller, dict) and isinstance(seller.get("models"), list) for seller in sellers):
        raise UnknownDocument(f"{capture.url}: this is not the list of genai-prices")
    found = Collector("genai_prices")
    for position, value in enumerate(sellers):
        with found.entry(f"seller {position + 1}"):
            seller = record(value)
            name = str(seller.get("id"))
            provider = _SELLERS.get(name) or canonical_provider(name)
            models = seller.get("models")
            if not isinstance(models, list):
                raise Bad(f"{name} has no list of models")
            if provider is None or name in _CONVERTED:
                for _ in models:
                    found.foreign(name, _CONVERTED.get(name, "the seller is not registered"))
                continue
            for model in models:
                label = f"{name}/{model.get('id') if isinstance(model, dict) else '?'}"
                with found.entry(label) as rows:
                    rows.extend(_model_rows(found, label, provider, record(model), capture.captured_at))
    return found.settle()


def _model_rows(
    found: Collector, label: str, provider: str, entry: dict[str, Any], now: datetime
) -> Iterator[PriceRow]:
    model = entry.get("id")
    if not isinstance(model, str) or not model:
        raise Bad("a model without an id")
    if provider == "google" and "claude" in model:
        provider = "vertex"
    base: Fields = {"provider": provider, "model": model, "model_label": str(entry.get("name") or model)}
    yield from _in_time(base, list(_stated(label, entry.get("prices"))), now)
    yield from _variants(found, base, label, entry.get("price_variants") or [], now)


def _stated(label: str, prices: object) -> Iterator[_Stated]:
    if isinstance(prices, list):
        for position, value in enumerate(prices):
            item = record(value)
            yield _conditional(f"{label} / prices {position + 1}", item)
    else:
        yield _Stated(record(prices), f"{label} / prices")


def _conditional(where: str, item: dict[str, Any]) -> _Stated:
    start, window = _constraint(item.get("constraint"))
    return _Stated(record(item.get("prices")), where, start, window)


def _constraint(value: object) -> tuple[datetime | None, Window | None]:
    if value is None:
        return None, None
    constraint = record(value)
    keys = set(constraint) - {"type"}
    if keys == {"start_date"}:
        try:
            day = date.fromisoformat(str(constraint["start_date"]))
        except ValueError as error:
            raise Bad(f"{constraint['start_date']!r} is no date") from error
        return datetime.combine(day, time(), UTC), None
    if keys == {"start_time", "end_time"}:
        start, end = _clock(constraint["start_time"]), _clock(constraint["end_time"])
        if start == end:
            raise Skip(f"a window from {start} to {end}, which may be all day or never")
        return None, Window(name=f"{start}-{end}", hours=((start, end),))
    raise Bad(f"a constraint that is not known: {sorted(keys)}")


def _clock(value: object) -> str:
    """A time of day in UTC, as the list counts times without a zone. Raises Bad."""
    try:
        at = time.fromisoformat(str(value))
    except ValueError as error:
        raise Bad(f"{value!r} is no time of day") from error
    if at.second or at.microsecond:
        raise Bad(f"{value!r} is not on a minute")
    utc = datetime.combine(date(2000, 1, 2), at.replace(tzinfo=at.tzinfo or UTC)).astimezone(UTC)
    return utc.strftime("%H:%M")


def _in_time(base: Fields, stated: list[_Stated], now: datetime) -> Iterator[PriceRow]:
    """Active rows of the price in force and its windows, announced rows of later ones."""
    force: _Stated | None = None
    windows: list[tuple[int, _Stated]] = []
    later: list[tuple[int, _Stated]] = []
    for position, item in enumerate(stated):
        if item.window is not None:
            windows.append((position, item))
        elif item.start is not None and item.start > now:
            later.append((position, item))
        else:
            force, windows = item, []
    if force is None:
        raise Skip("no price is in force at the time of the capture")
    ends = sorted(item.start for _, item in later if item.start is not None)
    if len(set(ends)) < len(ends):
        raise Bad("two prices begin on one day")
    yield from _rows(base | _from(force.start, ends), force)
    for position, item in windows:
        over = [new.start for at, new in later if at > position and new.start is not None]
        yield from _rows(base | _from(None, over) | {"window": item.window}, item)
    for _, item in later:
        assert item.start is not None
        after = [end for end in ends if end > item.start]
        yield from _rows(base | _from(item.start, after) | {"status": "announced"}, item)


def _from(start: datetime | None, ends: Iterable[datetime]) -> Fields:
    """When a price holds: from a stated start or as first seen, to the first of the ends."""
    found: Fields = {"valid_to": min(ends, default=None)}
    return found | {"valid_from": start, "valid_from_basis": "stated"} if start else found


def _variants(found: Collector, base: Fields, label: str, variants: object, now: datetime) -> Iterator[PriceRow]:
    """Prices of service tiers; of several for one key, the first that is in force counts."""
    if not isinstance(variants, list):
        raise Bad("price_variants is not a list")
    decided: set[tuple[str, str]] = set()
    begins: dict[tuple[str, str], datetime] = {}
    for position, value in enumerate(variants):
        variant = record(value)
        where = f"{label} / price_variants {position + 1}"
        when = record(variant.get("when"))
        tier = _TIERS.get(next(iter(when.items()))) if len(when) == 1 else None
        item = _conditional(where, variant)
        if tier is None or item.window is not None:
            if when != {"service_tier": "default"}:
                found.skip(where, f"a variant by {when}, which a row cannot say")
            continue
        for key, price in item.prices.items():
            if (tier, key) in decided:
                continue
            fields: Fields = {"service_tier": tier}
            if item.start is not None and item.start > now:
                fields |= _from(item.start, ()) | {"status": "announced"}
                begins[tier, key] = min(item.start, begins.get((tier, key), item.start))
            else:
                fields |= _from(item.start, [begins[tier, key]] if (tier, key) in begins else ())
                decided.add((tier, key))
            yield from _rows(base | fields, _Stated({key: price}, where))


def _rows(base: Fields, item: _Stated) -> Iterator[PriceRow]:
    for key, price in item.prices.items():
        if key not in _KEYS:
            if _IGNORED.fullmatch(key):
                continue
            raise LayoutChanged(f"genai_prices: {item.where} has a key {key!r} that is not known")
        meter, per = _KEYS[key]
        if meter == "cache_write":
            meter = cache_write(base["model"])
        try:
            for context_from, stated in _by_context(price):
                yield exact(
                    base
                    | {"meter": meter, "per": per, "context_from": context_from, "amount": number(stated)}
                    | {"where": f"{item.where} / {key}", "text": str(stated)}
                )
        except Bad as reason:
            raise Bad(f"{key}: {reason}") from reason


def _by_context(price: object) -> Iterator[tuple[int, object]]:
    """(tokens from which it holds, price) of a price that may have tiers."""
    if not isinstance(price, dict):
        yield 0, price
        return
    tiers = price.get("tiers")
    if set(price) != {"base", "tiers"} or not isinstance(tiers, list):
        raise Bad(f"a price that is neither a number nor base and tiers: {sorted(price)}")
    yield 0, price["base"]
    before = 0
    for tier in map(record, tiers):
        if set(tier) != {"start", "price"}:
            raise Bad(f"a tier that is not start and price: {sorted(tier)}")
        start = number(tier["start"])
        if start != int(start) or start <= before:
            raise Bad(f"the tiers do not follow each other: {tier['start']}")
        before = int(start)
        yield before, tier["price"]


PROVIDER = Provider(
    name="genai_prices",
    sources=(
        Source(
            name="data",
            url="https://raw.githubusercontent.com/pydantic/genai-prices/refs/heads/main/prices/new_data/v2/data.json",
            kind="aggregator",
            min_rows=800,
            sentinels=("gpt-4o", "gpt-4o-mini"),
        ),
    ),
    read=read,
    skipped=skipped,
)
