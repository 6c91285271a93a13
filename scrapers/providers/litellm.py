"""LiteLLM's `model_prices_and_context_window.json`: one object, an entry per model, USD per unit.

The list is kept by many hands for LiteLLM's own cost calculation; the meaning of its fields is taken
from that code (`litellm_core_utils/llm_cost_calc`) and from the schema its tests hold the list to.

**Field names are a small grammar**, read by `_litellm_fields`: what is counted, then qualifiers such as
`_above_200k_tokens`, `_above_1hr`, `_batches`, `_priority`. A field of a registered seller that looks like
a price and that the grammar does not know raises LayoutChanged; the ones that are known and cannot be
a row are listed there with the reason.

**Entries.**

* `litellm_provider` is the seller, through the registered aliases (`vertex_ai-…` is Vertex,
  `text-completion-openai` is OpenAI). Entries of sellers that are not registered cannot be rows.
* The list calls every number USD, also the EUR prices of sellers in Europe (OVHcloud's 0.67 EUR is 0.74 USD
  on its own page): entries of those sellers are set aside.
* The key is the model id with routing before it: `azure/eu/gpt-4o` is Azure's `gpt-4o` in `eu`. A first
  segment that names another seller than `litellm_provider` does makes the entry unusable.
* Not models, and set aside: prices of one image size (`1024-x-1024/…`), provisioned throughput
  (`…/1-month-commitment/…`), size classes (`together-ai-4.1b-8b`).
* A threshold holds for the whole request, strictly above; xAI's is inclusive (so in LiteLLM's code).
* A cache write without a lifetime is the 5-minute write for Claude, whose default that is, and
  `cache_write` for everybody else.
* An off-peak block becomes rows in a window. Where it cannot be said as one (a whole day, weekdays of
  another zone than its hours), the entry is set aside: its other prices do not hold at all hours.
* A search price that differs by search size has no row; one that is the same for every size has.
* **0 is no price here.** The list writes 0 for free models, for prices nobody looked up (Doubao, Llama on
  Vertex, SageMaker), and for what does not exist (output of an embedding): a 0 says nothing, so
  it makes no row. An entry with nothing but zeros is reported as skipped.
* A number inexact at 18 decimals is a price that went through a float (1.5000999999999998e-07): no one
  published it, and rounding it would be a guess. The entry is skipped.
* Where two entries give one key two amounts (`deepseek-chat` and `deepseek/deepseek-chat`), neither is
  believed.

`skipped` tells what was set aside, and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from scrapers.errors import UnknownDocument
from scrapers.prices import Capture, Per, PriceRow, Window
from scrapers.providers import Provider, Source
from scrapers.providers._aggregate import Bad, Collector, Skip, Written, cache_write, exact, load, number, record
from scrapers.providers._litellm_fields import Price, looks_like_a_price, price_of
from scrapers.vocabulary import canonical_provider

# Spellings of this list alone. A name that is neither here nor in the vocabulary is not registered.
_SELLERS: Final = {"azure_text": "azure", "text-completion-openai": "openai", "bedrock_mantle": "bedrock"}
_BILLS_IN_EUR: Final = ("aleph_alpha", "ovhcloud")
_FAMILY = re.compile(r"(vertex_ai|fireworks_ai)-[a-z0-9_-]+")
_NOT_MODELS: Final = ("sample_spec", "fallback_generalizations", "last_updated")

_ROUTED_BY_REGION: Final = ("anthropic", "azure", "bedrock", "openai", "vertex")
_REGION = re.compile(r"us|eu|global|global-standard|[a-z]{2}(?:-[a-z]+){1,2}-\d+")
_IMAGE_SIZE = re.compile(r"\d+-x-\d+")
_COMMITMENT = re.compile(r"\d+-month-commitment")
_SIZE_CLASS = re.compile(r"(?:together-ai|fireworks-ai)-.*")
_HOURS = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Fields = dict[str, Any]  # of a PriceRow


def read(capture: Capture) -> list[PriceRow]:
    """Rows of every entry that states prices of a registered seller."""
    return _settled(capture)[0]


def skipped(capture: Capture) -> list[str]:
    """What the list holds and `read` does not return, one line each with its reason."""
    return _settled(capture)[1]


def _settled(capture: Capture) -> tuple[list[PriceRow], list[str]]:
    document = load(capture)
    entries = document if isinstance(document, dict) else {}
    if not any(isinstance(entry, dict) and "litellm_provider" in entry for entry in entries.values()):
        raise UnknownDocument(f"{capture.url}: this is not LiteLLM's map of models")
    found = Collector("litellm")
    for key, value in entries.items():
        if key not in _NOT_MODELS:
            with found.entry(key) as rows:
                rows.extend(_entry_rows(found, key, record(value)))
    return found.settle()


def _entry_rows(found: Collector, key: str, entry: dict[str, Any]) -> list[PriceRow]:
    name = str(entry.get("litellm_provider"))
    provider = _seller(name)
    if provider is None:
        found.foreign(name)
        return []
    if provider in _BILLS_IN_EUR:
        found.foreign(name, "the seller's price list is in EUR, and this list calls its numbers USD")
        return []
    mode = entry.get("mode")
    lifetime = cache_write(key).removeprefix("cache_write")
    prices = [(field, price) for field in entry if (price := price_of(field, mode, lifetime)) is not None]
    about_money = [field for field in entry if looks_like_a_price(field)]
    if not about_money:
        return []
    base = _identity(key, provider)
    rows = [row for field, price in prices for row in _rows(base, key, field, price, entry[field])]
    if "output_cost_per_image_token" in entry:  # then the price per image is an estimate from it
        rows = [row for row in rows if row.meter != "image"]
    rows += _tier_rows(base, key, entry.get("tiered_pricing"), lifetime)
    rows += _off_peak_rows(base, key, entry.get("off_peak_pricing"), lifetime)
    rows += _search_rows(found, base, key, entry)
    if not rows:
        if all(isinstance(entry[field], Written) and not number(entry[field]) for field in about_money):
            raise Skip("states nothing but zeros, which this list writes for free and for unknown alike")
        raise Skip(f"states prices that a row cannot say: {', '.join(about_money)}")
    return rows


def _seller(name: str) -> str | None:
    family = _FAMILY.fullmatch(name)
    return _SELLERS.get(name) or canonical_provider(family[1] if family else name)


def _identity(key: str, provider: str) -> Fields:
    """Provider, model, region and tier of a key. Raises Skip where the key is not one model's."""
    segments = key.split("/")
    if any(_IMAGE_SIZE.fullmatch(segment) for segment in segments):
        raise Skip("the price of one image size, which a row cannot say")
    if any(_COMMITMENT.fullmatch(segment) for segment in segments):
        raise Skip("provisioned throughput, which is not bought by the call")
    if _SIZE_CLASS.fullmatch(key):
        raise Skip("a class of model sizes, not a model")
    base: Fields = {"provider": provider, "model_label": key}
    if len(segments) > 1:
        prefix = _seller(segments[0])
        if prefix == provider:
            segments = segments[1:]
        elif prefix is not None:
            raise Bad(f"the key names {prefix} and litellm_provider names {provider}")
    while len(segments) > 1 and provider in _ROUTED_BY_REGION:
        if _REGION.fullmatch(segments[0]):
            base["region"] = segments.pop(0).removesuffix("-standard")
        elif segments[0] == "fast":
            base["service_tier"] = segments.pop(0)
        else:
            break
    base["model"] = "/".join(segments)
    return base


def _rows(base: Fields, key: str, field: str, price: Price, value: object, **more: Any) -> Iterator[PriceRow]:
    """The row of one field; none for a 0."""
    try:
        amount = number(value)
        if amount == 0:
            return
        tiers = {base.get("service_tier", "standard"), price.service_tier} - {"standard"}
        if len(tiers) > 1:
            raise Bad(f"is of two service tiers, {' and '.join(sorted(tiers))}")
        row: Fields = {
            **base,
            "meter": price.meter,
            "per": price.per,
            "service_tier": tiers.pop() if tiers else "standard",
            "context_from": price.context_from,
            "context_inclusive": bool(price.context_from) and base["provider"] == "xai",
            "amount": amount,
            "where": f"{key} / {field}",
            "text": str(value),
        }
        yield exact(row | more)
    except Bad as reason:
        raise Bad(f"{field}: {reason}") from reason


def _nested(base: Fields, key: str, path: str, block: dict[str, Any], lifetime: str, **more: Any) -> Iterator[PriceRow]:
    for field, value in block.items():
        price = price_of(field, None, lifetime)
        if price is not None:
            yield from _rows(base, key, f"{path} / {field}", price, value, **more)


def _tier_rows(base: Fields, key: str, tiers: object, lifetime: str) -> Iterator[PriceRow]:
    """`tiered_pricing`: a tier holds where start < input tokens <= end, for the whole request."""
    if tiers is None:
        return
    if not isinstance(tiers, list) or not tiers:
        raise Bad("tiered_pricing is not a list of tiers")
    end = number(Written("0"))
    for tier in map(record, tiers):
        if "max_results_range" in tier:
            raise Skip("tiered_pricing by number of search results, which a row cannot say")
        limits = tier.get("range")
        if not isinstance(limits, list) or len(limits) != 2 or number(limits[0]) != end:
            raise Bad(f"tiered_pricing: the ranges do not follow each other from 0: {limits}")
        prices = {field: value for field, value in tier.items() if field != "range"}
        yield from _nested(base, key, f"tiered_pricing from {limits[0]}", prices, lifetime, context_from=int(end))
        end = number(limits[1])


def _off_peak_rows(base: Fields, key: str, block: object, lifetime: str) -> Iterator[PriceRow]:
    """`off_peak_pricing`: its rates replace the others while one of its windows is open."""
    if block is None:
        return
    rates = dict(record(block))
    flat, windows, zone = (rates.pop(field, None) for field in ("hours_utc", "windows", "weekday_timezone"))
    rules = [{"hours_utc": flat}] if flat is not None else []
    rules += [record(rule) for rule in windows or []]
    if len(rules) != 1:
        raise Skip(f"off_peak_pricing has {len(rules)} rules, and one window cannot say them")
    days = rules[0].get("weekdays")
    if days is not None and zone not in (None, "UTC"):
        raise Skip(f"off_peak_pricing counts hours in UTC and weekdays in {zone}, which one window cannot say")
    window = Window(name="off_peak", hours=_hours(rules[0].get("hours_utc")), weekdays=_weekdays(days))
    yield from _nested(base, key, "off_peak_pricing", rates, lifetime, window=window)


def _hours(value: object) -> tuple[tuple[str, str], ...]:
    ranges = [value] if isinstance(value, str) else value
    if not isinstance(ranges, list) or not ranges:
        raise Bad(f"off_peak_pricing: {value!r} are no hours")
    found = []
    for text in ranges:
        match = _HOURS.fullmatch(str(text))
        if match is None or match[1] == match[2]:
            raise Skip(f"off_peak_pricing: {text!r} is no range of hours that a window can say")
        found.append((match[1], match[2]))
    return tuple(found)


def _weekdays(value: object) -> tuple[int, ...]:
    if value is None:
        return (1, 2, 3, 4, 5, 6, 7)
    if not isinstance(value, list) or not value:
        raise Bad(f"off_peak_pricing: {value!r} are no weekdays")
    found = set()
    for day in value:
        name = str(day).strip().lower()
        if name[:3] in _DAYS and name.isalpha():
            found.add(_DAYS.index(name[:3]) + 1)
        elif name in "1234567" and len(name) == 1:
            found.add(int(name))
        else:
            raise Bad(f"off_peak_pricing: {day!r} is no weekday")
    return tuple(sorted(found))


def _search_rows(found: Collector, base: Fields, key: str, entry: dict[str, Any]) -> Iterator[PriceRow]:
    """`search_context_cost_per_query`: a price by search size, a row where all sizes cost the same."""
    field = "search_context_cost_per_query"
    stated = entry.get(field)
    if stated is None:
        return
    values = list(record(stated).values()) if isinstance(stated, dict) else [stated]
    if len({number(value) for value in values}) != 1:
        found.skip(key, f"{field} differs by the size of the search, which a row cannot say")
        return
    unit = {None: "search", "per_query": "search", "per_prompt": "grounded prompt"}.get(
        entry.get("web_search_billing_unit")
    )
    if unit is None:
        raise Bad(f"web_search_billing_unit {entry['web_search_billing_unit']!r} is not known")
    price = Price("web_search", Per.model_validate({"quantity": 1, "unit": unit}))
    yield from _rows(base, key, field, price, values[0])


PROVIDER = Provider(
    name="litellm",
    sources=(
        Source(
            name="map",
            url="https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json",
            kind="aggregator",
            min_rows=1000,
            sentinels=("gpt-4o", "gpt-4o-mini"),
        ),
    ),
    read=read,
    skipped=skipped,
)
