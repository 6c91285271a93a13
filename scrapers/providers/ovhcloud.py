"""OVHcloud AI Endpoints: the catalogue in the page's data stream.

The page streams one `models` array. An entry's `metadata.usage_information.pricing` lists prices, each
with its unit in words ("million_input_tokens"); a unit that is not known fails. Traps:

* **Currency.** The data names none, and OVHcloud's serving API quotes other numbers in USD. The page says
  it beside the amounts it shows ("0.08€/Mtoken"); a page that shows none is EUR only if its language is
  that of a euro country's site (`<html lang="fr">`). Anything else fails: the international site does not say.
* The API id is `name` ("Qwen3.6-27B"), not `id`, which is a slug of the catalogue's addresses.
* A price of 0 is shown as "Free" where all prices of the model are 0: rows of 0. A 0 beside a real price is
  not known to be free, and fails.
* Token amounts the page shows must all be among those of the data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from bs4 import BeautifulSoup

from scrapers.errors import EmptyPane, LayoutChanged, NoPrices, UnknownDocument, ViewsDisagree
from scrapers.prices import MTOK, Capture, Per, PriceRow
from scrapers.providers import Provider, Source
from scrapers.tables import soup_of, text_of

_STREAM = re.compile(r'self\.__next_f\.push\(\[1,\s*("(?:[^"\\]|\\.)*")\]\)')
_MODELS = re.compile(r'"models":(?=\[\{)')
_UNITS = {
    "million_input_tokens": ("input", MTOK),
    "million_output_tokens": ("output", MTOK),
    "million_input_chars": ("character", Per(quantity=Decimal(1_000_000), unit="characters")),
    "audio_duration_seconds": ("audio_second", Per(quantity=Decimal(1), unit="second")),
    "per_image": ("image", Per(quantity=Decimal(1), unit="image")),
}
_SHOWN = re.compile(r"(?P<before>[€$£])?\s?(?P<number>\d+(?:[.,]\d+)?)\s?(?P<after>[€$£])?\s?/\s?M\s?tokens?", re.I)
_SYMBOLS = {"€": "EUR", "$": "USD", "£": "GBP"}
# Sites of euro countries, whose prices are in EUR.
_EURO_SITES = {"fr", "fr-fr", "de", "de-de", "es", "es-es", "it", "it-it", "nl", "nl-nl", "pt", "pt-pt", "en-ie", "fi"}


def read(capture: Capture) -> list[PriceRow]:
    """Rows of every priced model of the catalogue."""
    if capture.text.lstrip().startswith(("{", "[")):
        raise UnknownDocument("ovhcloud: a bare JSON catalogue states no currency")
    soup = soup_of(capture)
    models = _models(soup)
    shown = [match for match in _SHOWN.finditer(text_of(soup)) if match["before"] or match["after"]]
    currency = _currency(soup, {_SYMBOLS[match["before"] or match["after"]] for match in shown})
    rows = [row for entry in models for row in _rows(entry, currency)]
    if not rows:
        raise EmptyPane(f"ovhcloud: none of the {len(models)} models of the catalogue has a price")
    stated = {row.amount for row in rows if row.per == MTOK}
    for match in shown:
        if Decimal(match["number"].replace(",", ".")) not in stated:
            raise ViewsDisagree(f"ovhcloud: the page shows {match[0].strip()!r}, which no model of its data states")
    return rows


def _models(soup: BeautifulSoup) -> list[dict[str, Any]]:
    """The catalogue's entries; every copy of the array on the page must be equal."""
    chunks = (chunk for script in soup.find_all("script") for chunk in _STREAM.findall(script.get_text()))
    stream = "".join(json.loads(chunk) for chunk in chunks)
    found: list[list[dict[str, Any]]] = []
    for match in _MODELS.finditer(stream):
        try:
            value, _ = json.JSONDecoder(parse_float=Decimal).raw_decode(stream, match.end())
        except json.JSONDecodeError as error:
            raise LayoutChanged(f"ovhcloud: the models array of the page's data is not JSON: {error}") from error
        if any(isinstance(entry, dict) and "metadata" in entry for entry in value) and value not in found:
            found.append(value)
    if not found:
        raise NoPrices("ovhcloud: the page's data has no models array with metadata: a script shell, or another page")
    if len(found) > 1:
        raise ViewsDisagree("ovhcloud: the page's data holds several models arrays that differ")
    return found[0]


def _currency(soup: BeautifulSoup, shown: set[str]) -> str:
    if len(shown) == 1:
        return shown.pop()
    language = str(soup.html.get("lang", "")).lower().replace("_", "-") if soup.html else ""
    if shown or language not in _EURO_SITES:
        raise LayoutChanged(
            f"ovhcloud: the currency of the data is not known: the page shows {sorted(shown) or 'none'} beside its "
            f"prices, and its language is {language!r}"
        )
    return "EUR"


def _rows(entry: dict[str, Any], currency: str) -> Iterator[PriceRow]:
    name = entry.get("name")
    metadata = entry.get("metadata") or {}
    if not isinstance(name, str) or not name or metadata.get("api_model_name", name) != name:
        raise LayoutChanged(f"ovhcloud: {name!r} is not the API name {metadata.get('api_model_name')!r} of its model")
    usage = metadata.get("usage_information") or {}
    others = sorted(key for key in usage if re.search(r"pric|cost|tarif", key, re.I) and key != "pricing")
    pricing = usage.get("pricing") or []
    if others or not isinstance(pricing, list) or not all(isinstance(item, dict) for item in pricing):
        raise LayoutChanged(
            f"ovhcloud: {name} states its prices in a form this reader does not know: {others or pricing}"
        )
    prices = [_amount(item, name) for item in pricing]
    if any(prices) and not all(prices):
        raise LayoutChanged(f"ovhcloud: {name} has a price of 0 beside real ones: {pricing}")
    for item, amount in zip(pricing, prices, strict=True):
        meter, per = _UNITS[item["price_unit"]]
        if meter == "input" and "embedding" in str(entry.get("category", "")).lower():
            meter = "embedding"
        yield PriceRow(
            provider="ovhcloud",
            model=name,
            model_label=name,
            meter=meter,
            currency=_stated_currency(item, currency, name),
            amount=amount,
            per=per,
            where=f"catalogue / {name} / pricing / {item['price_unit']}",
            text=f"{amount:f}",
        )


def _amount(item: dict[str, Any], name: str) -> Decimal:
    amount = item.get("price")
    known = set(item) <= {"price", "price_unit", "currency"} and item.get("price_unit") in _UNITS
    if not known or isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        raise LayoutChanged(f"ovhcloud: {name} has a price this reader does not know: {item}")
    return Decimal(amount)


def _stated_currency(item: dict[str, Any], currency: str, name: str) -> str:
    stated = str(item.get("currency", currency)).upper()
    if stated != currency:
        raise LayoutChanged(f"ovhcloud: {name} states the currency {stated!r} on a page in {currency}")
    return stated


PROVIDER = Provider(
    name="ovhcloud",
    sources=(
        Source(
            name="catalog",
            url="https://www.ovhcloud.com/fr/public-cloud/ai-endpoints/catalog/",
            min_rows=14,
            sentinels=("gpt-oss-120b",),
            also_at=("https://www.ovhcloud.com/en/public-cloud/ai-endpoints/catalog/",),
        ),
    ),
    read=read,
)
