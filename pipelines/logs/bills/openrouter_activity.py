"""OpenRouter's activity by day and model: the API's JSON, and the CSV of the activity page.

Belongs here: the sums per day. Does not belong here: the export with a row per generation, a log of calls.

Dates are UTC days. `usage` is what OpenRouter charges; with a key of one's own that is only its fee, and
what the provider charges beside it (`byok_usage_inference`) is on another bill: it is kept in `details` and in
no sum. Completion tokens hold the reasoning ones.
"""

from __future__ import annotations

from typing import Final

from pipelines.logs.bills import Bill, Lines
from pipelines.logs.bills.reading import ROWS, count, day, day_after, details
from pipelines.logs.sampling import Sample
from pipelines.logs.sql import instant

# field of the API -> column of the CSV
_FIELDS: Final = {
    "date": "Date",
    "model_permaslug": "Slug",
    "usage": "Usage",
    "byok_usage_inference": "BYOK Usage",
    "requests": "Requests",
    "prompt_tokens": "Prompt Tokens",
    "completion_tokens": "Completion Tokens",
    "reasoning_tokens": "Reasoning Tokens",
}
_FURTHER: Final = ("model", "endpoint_id", "provider_name")
# The CSV's names straight from the record: `Date` and `date` cannot both be in a struct.
_R: Final = {name: f"""coalesce(r.{name}, record->>'$."{column}"')""" for name, column in _FIELDS.items()}
_START: Final = instant(_R["date"])
_GROUPING: Final = {
    "provider": "'openrouter'",
    "model": f"coalesce(r.model, {_R['model_permaslug']})",
    "details": details(
        model_permaslug=_R["model_permaslug"],
        endpoint_id="r.endpoint_id",
        provider_name="r.provider_name",
        byok_usage_inference=_R["byok_usage_inference"],
    ),
}


def _detect(sample: Sample) -> str | None:
    rows = [row for record in sample.records for row in _rows(record)]
    if any({"date", "model_permaslug", "usage", "requests"} <= row.keys() for row in rows):
        return "date, model_permaslug, usage, requests: OpenRouter's activity by day"
    if {"Date", "Slug", "Usage", "Requests"} <= set(sample.columns):
        return "columns Date, Slug, Usage, Requests: OpenRouter's activity by day"
    return None


def _rows(record: dict[str, object]) -> list[dict[str, object]]:
    inner = record.get("data")
    return [row for row in inner if isinstance(row, dict)] if isinstance(inner, list) else [record]


BILLS: Final = (
    Bill(
        name="openrouter_activity",
        detect=_detect,
        records=ROWS,
        columns=("Date", "Slug", "Usage", "Requests"),
        structure=dict.fromkeys((*_FIELDS, *_FURTHER), "VARCHAR"),
        start=day(_START),
        end=day_after(_START),
        required={name: _R[name] for name in ("date", "usage", "model_permaslug")},
        counts={name: _R[name] for name in _FIELDS if name.endswith(("tokens", "requests"))},
        amounts={name: _R[name] for name in ("usage", "byok_usage_inference")},
        rejects={
            "counts_do_not_add_up": f"{count(_R['reasoning_tokens'])} > {count(_R['completion_tokens'])}",
        },
        usage=Lines({
            **_GROUPING,
            "requests": _R["requests"],
            "input_tokens": _R["prompt_tokens"],
            "output_tokens": f"{count(_R['completion_tokens'])} - coalesce({count(_R['reasoning_tokens'])}, 0)",
            "reasoning_tokens": _R["reasoning_tokens"],
        }),
        costs=(
            Lines({
                **_GROUPING,
                "line_item": _R["model_permaslug"],
                "amount": _R["usage"],
                "amount_reported": _R["usage"],
                "currency": "'USD'",
                "charge_class": "'usage'",
            }),
        ),
    ),
)  # fmt: skip
