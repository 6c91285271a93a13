"""models.dev's `api.json`: sellers, their models, and a `cost` in USD per 1M tokens.

* Sellers are read through the registered aliases. The others cannot be rows: mostly gateways and
  subscription plans, and the mainland-China lists (`…-cn`), whose prices are converted from CNY. `zhipuai` is
  one of those too; `scaleway` bills in EUR and its numbers stand here as USD.
* `tiers` states thresholds: `size` tokens, strictly above, for the whole request; a price that a tier does not
  state stays as it is. `context_over_200k` is an older field that repeats the first tier, whatever its size
  is (GPT-5.4's 272,000): where both are there they must agree and the tier counts.
* `experimental.modes` may price a mode; it is a service tier where the request it describes says so.
* A cache write without a lifetime is the 5-minute write for Claude, `cache_write` for everybody else.
* 0 is no price here: it stands for free, for included in a plan, and for not known, alike.
* A field of `cost` that is not known raises LayoutChanged.

`skipped` tells what was set aside, and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from scrapers.errors import LayoutChanged, UnknownDocument
from scrapers.prices import MTOK, Capture, PriceRow
from scrapers.providers import Provider, Source
from scrapers.providers._aggregate import Bad, Collector, Skip, cache_write, exact, load, number, record
from scrapers.vocabulary import canonical_provider

_SELLERS: Final = {"google-vertex-anthropic": "vertex"}
_OTHER_CURRENCY: Final = {
    "zhipuai": "the seller bills in CNY, and this list converts",
    "scaleway": "the seller's price list is in EUR, and this list calls its numbers USD",
}
_METERS: Final = {
    "input": "input",
    "output": "output",
    "reasoning": "reasoning",
    "cache_read": "cache_read",
    "cache_write": "cache_write",
    "input_audio": "input_audio",
    "output_audio": "output_audio",
}
_NESTED: Final = ("tiers", "context_over_200k")
# What a mode adds to the request -> the service tier it is.
_MODES: Final = {("speed", "fast"): "fast", ("service_tier", "priority"): "priority", ("service_tier", "flex"): "flex"}

Fields = dict[str, Any]  # of a PriceRow


def read(capture: Capture) -> list[PriceRow]:
    """Rows of every model of a registered seller that states a cost."""
    return _settled(capture)[0]


def skipped(capture: Capture) -> list[str]:
    """What the list holds and `read` does not return, one line each with its reason."""
    return _settled(capture)[1]


def _settled(capture: Capture) -> tuple[list[PriceRow], list[str]]:
    document = load(capture)
    sellers = document if isinstance(document, dict) else {}
    if not any(isinstance(seller, dict) and isinstance(seller.get("models"), dict) for seller in sellers.values()):
        raise UnknownDocument(f"{capture.url}: this is not the list of models.dev")
    found = Collector("models_dev")
    for name, value in sellers.items():
        provider = _SELLERS.get(name) or canonical_provider(name)
        with found.entry(name):
            models = record(record(value).get("models"))
            if provider is None or name in _OTHER_CURRENCY:
                for _ in models:
                    found.foreign(name, _OTHER_CURRENCY.get(name, "the seller is not registered"))
                continue
            for model, entry in models.items():
                with found.entry(f"{name}/{model}") as rows:
                    rows.extend(_model_rows(found, f"{name}/{model}", provider, model, record(entry)))
    return found.settle()


def _model_rows(found: Collector, label: str, provider: str, model: str, entry: dict[str, Any]) -> Iterator[PriceRow]:
    if entry.get("cost") is None:
        return
    cost = record(entry["cost"])
    base: Fields = {"provider": provider, "model": model, "model_label": str(entry.get("name") or model), "per": MTOK}
    rows = [*_rows(base, f"{label} / cost", cost), *_tier_rows(base, f"{label} / cost", cost)]
    modes = record(record(entry.get("experimental") or {}).get("modes") or {})
    for mode, value in modes.items():
        if (priced := record(value).get("cost")) is None:
            continue
        where = f"{label} / experimental.modes.{mode}"
        body = record(record(record(value).get("provider") or {}).get("body") or {})
        tiers = {_MODES.get((key, str(said))) for key, said in body.items()}
        tier = tiers.pop() if len(tiers) == 1 else None
        if tier is None:
            found.skip(where, f"a mode that is no service tier known here: {body}")
        else:
            rows += _rows(base | {"service_tier": tier}, f"{where} / cost", record(priced))
    if not rows and cost:
        raise Skip("states nothing but zeros, which this list writes for free, included and unknown alike")
    yield from rows


def _rows(base: Fields, where: str, cost: dict[str, Any], *, beside: tuple[str, ...] = _NESTED) -> Iterator[PriceRow]:
    """One row for each price that is not 0. `beside` are the fields that are not prices."""
    for field, value in cost.items():
        if field in beside:
            continue
        if field not in _METERS:
            raise LayoutChanged(f"models_dev: {where} has a field {field!r} that is not known")
        try:
            amount = number(value)
            if amount:
                meter = cache_write(base["model"]) if field == "cache_write" else _METERS[field]
                yield exact(
                    base | {"meter": meter, "amount": amount, "where": f"{where} / {field}", "text": str(value)}
                )
        except Bad as reason:
            raise Bad(f"{field}: {reason}") from reason


def _tier_rows(base: Fields, where: str, cost: dict[str, Any]) -> Iterator[PriceRow]:
    tiers = cost.get("tiers")
    older = cost.get("context_over_200k")
    if tiers is None:
        if older is not None:
            yield from _rows(base | {"context_from": 200_000}, f"{where} / context_over_200k", record(older))
        return
    if not isinstance(tiers, list):
        raise Bad("tiers is not a list")
    stated = [{key: value for key, value in record(tier).items() if key != "tier"} for tier in tiers]
    if older is not None and older not in stated:
        raise Bad("context_over_200k states other prices than every tier")
    for tier, prices in zip(tiers, stated, strict=True):
        limit = record(tier.get("tier"))
        if limit.get("type") != "context" or set(limit) != {"type", "size"}:
            raise Bad(f"a tier is not one of context size: {limit}")
        size = number(limit["size"])
        if size != int(size) or size == 0:
            raise Bad(f"a tier begins at {limit['size']} tokens")
        yield from _rows(base | {"context_from": int(size)}, f"{where} / tier above {size}", prices, beside=())


PROVIDER = Provider(
    name="models_dev",
    sources=(
        Source(
            name="api",
            url="https://models.dev/api.json",
            kind="aggregator",
            min_rows=500,
            sentinels=("gpt-4o", "gpt-4o-mini"),
        ),
    ),
    read=read,
    skipped=skipped,
)
