"""Hugging Face: the router's models API, a list of models with the providers that serve each.

Hugging Face serves none of these models: it sends a call on and, where the call is routed by it, puts it
on the caller's Hugging Face bill (its documentation: "Routed by Hugging Face: pay-as-you-go on your HF
account", in US dollars). So the biller is `huggingface`, and a price is that of a *route*: the same
model costs 0.09 through one provider and 0.171 through another. A caller names a route as
`model:provider`, and that is the row's model. A call without a provider goes wherever the router
sends it and has no price of its own. A caller with a key of the provider is billed by the provider:
that is not this list, and no row of the provider comes from it.

The document states `{"input": 1.4, "output": 4.4}` with neither unit nor currency; they are USD per
1M tokens on the router's own page. Because the document does not say so, its numbers must look so: a
list whose dearest output is below 0.1 or above 1,000 is in another unit, and fails.

* Only routes with the status "live" can be called; others give no row.
* 0 is a price where the route is marked free, and nothing where it is not.
* A float such as 0.7499999999999999 is not exact at 18 decimals per token: no row.

A route that is not understood is skipped whole; if more than a tenth are such, the document fails.
`skipped` tells what was set aside, and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from scrapers.errors import LayoutChanged, NoPrices, UnknownDocument
from scrapers.prices import MTOK, UNIT_SCALE, Capture, PriceRow
from scrapers.providers import Provider, Source
from scrapers.providers._aggregate import Bad, Collector, Skip, exact, load, number, record

_METERS: Final = {"input": "input", "output": "output"}
_MODEL: Final = re.compile(r"[\w.-]+/[\w.+-]+")
_ROUTE: Final = re.compile(r"[a-z0-9-]+")
_DEAREST: Final = (Decimal("0.1"), Decimal(1000))
_EXACT_DECIMALS: Final = UNIT_SCALE - 6  # per 1,000,000 tokens


def read(capture: Capture) -> list[PriceRow]:
    """Rows of every priced route. Raises UnknownDocument for anything but the router's answer."""
    return _settled(capture)[0]


def skipped(capture: Capture) -> list[str]:
    """What the document holds and `read` does not return, one line each with its reason."""
    return _settled(capture)[1]


def _settled(capture: Capture) -> tuple[list[PriceRow], list[str]]:
    document = load(capture)
    models = document.get("data") if isinstance(document, dict) else None
    if not isinstance(models, list):
        raise UnknownDocument(f'{capture.url}: not the router\'s models API ({{"data": [...]}})')
    if not models:
        raise NoPrices(f"{capture.url}: the list of models is empty")
    if not any(isinstance(m, dict) and isinstance(m.get("providers"), list) for m in models):
        raise UnknownDocument(f"{capture.url}: none of {len(models)} models has a list of `providers`")
    found = Collector("huggingface")
    for model in models:
        entry = model if isinstance(model, dict) else {}
        name = str(entry.get("id"))
        routes = entry.get("providers")
        if not isinstance(routes, list):
            found.skip(name, "has no list of providers")
            continue
        for route in routes:
            label = f"{name}:{route.get('provider')}" if isinstance(route, dict) else name
            with found.entry(label) as rows:
                rows.extend(_route_rows(found, name, record(route)))
    rows, notes = found.settle()
    dearest = max((row.amount for row in rows if row.meter == "output"), default=None)
    if dearest is not None and dearest and not _DEAREST[0] <= dearest <= _DEAREST[1]:
        raise LayoutChanged(f"huggingface: the dearest output costs {dearest}: these are not USD per 1M tokens")
    return rows, notes


def _route_rows(found: Collector, model: str, route: dict[str, Any]) -> Iterator[PriceRow]:
    partner = route.get("provider")
    if not _MODEL.fullmatch(model) or not isinstance(partner, str) or not _ROUTE.fullmatch(partner):
        raise Bad(f"the model {model!r} through {partner!r}")
    if route.get("status") != "live":
        raise Skip(f"has the status {route.get('status')!r}")
    if route.get("pricing") is None:
        raise Skip("states no price")
    prices = {key: number(value) for key, value in record(route["pricing"]).items() if value is not None}
    if unknown := prices.keys() - _METERS.keys():
        raise Bad(f"the prices {sorted(unknown)} are not known")
    if not any(prices.values()) and route.get("is_free") is not True:
        raise Skip("prints 0 and is not marked free")
    if any(prices.values()) and route.get("is_free") is True:
        raise Bad("is marked free and prints a price")
    for key, amount in prices.items():
        text = str(route["pricing"][key])
        if -int(amount.as_tuple().exponent) > _EXACT_DECIMALS:
            found.skip(f"{model}:{partner}", f"{key} {text} is not exact at {UNIT_SCALE} decimals per token")
            continue
        yield exact(
            {
                "provider": "huggingface",
                "model": f"{model}:{partner}",
                "model_label": model,
                "meter": _METERS[key],
                "currency": "USD",
                "amount": amount,
                "per": MTOK,
                "where": f"data / {model} / providers / {partner} / pricing / {key}",
                "text": text,
            }
        )


PROVIDER = Provider(
    name="huggingface",
    sources=(
        Source(
            name="models",
            url="https://router.huggingface.co/v1/models",
            kind="official_api",
            min_rows=60,
            sentinels=("openai/gpt-oss-120b:groq",),
        ),
    ),
    read=read,
    skipped=skipped,
)
