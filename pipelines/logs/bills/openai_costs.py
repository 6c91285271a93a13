"""OpenAI's organization costs API: daily buckets of amounts.

Belongs here: its results, and what the words of a line item mean. Does not belong here: the usage API.

`line_item` is "model, meter" text, or a product's name, or null where costs are not grouped by it. Where the
words after the last comma are not known, neither is the model: the line stays, with its text. Amounts are
JSON numbers in the currency's main unit.
"""

from __future__ import annotations

from typing import Final

from pipelines.logs.bills import Bill, Lines, page_results
from pipelines.logs.bills.reading import IS_EMPTY_BUCKET, PAGES, mapped
from pipelines.logs.sampling import Sample
from pipelines.logs.sql import instant

_METERS: Final = {
    "input": "input",
    "cached input": "cache_read",
    "cache write": "cache_write",
    "output": "output",
    "audio input": "input_audio",
    "cached audio input": "cache_read_audio",
    "audio output": "output_audio",
    "image input": "input_image",
    "cached image input": "cache_read_image",
    "image output": "output_image",
}

# The last comma parts the words; a model's name may hold one.
_PARTS: Final = "regexp_extract(r.item.line_item, '^(.*), *([^,]+)$', "
_METER: Final = mapped(f"{_PARTS}2)", _METERS)


def _detect(sample: Sample) -> str | None:
    if any(one.get("object") == "organization.costs.result" for one in page_results(sample)):
        return "buckets of organization.costs.result: a page of OpenAI's costs API"
    return None


_COST: Final = Lines({
    "provider": "'openai'",
    "project": "r.item.project_id",
    "api_key_id": "r.item.api_key_id",
    "line_item": "r.item.line_item",
    "model": f"case when {_METER} is not null then {_PARTS}1) end",
    "meter": _METER,
    "quantity": "r.item.quantity",
    "quantity_reported": "r.item.quantity",
    "unit": mapped("r.item.quantity_unit", {"tokens": "token"}, "r.item.quantity_unit"),
    "unit_reported": "r.item.quantity_unit",
    "amount": "r.item.amount.value",
    "amount_reported": "r.item.amount.value",
    "currency": "upper(r.item.amount.currency)",
    "charge_class": "'usage'",
})  # fmt: skip

BILLS: Final = (
    Bill(
        name="openai_costs",
        detect=_detect,
        records=PAGES,
        structure={
            "bucket": {"start": "VARCHAR", "end": "VARCHAR"},
            "item": {
                **dict.fromkeys(("line_item", "project_id", "api_key_id", "organization_id"), "VARCHAR"),
                **dict.fromkeys(("quantity", "quantity_unit"), "VARCHAR"),
                "amount": {"value": "VARCHAR", "currency": "VARCHAR"},
            },
        },
        start=instant("r.bucket.start"),
        end=instant("r.bucket.end"),
        is_nothing=IS_EMPTY_BUCKET,
        required={"amount.value": "r.item.amount.value", "amount.currency": "r.item.amount.currency"},
        amounts={"amount.value": "r.item.amount.value", "quantity": "r.item.quantity"},
        costs=(_COST,),
    ),
)
