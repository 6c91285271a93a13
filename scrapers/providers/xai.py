"""xAI: the models page with its embedded catalogue, and the pricing page in HTML or markdown.

**The models page** assigns its whole catalogue to `__XAI_PUBLIC_MODELS__` in a script, and repeats it
in the page's data stream; both copies must be equal. Every price there is a whole number of 1e-10 USD
per unit: for tokens that is 1e-4 USD per 1M tokens (20000 is the "$2.00 / 1M tokens" of the card of the
same model, and every such card on the page is checked against the data). Anything but a whole
number in a price field is another unit, and fails. A 0 there is the absent value of the format, never
a free price: it makes no row.

* The catalogue lists models per serving cluster. Clusters are not regions: a caller cannot choose
  one, and they state the same prices. If they ever differ, no one price is the model's: ConflictingRows.
* `...LongContext` prices hold at or above `longContextThreshold` (inclusive) for the whole request:
  the pricing page says "Long context ≥ 200k tokens" and "bill the long context rates for all tokens
  in a request once its prompt reaches the model's long context threshold".
* `batchDiscountPercent` is a published factor: a `multiplier` row of the batch tier. The pricing page
  says it applies to all token types, reasoning included. No batch price is derived from it.
* A price field of a language or embedding model that is not known here fails. Image, video and
  audio entries are read only where one price holds for the whole model: a row has no place for a
  resolution or quality, and per-second audio prices are roundings of the hourly ones.

**The pricing page** is read by `_xai_tables`. A page that has both is read both ways; a difference is
ViewsDisagree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from bs4 import BeautifulSoup

from scrapers.amounts import money_per
from scrapers.errors import (
    BadAmount,
    ConflictingRows,
    EmptyPane,
    LayoutChanged,
    NoPrices,
    UnknownDocument,
    ViewsDisagree,
)
from scrapers.prices import FACTOR, MTOK, Capture, Per, PriceRow, distinct
from scrapers.providers import Provider, Source
from scrapers.providers._xai_tables import table_rows
from scrapers.tables import soup_of, text_of

_MARKER = re.compile(r"__XAI_PUBLIC_MODELS__\s*=\s*(?=\{(?!\\))")
_STREAM = re.compile(r'self\.__next_f\.push\(\[1,\s*("(?:[^"\\]|\\.)*")\]\)')

# Price field of a language model -> meter, and whether it is the long-context price.
_TOKEN_PRICES = {
    "promptTextTokenPrice": ("input", False),
    "promptImageTokenPrice": ("input_image", False),
    "cachedPromptTokenPrice": ("cache_read", False),
    "completionTextTokenPrice": ("output", False),
    "promptTextTokenPriceLongContext": ("input", True),
    "promptImageTokenPriceLongContext": ("input_image", True),
    "cachedPromptTokenPriceLongContext": ("cache_read", True),
    "completionTokenPriceLongContext": ("output", True),
    "completionTextTokenPriceLongContext": ("output", True),
}
_TERMS = ("longContextThreshold", "batchDiscountPercent")
_MEDIA = ("imageGenerationModels", "videoGenerationModels", "audioModels")
_PRICED = re.compile(r"price|cost|fee|discount|surcharge|premium", re.I)
_CARD = re.compile(r"(?P<meter>Cached input|Input|Output)\s*(?P<price>\$.+)", re.I)
_CARD_METERS = {"input": "input", "cached input": "cache_read", "output": "output"}
_MODEL_ID = re.compile(r"grok-[a-z0-9.-]+")
_PER_MILLION = -4  # raw numbers are 1e-4 USD per 1M tokens
_TICK = -10  # and 1e-10 USD per image, second, character

# (category, model) -> the clusters that serve it, and its entry, whose prices are the same in all.
Entries = dict[tuple[str, str], tuple[list[str], dict[str, Any]]]


def read(capture: Capture) -> list[PriceRow]:
    """Rows of the models page, the pricing page, or the bare catalogue as JSON."""
    if capture.text.lstrip().startswith("{"):
        return _catalogue_rows(_entries(_loads(capture.text)))
    soup = soup_of(capture)
    catalogue = _catalogue(soup)
    entries = _entries(catalogue) if catalogue is not None else {}
    from_data = _catalogue_rows(entries) if catalogue is not None else []
    from_tables = table_rows(soup)
    if not from_data and not from_tables:
        raise NoPrices(
            "xai: the page holds neither the embedded catalogue (__XAI_PUBLIC_MODELS__) nor a token price table: "
            "a script shell, or another page"
        )
    _check_cards(soup, entries, from_data)
    known = {row.key: row for row in distinct(from_data)}
    for row in from_tables:
        first = known.get(row.key)
        if first and (first.unit_amount, first.context_inclusive) != (row.unit_amount, row.context_inclusive):
            raise ViewsDisagree(f"xai: {first.amount} at [{first.where}] but {row.amount} at [{row.where}]")
    return [*known.values(), *(row for row in from_tables if row.key not in known)]


def _loads(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError as error:
        raise UnknownDocument(f"xai: the body begins like JSON and is not: {error}") from error
    if not isinstance(value, dict) or "clusterConfigs" not in value:
        raise UnknownDocument("xai: the JSON body has no clusterConfigs: it is not the models catalogue")
    return value


def _catalogue(soup: BeautifulSoup) -> dict[str, Any] | None:
    """The embedded catalogue; every copy of it on the page must be equal."""
    scripts = [script.get_text() for script in soup.find_all("script")]
    stream = "".join(json.loads(chunk) for script in scripts for chunk in _STREAM.findall(script))
    copies: list[dict[str, Any]] = []
    for text in [*scripts, stream]:
        for match in _MARKER.finditer(text):
            try:
                value, _ = json.JSONDecoder(parse_float=Decimal).raw_decode(text, match.end())
            except json.JSONDecodeError as error:
                raise LayoutChanged(
                    f"xai: the embedded catalogue __XAI_PUBLIC_MODELS__ is not JSON: {error}"
                ) from error
            copies.append(value)
    for copy in copies[1:]:
        if copy != copies[0]:
            raise ViewsDisagree("xai: the page's two copies of the embedded catalogue differ")
    return copies[0] if copies else None


def _catalogue_rows(entries: Entries) -> list[PriceRow]:
    rows: list[PriceRow] = []
    for (category, name), (clusters, entry) in entries.items():
        where = f"embedded catalogue / {name} ({', '.join(clusters)})"
        if category in _MEDIA:
            rows.extend(_media_rows(name, entry, where))
        else:
            rows.extend(_token_rows(name, entry, where, is_embedding=category == "embeddingModels"))
    if not any(row.meter in ("input", "output") for row in rows):
        raise EmptyPane("xai: the embedded catalogue has no priced entry under languageModels in any cluster")
    return rows


def _entries(catalogue: dict[str, Any]) -> Entries:
    clusters = catalogue.get("clusterConfigs")
    if not isinstance(clusters, list) or not clusters:
        raise LayoutChanged("xai: the embedded catalogue has no list clusterConfigs")
    entries: Entries = {}
    for cluster in clusters:
        label = str(cluster.get("clusterName", "unnamed cluster"))
        for category, models in cluster.items():
            if not isinstance(models, list):
                continue
            known = category in ("languageModels", "embeddingModels", *_MEDIA)
            if not known and "TokenPrice" not in json.dumps(models, default=str):
                continue
            if not known:
                raise LayoutChanged(f"xai: cluster {label} lists token prices under an unknown category {category!r}")
            for entry in models:
                key = (category, _name(entry, category, label))
                served, first = entries.setdefault(key, ([], entry))
                if _prices(first) != _prices(entry):
                    raise ConflictingRows(
                        f"xai: {key[1]} has {_prices(first)} in {', '.join(served)} but {_prices(entry)} in {label}"
                    )
                served.append(label)
    return entries


def _name(entry: Any, category: str, cluster: str) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name:
        raise LayoutChanged(f"xai: an entry of {category} in {cluster} has no name")
    return name


def _prices(entry: dict[str, Any]) -> dict[str, Any]:
    """What an entry says about money, to compare it between clusters."""
    stated = {k: v for k, v in sorted(entry.items()) if _PRICED.search(k) or k in (*_TERMS, "resolutionPricing")}
    return stated | {"endpoints": [endpoint.get("pricing") for endpoint in entry.get("endpoints") or []]}


def _token_rows(name: str, entry: dict[str, Any], where: str, *, is_embedding: bool) -> Iterator[PriceRow]:
    unknown = sorted(k for k in entry if _PRICED.search(k) and k not in _TOKEN_PRICES and k not in _TERMS)
    if unknown:
        raise LayoutChanged(f"xai: {name} has price fields this reader does not know: {', '.join(unknown)}")
    raw = {field: _whole(entry[field], name, field) for field in _TOKEN_PRICES if entry.get(field) is not None}
    threshold = _whole(entry.get("longContextThreshold") or 0, name, "longContextThreshold")
    base = {_TOKEN_PRICES[f][0] for f, n in raw.items() if n and not _TOKEN_PRICES[f][1]}
    long = {_TOKEN_PRICES[f][0] for f, n in raw.items() if n and _TOKEN_PRICES[f][1]}
    if is_embedding:
        base -= {"output"}
    elif base and not {"input", "output"} <= base:
        raise LayoutChanged(f"xai: {name} states a price for {sorted(base)} but not for both input and output")
    if bool(threshold) != bool(long) or (long and not {"input", "output"} <= long):
        raise LayoutChanged(
            f"xai: {name} has the long-context threshold {threshold} and long-context prices for {sorted(long)}"
        )
    meters: list[str] = []
    for field, number in raw.items():
        meter, is_long = _TOKEN_PRICES[field]
        if not number or (meter == "input_image" and "IMAGE" not in entry.get("inputModalities", ())):
            continue
        meters.append("embedding" if is_embedding and meter == "input" else meter)
        yield PriceRow(
            provider="xai",
            model=name,
            model_label=name,
            meter=meters[-1],
            context_from=threshold if is_long else 0,
            context_inclusive=is_long,
            amount=_scaled(number, _PER_MILLION),
            per=MTOK,
            where=f"{where} / {field}",
            text=str(entry[field]),
        )
    if meters and entry.get("batchDiscountPercent") is not None and entry.get("batchEnabled") is not False:
        yield _batch_factor(name, entry["batchDiscountPercent"], tuple(dict.fromkeys(meters)), where)


def _batch_factor(name: str, percent: Any, meters: tuple[str, ...], where: str) -> PriceRow:
    off = _whole(percent, name, "batchDiscountPercent")
    if off >= 100:
        raise LayoutChanged(f"xai: {name} has a batchDiscountPercent of {percent}")
    return PriceRow(
        provider="xai",
        model=name,
        model_label=name,
        meter="multiplier",
        service_tier="batch",
        amount=1 - Decimal(off) / 100,
        per=FACTOR,
        applies_to=(*meters, "reasoning") if "output" in meters else meters,
        where=f"{where} / batchDiscountPercent",
        text=str(percent),
    )


def _media_rows(name: str, entry: dict[str, Any], where: str) -> Iterator[PriceRow]:
    """The image, second or character price, where one price holds for every variant of the model."""
    variants = entry.get("resolutionPricing") or []
    speech = [endpoint.get("pricing") or {} for endpoint in entry.get("endpoints") or []]
    for meter, unit, quantity, field, stated in (
        ("image", "image", 1, "imagePrice", [entry, *({"imagePrice": v.get("pricePerImage")} for v in variants)]),
        ("video_second", "second", 1, "pricePerSecond", variants),
        ("character", "characters", 1_000_000, "perCharacter", speech),
    ):
        numbers = {_whole(holder[field], name, field) for holder in stated if holder.get(field) is not None}
        if len(numbers) != 1 or not all(numbers):
            continue
        number = numbers.pop()
        yield PriceRow(
            provider="xai",
            model=name,
            model_label=name,
            meter=meter,
            amount=_scaled(number * quantity, _TICK),
            per=Per(quantity=Decimal(quantity), unit=unit),
            where=f"{where} / {field}",
            text=str(number),
        )


def _check_cards(soup: BeautifulSoup, entries: Entries, rows: list[PriceRow]) -> None:
    """Every card ("Input $2.00 / 1M tokens" under a model's id) must state what the data states."""
    ids = {row.model: row.model for row in rows}
    for (_, name), (_, entry) in entries.items():
        ids.update(dict.fromkeys(entry.get("aliases") or [], name))
    stated = {(row.model, row.meter): row for row in rows if row.context_from == 0 and row.per == MTOK}
    model: str | None = None
    for line in text_of(soup).split("\n"):
        if _MODEL_ID.fullmatch(line):
            model = ids.get(line)
        card = _CARD.fullmatch(line)
        if card is None or model is None:
            continue
        try:
            price = money_per(card["price"])
        except BadAmount:
            continue  # another kind of card: an hour, an image
        row = stated.get((model, _CARD_METERS[card["meter"].lower()]))
        if price and row and price[0].amount / price[1].quantity != row.unit_amount:
            raise ViewsDisagree(
                f"xai: the card of {model} says {line!r}, [{row.where}] says {row.amount} per {row.per}"
            )


def _whole(value: Any, name: str, field: str) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"\d+", str(value)):
        raise LayoutChanged(f"xai: {name} {field} is {value!r}, not a whole number: another unit")
    return int(str(value))


def _scaled(number: int, exponent: int) -> Decimal:
    amount = Decimal(number).scaleb(exponent).normalize()
    return amount if int(amount.as_tuple().exponent) <= 0 else amount.quantize(Decimal(1))


PROVIDER = Provider(
    name="xai",
    sources=(
        Source(
            name="models",
            url="https://docs.x.ai/developers/models",
            min_rows=20,
            sentinels=("grok-4.5", "grok-4.3"),
            also_at=("https://docs.x.ai/docs/models",),
        ),
        Source(
            name="pricing",
            url="https://docs.x.ai/developers/pricing.md",
            min_rows=12,
            sentinels=("grok-4.5",),
            is_verified=False,
        ),
    ),
    read=read,
)
