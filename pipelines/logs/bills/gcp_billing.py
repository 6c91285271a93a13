"""Google Cloud's billing export, rows of its BigQuery table as JSON lines.

Belongs here: its fields, its credits. Does not belong here: anything of AWS or of the models' own APIs.

Rows have no id, and the table only grows (corrections are rows of their own), so a UTC day of a billing
account is replaced as a whole: a file must hold whole days. `cost` is before credits; credits are an array
within the row, and become lines of their own, so that the lines add up to what is charged. BigQuery writes a
large export as several numbered files, each with some rows of every day: put them together first.
"""

from __future__ import annotations

import re
from typing import Final

from pipelines.errors import BadInputError
from pipelines.logs.bills import Bill, Lines
from pipelines.logs.bills.reading import ROWS, day, day_after, details, mapped
from pipelines.logs.sampling import Sample
from pipelines.logs.sql import instant

_SHARD: Final = re.compile(r"(\d{12})\.")
_SKU: Final = "lower(r.sku.description)"
_PROVIDER: Final = mapped(
    "r.service.description",
    {"vertex ai": "vertex", "generative language api": "google", "gemini api": "google"},
)
_IS_TOKENS: Final = f"({_PROVIDER} is not null and (contains({_SKU}, 'token') or r.usage.unit in ('tokens', 'token')))"
_KIND: Final = f"""case when contains({_SKU}, 'audio') then '_audio' when contains({_SKU}, 'image') then '_image'
    when contains({_SKU}, 'video') then '_video' else '' end"""
_METER: Final = f"""case when not ({_IS_TOKENS} and r.cost_type = 'regular') then null
    when contains({_SKU}, 'storage') then null
    when contains({_SKU}, 'cache read') or contains({_SKU}, 'cached') or contains({_SKU}, 'caching')
      then 'cache_read' || {_KIND}
    when contains({_SKU}, 'cache write') and contains({_SKU}, '1h') then 'cache_write_1h'
    when contains({_SKU}, 'cache write') then 'cache_write'
    when contains({_SKU}, 'output') then 'output' || {_KIND}
    when contains({_SKU}, 'input') then 'input' || {_KIND} end"""
_START: Final = instant("r.usage_start_time")
_GROUPING: Final = {
    "provider": _PROVIDER,
    "project": "r.project.id",
    "service": "r.service.description",
    "model_label": f"""case when {_PROVIDER} is not null then regexp_extract(r.sku.description,
        '(?i)^(.+?) (?:text |audio |image |video )?(?:input|output|cache|cached)\\b', 1) end""",
    "region": "r.location.region",
    "currency": "upper(r.currency)",
}


def _detect(sample: Sample) -> str | None:
    needed = {"billing_account_id", "sku", "cost", "usage_start_time"}
    if any(needed <= record.keys() for record in sample.records):
        return f"{', '.join(sorted(needed))}: Google Cloud's billing export"
    return None


def _check(sample: Sample) -> None:
    shard = _SHARD.search(sample.path.name)
    if shard and int(shard[1]):
        raise BadInputError(
            f"{sample.path} is a part of a billing export, with some rows of every day, and a day is replaced as a "
            "whole; put the parts together (cat part-*.json > whole.jsonl) and ingest that"
        )


BILLS: Final = (
    Bill(
        name="gcp_billing",
        detect=_detect,
        records=ROWS,
        structure={
            **dict.fromkeys(("billing_account_id", "cost", "cost_at_list", "cost_type", "currency"), "VARCHAR"),
            **dict.fromkeys(("usage_start_time", "usage_end_time", "export_time"), "VARCHAR"),
            "project": {"id": "VARCHAR"},
            "service": {"description": "VARCHAR"},
            "sku": {"id": "VARCHAR", "description": "VARCHAR"},
            "location": {"region": "VARCHAR"},
            "invoice": {"month": "VARCHAR"},
            "usage": {"amount": "VARCHAR", "unit": "VARCHAR"},
            "credits": [{"amount": "VARCHAR", "name": "VARCHAR", "type": "VARCHAR"}],
        },
        start=_START,
        end=f"coalesce({instant('r.usage_end_time')}, {_START})",
        scope_start=day("start_at"),
        scope_end=day_after("start_at"),
        account="r.billing_account_id",
        version=instant("r.export_time"),
        check=_check,
        required={"cost": "r.cost", "currency": "r.currency"},
        amounts={"cost": "r.cost", "cost_at_list": "r.cost_at_list", "usage.amount": "r.usage.amount"},
        rejects={
            "bad_type: credits.amount": """len(list_filter(r.credits,
                lambda c: try_cast(c.amount as decimal(38, 18)) is null)) > 0""",
        },
        costs=(
            Lines({
                **_GROUPING,
                "line_item": "r.sku.description",
                "meter": _METER,
                "details": details(sku_id="r.sku.id", invoice_month="r.invoice.month"),
                "quantity": "r.usage.amount",
                "unit": f"case when {_IS_TOKENS} and r.usage.unit in ('tokens', 'token', 'count') then 'token' "
                "else r.usage.unit end",
                "quantity_reported": "r.usage.amount",
                "unit_reported": "r.usage.unit",
                "amount": "r.cost",
                "list_amount": "r.cost_at_list",
                "amount_reported": "r.cost",
                "charge_class": mapped(
                    "r.cost_type",
                    {"regular": "usage", "tax": "tax", "adjustment": "adjustment", "rounding_error": "adjustment"},
                ),
                "charge_type": "r.cost_type",
            }),
            Lines(
                {
                    **_GROUPING,
                    "line_item": "concat_ws(', ', r.sku.description, x.name)",
                    "details": details(sku_id="r.sku.id", invoice_month="r.invoice.month"),
                    "amount": "x.amount",
                    "amount_reported": "x.amount",
                    "charge_class": "'credit'",
                    "charge_type": "x.type",
                },
                each="r.credits",
            ),
        ),
    ),
)  # fmt: skip
