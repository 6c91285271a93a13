"""OpenRouter: the models API, `{"data": [{"id": "maker/model", "pricing": {...}}]}`, in USD.

OpenRouter sells what others make and sends the bill itself: every row is OpenRouter's own price of
the id a caller sends it, and says nothing of the maker's price.

The meaning of a key of `pricing` is taken from OpenRouter's API reference. Values are decimal text,
per token unless the key is in `_PER_CALL`. The rules:

* Free routes print 0 for prompt and completion: rows of 0. Elsewhere a 0 means "not charged apart"
  (`internal_reasoning` 0 does not make reasoning free), so a 0 of any other key is no row. A model that
  prints nothing but zeros, is not a `:free` route and makes more than text (a song for 0.08 USD, says
  its description) is sold in a unit the API does not print: no row.
* -1 is a router whose price depends on where it sends the call: no row.
* A cache write without a lifetime is the 5-minute one for Anthropic, says the reference, and wherever
  a 1-hour price stands beside it.
* `image` is "per input image" in the reference, and in the data the price of a prompt token to the digit:
  then it is the price per image token. Any other number under `image`, `image_token` or `image_output` may
  be per image or per token, which is not said: no row.
* `overrides` state prices above a number of prompt tokens (strictly) or in a daily UTC window; later
  entries win. Read where they are thresholds in rising order, or windows that do not overlap.
* `discount` other than 0 leaves open whether the prices are before or after it: the entry is skipped.
* A number that is not exact at 18 decimals (a third of a price) is no row.

An entry that is not understood, an unknown key among them, is skipped whole; if more than a tenth are
such, the document fails. `skipped` tells what was set aside, and why. Lists of OpenRouter prices
that others made (with printed dollars instead of `pricing`) are not this document: UnknownDocument.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any, Final

from scrapers.errors import NoPrices, UnknownDocument
from scrapers.prices import TOKEN, UNIT_SCALE, Capture, Per, PriceRow, Window
from scrapers.providers import Provider, Source
from scrapers.providers._aggregate import Bad, Collector, Skip, exact, load, record

_TOKEN_METERS: Final = {
    "prompt": "input",
    "completion": "output",
    "audio": "input_audio",
    "audio_output": "output_audio",
    "internal_reasoning": "reasoning",
    "input_cache_read": "cache_read",
    "input_cache_write": "cache_write",
    "input_cache_write_1h": "cache_write_1h",
    "input_audio_cache": "cache_read_audio",
}
_PER_CALL: Final = {
    "request": ("request", Per(quantity=Decimal(1), unit="call")),
    "web_search": ("web_search", Per(quantity=Decimal(1), unit="search")),
}
_UNIT_NOT_SAID: Final = {"image", "image_token", "image_output"}
_MAIN: Final = ("prompt", "completion")
_CONDITIONS: Final = {"min_prompt_tokens", "utc_start", "utc_end"}
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_ID: Final = re.compile(r"~?[\w.-]+/[\w.:+-]+")


def read(capture: Capture) -> list[PriceRow]:
    """Rows of every model with a price. Raises UnknownDocument for anything but the API's answer."""
    return _settled(capture)[0]


def skipped(capture: Capture) -> list[str]:
    """What the document holds and `read` does not return, one line each with its reason."""
    return _settled(capture)[1]


def _settled(capture: Capture) -> tuple[list[PriceRow], list[str]]:
    document = load(capture)
    models = document.get("data") if isinstance(document, dict) else None
    if not isinstance(models, list):
        keys = sorted(document) if isinstance(document, dict) else type(document).__name__
        raise UnknownDocument(f'{capture.url}: not the models API ({{"data": [...]}}) but {keys!r:.120}')
    if not models:
        raise NoPrices(f"{capture.url}: the list of models is empty")
    if not any(isinstance(m, dict) and isinstance(m.get("pricing"), dict) for m in models):
        raise UnknownDocument(f"{capture.url}: none of {len(models)} models has a `pricing` object")
    found = Collector("openrouter")
    for model in models:
        label = str(model.get("id")) if isinstance(model, dict) else f"{model!r:.40}"
        with found.entry(label) as rows:
            rows.extend(_entry_rows(found, record(model)))
    return found.settle()


def _entry_rows(found: Collector, model: dict[str, Any]) -> Iterator[PriceRow]:
    pricing = record(model.get("pricing"))
    name = model.get("id")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise Bad(f"the id {name!r} is not of the form maker/model")
    overrides = pricing.get("overrides") or []
    if not isinstance(overrides, list):
        raise Bad("`overrides` is not a list")
    if _amount(pricing.get("discount") or "0", "discount"):
        raise Bad(f"a discount of {pricing['discount']}: whether the prices are before or after it is not said")
    prices = _prices(pricing, {"discount", "overrides"})
    if any(amount == -1 for amount in prices.values()):
        raise Skip("the price depends on the route taken (-1)")
    if not {*_MAIN} <= prices.keys():
        raise Bad("no price of prompt or completion")
    if not any(prices.values()) and not name.endswith(":free") and _makes(model) != ["text"]:
        raise Skip(f"prints only zeros and makes {', '.join(_makes(model)) or 'nothing named'}")
    base = {"provider": "openrouter", "model": name, "model_label": str(model.get("name") or name), "currency": "USD"}
    has_lifetimes = name.lstrip("~").startswith("anthropic/") or "input_cache_write_1h" in prices
    rows = partial(_rows, found, has_lifetimes)
    yield from rows(base, pricing, prices, "pricing")
    for index, (when, override) in enumerate(_overrides([record(o) for o in overrides])):
        changed = _prices(override, _CONDITIONS)
        if any(amount == -1 for amount in changed.values()):
            raise Bad("an override with the price -1")
        yield from rows({**base, **when}, override, changed, f"pricing / overrides / {index}")


def _makes(model: dict[str, Any]) -> list[str]:
    made = record(model.get("architecture") or {}).get("output_modalities") or []
    return [str(kind) for kind in made] if isinstance(made, list) else []


def _prices(fields: dict[str, Any], besides: set[str]) -> dict[str, Decimal]:
    """Key -> amount. Raises Bad for a key that is not known, unless it states nothing or 0."""
    prices: dict[str, Decimal] = {}
    for key, value in fields.items():
        if key in besides or value is None:
            continue
        if key in _TOKEN_METERS.keys() | _PER_CALL.keys() | _UNIT_NOT_SAID:
            prices[key] = _amount(value, key)
        elif str(value) not in ("0", "", "[]"):
            raise Bad(f"the price {key!r} is not known")
    return prices


def _amount(value: object, key: str) -> Decimal:
    """An amount as printed; -1 stands for "varies", any other negative number for nothing known."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise Bad(f"{key} is {value!r:.40}, not a decimal number")
    amount = Decimal(value)
    if amount < 0 and amount != -1:
        raise Bad(f"{key} is {value}, below zero")
    return amount


def _rows(
    found: Collector,
    has_lifetimes: bool,
    base: dict[str, Any],
    fields: dict[str, Any],
    prices: dict[str, Decimal],
    where: str,
) -> Iterator[PriceRow]:
    for key, amount in prices.items():
        if amount == 0 and key not in _MAIN:
            continue
        if key in _PER_CALL:
            meter, per = _PER_CALL[key]
        elif key in _TOKEN_METERS:
            meter, per = _TOKEN_METERS[key], TOKEN
        elif key == "image" and amount == prices.get("prompt"):
            meter, per = "input_image", TOKEN
        else:
            found.skip(base["model"], f"{key} {fields[key]}: per image or per token is not said")
            continue
        if meter == "cache_write" and has_lifetimes:
            meter = "cache_write_5m"
        if -int(amount.as_tuple().exponent) > UNIT_SCALE:
            found.skip(base["model"], f"{key} {fields[key]} is not exact at {UNIT_SCALE} decimals")
            continue
        place = f"data / {base['model']} / {where} / {key}"
        yield exact({**base, "meter": meter, "amount": amount, "per": per, "where": place, "text": str(fields[key])})


# ------------------------------------------------------------------ overrides


def _overrides(overrides: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each override with the row fields of its condition. Raises Bad where two of them may meet."""
    conditions = [_condition(override) for override in overrides]
    thresholds = [c for c in conditions if isinstance(c, int)]
    windows = [c for c in conditions if isinstance(c, Window)]
    if thresholds and windows:
        raise Bad("overrides by length and by hour at once")
    if thresholds != sorted(set(thresholds)) or _overlap(windows):
        raise Bad("overrides of which a later one takes back an earlier one")
    for override, condition in zip(overrides, conditions, strict=True):
        yield ({"context_from": condition} if isinstance(condition, int) else {"window": condition}), override


def _condition(override: dict[str, Any]) -> int | Window:
    stated = {key for key in _CONDITIONS if override.get(key) is not None}
    if stated == {"min_prompt_tokens"}:
        least = Decimal(override["min_prompt_tokens"])
        if least != int(least) or least <= 0:
            raise Bad(f"an override from {least} tokens on")
        return int(least)
    if stated == {"utc_start", "utc_end"}:
        start, end = (_clock(override[key]) for key in ("utc_start", "utc_end"))
        return Window(name=f"utc {start}-{end}", hours=((start, end),))
    raise Bad(f"an override under the conditions {sorted(stated) or 'none'}")


def _clock(value: object) -> str:
    """An HHMM clock number (400 is 04:00) as "HH:MM"."""
    text = str(value).removesuffix(".0").zfill(4)
    if not re.fullmatch(r"(?:[01]\d|2[0-3])[0-5]\d", text):
        raise Bad(f"{value!r} is no time of day")
    return f"{text[:2]}:{text[2:]}"


def _overlap(windows: list[Window]) -> bool:
    """Whether two windows share a minute; a window may run past midnight."""
    minutes: set[int] = set()
    total = 0
    for window in windows:
        ((start, end),) = window.hours
        first, last = (int(clock[:2]) * 60 + int(clock[3:]) for clock in (start, end))
        covered = range(first, last if last > first else last + 24 * 60)
        minutes |= {minute % (24 * 60) for minute in covered}
        total += len(covered)
    return len(minutes) < total


PROVIDER = Provider(
    name="openrouter",
    sources=(
        Source(
            name="models",
            url="https://openrouter.ai/api/v1/models",
            kind="official_api",
            min_rows=400,
            sentinels=("openai/gpt-4o-mini", "anthropic/claude-sonnet-4.5"),
        ),
    ),
    read=read,
    skipped=skipped,
)
