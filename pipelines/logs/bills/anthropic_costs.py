"""Anthropic's cost report: daily buckets of amounts in cents.

Belongs here: its results. Does not belong here: usage, the console's exports.

`amount` is decimal text in the currency's *lowest* unit: "123.45" is 1.2345 USD. Without grouping by
description everything but the amount is null. Priority Tier is absent. Code execution and session charges
have no model; a cost type that is not known stays, with its word.
"""

from __future__ import annotations

from typing import Final

from pipelines.logs.bills import Bill, Lines, page_results
from pipelines.logs.bills.anthropic_usage import GEO
from pipelines.logs.bills.reading import IS_EMPTY_BUCKET, PAGES, mapped, shifted
from pipelines.logs.sampling import Sample
from pipelines.logs.sql import instant

_WORDS: Final = (
    "amount", "currency", "cost_type", "token_type", "description", "workspace_id", "model", "service_tier",
    "context_window", "inference_geo",
)  # fmt: skip
_TOKENS: Final = {
    "uncached_input_tokens": "input",
    "output_tokens": "output",
    "cache_read_input_tokens": "cache_read",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
}
_DOLLARS: Final = shifted("r.item.amount", "-2")
# Fast mode is told only by the description.
_IS_FAST: Final = "coalesce(contains(r.item.description, '(Fast)'), false)"


def _detect(sample: Sample) -> str | None:
    if any({"amount", "cost_type", "currency"} <= one.keys() for one in page_results(sample)):
        return "buckets with amount, cost_type, currency: Anthropic's cost report"
    return None


BILLS: Final = (
    Bill(
        name="anthropic_costs",
        detect=_detect,
        records=PAGES,
        structure={
            "bucket": {"start": "VARCHAR", "end": "VARCHAR"},
            "item": dict.fromkeys(_WORDS, "VARCHAR"),
        },
        start=instant("r.bucket.start"),
        end=instant("r.bucket.end"),
        is_nothing=IS_EMPTY_BUCKET,
        required={"amount": "r.item.amount", "currency": "r.item.currency"},
        amounts={"amount": _DOLLARS},
        costs=(
            Lines({
                "provider": "'anthropic'",
                "project": "r.item.workspace_id",
                "line_item": "r.item.description",
                "model": "r.item.model",
                "meter": f"coalesce({mapped('r.item.token_type', _TOKENS)}, "
                f"case when r.item.cost_type = 'web_search' then 'web_search' end)",
                "service_tier": f"""case when {_IS_FAST} and r.item.service_tier = 'standard' then 'fast'
                    else r.item.service_tier end""",
                "context_window": "r.item.context_window",
                "region": GEO,
                "speed": f"case when {_IS_FAST} then 'fast' end",
                "amount": _DOLLARS,
                "amount_reported": "r.item.amount",
                "currency": "upper(r.item.currency)",
                "charge_class": "'usage'",
                "charge_type": "r.item.cost_type",
            }),
        ),
    ),
)  # fmt: skip
