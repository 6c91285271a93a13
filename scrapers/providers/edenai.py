"""Eden AI: the models API, `{"data": [{"id": "maker/model", "pricing": {...}, "list_pricing": {...}}]}`.

Eden AI is a gateway with one bill for all makers (its documentation: "One invoice for all your AI
usage", every answer carries its cost in USD): the rows are Eden AI's own prices of the ids it is called
with, and say nothing of the maker's price. The document names no currency; the documentation does.

Field names are LiteLLM's (`input_cost_per_token_above_200k_tokens`), read by the same grammar; each
number is for one of the thing counted. The rules beside it:

* `pricing` is what the account that asks pays, `list_pricing` the public price. They agree unless a
  discount is stated; the rows are the list price, and where the two differ the entry is not read.
* `regions` tells where a model runs. There is one price and no choice of region, so rows are `global`.
* A price that is converted from another currency through a float (1.0381496942649152e-06) is not
  exact at 18 decimals: no one published it, and rounding it would be a guess. It is no row.
* A search price that differs by the size of the search has no row; one that is the same for all has.
* 0 is not a price here: the API prints no free model, and a 0 says nothing.

An entry that is not understood is skipped whole; if more than a tenth are such, the document fails.
`skipped` tells what was set aside, and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from scrapers.errors import LayoutChanged, NoPrices, UnknownDocument
from scrapers.prices import UNIT_SCALE, Capture, Per, PriceRow
from scrapers.providers import Provider, Source
from scrapers.providers._aggregate import Bad, Collector, Skip, exact, load, number, record
from scrapers.providers._litellm_fields import Price, price_of

_SEARCH: Final = "search_context_cost_per_query"
_PER_SEARCH: Final = Per(quantity=Decimal(1), unit="search")
_ID: Final = re.compile(r"[\w.-]+(?:/[\w.:@+-]+)+")


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
        raise UnknownDocument(f'{capture.url}: not the models API ({{"data": [...]}})')
    if not models:
        raise NoPrices(f"{capture.url}: the list of models is empty")
    if not any(isinstance(m, dict) and {"pricing", "list_pricing"} <= m.keys() for m in models):
        raise UnknownDocument(f"{capture.url}: none of {len(models)} models has `pricing` and `list_pricing`")
    found = Collector("edenai")
    for model in models:
        with found.entry(str(model.get("id")) if isinstance(model, dict) else f"{model!r:.40}") as rows:
            rows.extend(_entry_rows(found, record(model)))
    return found.settle()


def _entry_rows(found: Collector, model: dict[str, Any]) -> Iterator[PriceRow]:
    name = model.get("id")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise Bad(f"the id {name!r} is not of the form maker/model")
    if model.get("list_pricing") is None and model.get("pricing") is None:
        raise Skip("states no price")
    prices = record(model.get("list_pricing"))
    if prices != record(model.get("pricing")):
        raise Bad(f"its list price is not what it costs (discount {model.get('discount')!r:.60})")
    if model.get("discount") is not None:
        raise Bad(f"a discount is stated ({model['discount']!r:.60}) and the prices do not show it")
    lifetime = "_5m" if "claude" in name else ""
    for field, value in prices.items():
        try:
            price, stated = _price(field, value, lifetime)
            amount = number(stated)
            if amount == 0 or -int(amount.as_tuple().exponent) > UNIT_SCALE:
                raise Skip(f"{stated} is {'no price' if amount == 0 else f'not exact at {UNIT_SCALE} decimals'}")
        except Skip as reason:
            found.skip(name, f"{field}: {reason}")
            continue
        yield exact(
            {
                "provider": "edenai",
                "model": name,
                "model_label": name,
                "meter": price.meter,
                "service_tier": price.service_tier,
                "context_from": price.context_from,
                "currency": "USD",
                "amount": amount,
                "per": price.per,
                "where": f"data / {name} / list_pricing / {field}",
                "text": str(stated),
            }
        )


def _price(field: str, value: object, lifetime: str) -> tuple[Price, object]:
    """What a field prices, and its number. Raises Skip where a row cannot say it, Bad where it is unknown."""
    if field == _SEARCH:
        sizes = list(record(value).values()) if isinstance(value, dict) else [value]
        if len({number(size) for size in sizes}) != 1:
            raise Skip("differs by the size of the search")
        return Price("web_search", _PER_SEARCH), sizes[0]
    try:
        price = price_of(field, None, lifetime)
    except LayoutChanged as error:
        raise Bad(f"the field {field!r} looks like a price and is not known") from error
    if price is None or value is None:
        raise Skip("is no meter of a call" if price is None else "states nothing")
    return price, value


PROVIDER = Provider(
    name="edenai",
    sources=(
        Source(
            name="models",
            url="https://api.edenai.run/v3/models",
            kind="official_api",
            min_rows=100,
            sentinels=("mistral/codestral-latest",),
        ),
    ),
    read=read,
    skipped=skipped,
)
