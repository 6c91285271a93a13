"""Azure's prices of OpenAI models: the retail prices API, prices.azure.com/api/retail/prices.

JSON: `Items` of one meter in one region each, or the same gathered (`items` with `regions`). An item
says `meterName` ("5.4 mini cd Inp Gl 1M Tokens"), `unitOfMeasure`, `retailPrice`, `currencyCode`,
`armRegionName` and `effectiveStartDate`. The name is all there is to tell the model by.

Read are the products in `_FAMILIES`. In them a token meter gives a row only if every word of its
name is known (`_azure_meters`); one new word is skipped, as a price nobody knows the meaning of. If
less than half of a document's token meters are understood, the naming has changed: LayoutChanged.

* Never read: provisioned throughput, fine-tuning (training, hosting, tuned models, graders), images
  and video by piece, tools, meters that name no deployment type, and other makers' models.
* Long context ("LongCo"): the API says no threshold, so there is no row; "ShortCo" is the base.
* Region: a Global deployment is `global` (in sovereign clouds `global/<region>`), a Data Zone one is
  `datazone/<region>`, a Regional one is the region. Commercial regions must agree on a Global price.
* The unit is said twice: `1K` with "... Tokens", `1M` with "... 1M Tokens". Else ViewsDisagree.
* No item without a currency; a gathered list is in USD only where it names the API's address
  without one, because USD is the API's documented default.
* A future `effectiveStartDate` is an announced price; of several past ones the latest counts.
* A list comes in parts of 100, each naming the next in `NextPageLink`; they are fetched and stored as one
  body. One that still goes on is a part of a list and is not read: what is missing would look withdrawn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from scrapers.errors import ConflictingRows, LayoutChanged, UnknownDocument, ViewsDisagree
from scrapers.prices import KTOK, MTOK, Capture, Per, PriceRow
from scrapers.providers import Provider, Source
from scrapers.providers._azure_meters import Meter, is_other, meter_of
from scrapers.vocabulary import CURRENCIES

_API: Final = "https://prices.azure.com/api/retail/prices"
_FAMILIES: Final = re.compile(
    r"Azure OpenAI(?: GPT\d+| Reasoning| Embedding| OSS Models| PP FT GPT4s| Media)?", re.IGNORECASE
)
_SOVEREIGN: Final = re.compile(r"us(?:gov|dod|sec|nat)|china")
_REGION: Final = re.compile(r"[a-z]+[0-9]?")


@dataclass(frozen=True, slots=True)
class _Item:
    """A meter's price in one region, as published."""

    name: str
    unit: str
    amount: Decimal
    currency: str
    region: str
    starts: datetime | None


def read(capture: Capture) -> list[PriceRow]:
    """Rows of one API answer, or of a gathered list of its items. Raises ScrapeError."""
    items = list(_items(_document(capture)))
    tokens = [item for item in items if item.name.endswith("Tokens") and not is_other(item.name)]
    names = {item.name: meter_of(item.name) for item in tokens}
    unknown = sorted(name for name, meter in names.items() if meter is None)
    if names and 2 * len(unknown) > len(names):
        raise LayoutChanged(
            f"azure: {len(unknown)} of {len(names)} token meters have names this reader does not know, such as "
            + "; ".join(unknown[:5])
        )
    rows: dict[tuple[str, ...], PriceRow] = {}
    for item in tokens:
        if meter := names[item.name]:
            _keep(rows, _row(item, meter, capture.captured_at))
    return list(rows.values())


def next_part(body: bytes) -> str | None:
    """Where an answer of the API goes on; None at its end, and for what is no such answer."""
    try:
        document: Any = json.loads(body)
    except ValueError:
        return None
    following = document.get("NextPageLink") if isinstance(document, dict) else None
    return following if isinstance(following, str) and following else None


def _document(capture: Capture) -> dict[str, Any]:
    """The answer; of one in several parts their items together, the last part's end being the whole's."""
    parts = list(_parts(capture.text))
    for part in parts:
        if not isinstance(part, dict) or not isinstance(part.get("Items", part.get("items")), list):
            raise UnknownDocument("azure: the body is JSON without a list of items")
    *before, last = parts
    if more := last.get("NextPageLink"):
        raise LayoutChanged(f"azure: a part of a list is not read, this one goes on at {more}")
    if not before:
        return dict(last)
    if not all(part.get("NextPageLink") and "Items" in part for part in parts[:-1]):
        raise LayoutChanged("azure: several documents in one body, and not each goes on in the next")
    if len({part.get("BillingCurrency") for part in parts}) > 1:
        raise LayoutChanged("azure: the parts of one list are in several currencies")
    return {**last, "Items": [item for part in parts for item in part["Items"]]}


def _parts(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal)
    at = 0
    try:
        while True:
            document, at = decoder.raw_decode(text, len(text) - len(text[at:].lstrip()))
            yield document
            if not text[at:].strip():
                return
    except ValueError as error:
        raise UnknownDocument(f"azure: the body is not JSON: {error}") from error


def _items(document: dict[str, Any]) -> Iterator[_Item]:
    """Items of the families read here, one per region. Raises LayoutChanged for an item that lacks a part."""
    default = "USD" if document.get("source") == _API else None
    billing = document.get("BillingCurrency")
    for raw in document["Items" if "Items" in document else "items"]:
        if not isinstance(raw, dict) or not isinstance(raw.get("productName"), str):
            raise LayoutChanged(f"azure: an item without a product: {str(raw)[:200]}")
        is_reserved = raw.get("type", "Consumption") != "Consumption"
        if is_reserved or not _FAMILIES.fullmatch(raw["productName"]):
            continue
        name, unit, amount = raw.get("meterName"), raw.get("unitOfMeasure"), raw.get("retailPrice")
        if not isinstance(name, str) or not isinstance(unit, str) or not isinstance(amount, Decimal):
            raise LayoutChanged(f"azure: an item without meterName, unitOfMeasure or retailPrice: {str(raw)[:300]}")
        currency = raw.get("currencyCode", default)
        if currency not in CURRENCIES or billing not in (None, currency):
            raise LayoutChanged(f"azure: the currency of {name!r} is {currency!r}, of the document {billing!r}")
        if raw.get("unitPrice", amount) != amount:
            raise ViewsDisagree(f"azure: {name!r} has the retail price {amount} and the unit price {raw['unitPrice']}")
        if raw.get("tierMinimumUnits"):
            raise LayoutChanged(f"azure: {name!r} has a price by volume, from {raw['tierMinimumUnits']} units")
        regions = raw.get("regions", [raw.get("armRegionName")])
        if not isinstance(regions, list) or not all(isinstance(region, str) for region in regions):
            raise LayoutChanged(f"azure: {name!r} is in the regions {regions!r}")
        for region in regions:
            yield _Item(name, unit, amount, str(currency), region, _instant(raw.get("effectiveStartDate"), name))


def _instant(words: object, name: str) -> datetime | None:
    if words is None:
        return None
    try:
        instant = datetime.fromisoformat(str(words))
    except ValueError as error:
        raise LayoutChanged(f"azure: {name!r} starts at {words!r}") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _unit(item: _Item) -> Per:
    """The unit, which the name and `unitOfMeasure` must both say."""
    said = MTOK if item.name.endswith(" 1M Tokens") else KTOK
    if {"1K": KTOK, "1M": MTOK}.get(item.unit) != said:
        raise ViewsDisagree(f"azure: the meter {item.name!r} is sold by {item.unit!r}")
    return said


def _region(item: _Item, meter: Meter) -> str:
    if meter.scope == "global" and (item.region in ("", "Global") or not _SOVEREIGN.match(item.region)):
        return "global"
    if not _REGION.fullmatch(item.region):
        raise LayoutChanged(f"azure: {item.name!r} is {meter.scope}, and its region is {item.region!r}")
    return item.region if meter.scope == "regional" else f"{meter.scope}/{item.region}"


def _row(item: _Item, meter: Meter, now: datetime) -> PriceRow:
    return PriceRow(
        provider="azure",
        model=meter.model,
        model_label=item.name,
        meter=meter.meter,
        service_tier=meter.service_tier,
        region=_region(item, meter),
        currency=item.currency,
        amount=item.amount,
        per=_unit(item),
        valid_from=item.starts,
        valid_from_basis="stated" if item.starts else "first_observed",
        status="announced" if item.starts and item.starts > now else "active",
        where=f"{item.name} / {item.region or 'no region'}",
        text=f"{item.amount:f} {item.currency} per {item.unit}",
    )


def _keep(rows: dict[tuple[str, ...], PriceRow], row: PriceRow) -> None:
    """Of one price in several items the latest start counts; at one instant they must agree."""
    first = rows.setdefault(row.key, row)
    if first is row:
        return
    _, later = sorted((first, row), key=lambda r: r.valid_from or datetime.min.replace(tzinfo=UTC))
    is_same_time = first.valid_from == row.valid_from or row.region == "global"
    if is_same_time and first.unit_amount != row.unit_amount:
        raise ConflictingRows(
            f"azure states two prices for {row.model} {row.meter} ({row.service_tier}, {row.region}): "
            f"{first.text} at [{first.where}] and {row.text} at [{row.where}]"
        )
    rows[row.key] = later


def _source(product: str, region: str, min_rows: int, *sentinels: str) -> Source:
    """The API's answer for one product in one region: few enough meters for one page."""
    condition = f"productName eq '{product}' and armRegionName eq '{region}' and priceType eq 'Consumption'"
    return Source(
        name="_".join(["retail", *product.lower().split()[2:], region]),
        url=f"{_API}?currencyCode=%27USD%27&$filter={quote(condition)}",
        kind="official_api",
        min_rows=min_rows,
        sentinels=sentinels,
        is_verified=False,
        next_page=next_part,
    )


PROVIDER = Provider(
    name="azure",
    sources=(
        _source("Azure OpenAI GPT5", "eastus", 140, "gpt-5", "gpt-5-mini"),
        _source("Azure OpenAI GPT5", "swedencentral", 140, "gpt-5", "gpt-5-mini"),
        _source("Azure OpenAI", "eastus", 80, "gpt-4.1", "gpt-4.1-mini"),
        _source("Azure OpenAI", "swedencentral", 80, "gpt-4.1", "gpt-4.1-mini"),
    ),
    read=read,
    version=1,
)
