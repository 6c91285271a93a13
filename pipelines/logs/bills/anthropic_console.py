"""The exports of Anthropic's console, usage and cost: CSV, a row per day, model, key and kind of token.

Belongs here: their columns, which grow over time and are read by name. Does not belong here: the same
figures from the API.

The console exports what is on the screen, often one workspace; so a day is replaced workspace by workspace.
Models are display names in the cost export and ids in the usage export, keys are names. Costs are rounded
to cents, in dollars.
"""

from __future__ import annotations

from typing import Final

from pipelines.logs.bills import Bill, Lines
from pipelines.logs.bills.reading import day, day_after, mapped
from pipelines.logs.sampling import Sample
from pipelines.logs.sql import instant

_SHARED: Final = (
    "usage_date_utc", "workspace", "api_key", "api_key_id", "usage_type", "context_window", "inference_geo", "speed",
)  # fmt: skip
_COST_COLUMNS: Final = ("model", "token_type", "cost_usd", "list_price_usd", "cost_type")
_COUNTS: Final = {
    "usage_input_tokens_no_cache": "input_tokens",
    "usage_input_tokens_cache_read": "cache_read_tokens",
    "usage_input_tokens_cache_write_5m": "cache_write_5m_tokens",
    "usage_input_tokens_cache_write_1h": "cache_write_1h_tokens",
    "usage_output_tokens": "output_tokens",
    "web_search_count": "web_search_calls",
}
_TOKENS: Final = {
    "input_no_cache": "input",
    "output": "output",
    "input_cache_read": "cache_read",
    "input_cache_write_5m": "cache_write_5m",
    "input_cache_write_1h": "cache_write_1h",
    "input_cache_write": "cache_write",
}
_TIERS: Final = {name: name for name in ("standard", "batch", "priority", "flex")}
_START: Final = instant("r.usage_date_utc")
_GROUPING: Final = {
    "provider": "'anthropic'",
    "project": "r.workspace",
    "api_key_id": "r.api_key_id",
    "api_key_name": "r.api_key",
    "service_tier": mapped("case when r.speed = 'fast' then 'fast' else r.usage_type end", _TIERS | {"fast": "fast"}),
    "context_window": mapped("r.context_window", {"≤ 200k": "0-200k", "> 200k": "200k-1M"}, "r.context_window"),
    "region": "nullif(r.inference_geo, 'not_available')",
    "speed": "r.speed",
}


def _detect(sample: Sample, column: str, what: str) -> str | None:
    if "usage_date_utc" in sample.columns and column in sample.columns:
        return f"columns usage_date_utc and {column}: the {what} export of Anthropic's console"
    return None


BILLS: Final = (
    Bill(
        name="anthropic_console_usage",
        detect=lambda sample: _detect(sample, "usage_output_tokens", "usage"),
        columns=("usage_date_utc", "model_version", "usage_input_tokens_no_cache", "usage_output_tokens"),
        structure=dict.fromkeys((*_SHARED, "model_version", *_COUNTS), "VARCHAR"),
        start=_START,
        # The day, or the minute where the export shows minutes.
        end=f"{_START} + case when length(r.usage_date_utc) = 10 then interval 1 day else interval 1 minute end",
        scope_start=day("start_at"),
        scope_end=day_after("start_at"),
        account="r.workspace",
        required={name: f"r.{name}" for name in ("model_version", "usage_output_tokens")},
        counts={name: f"r.{name}" for name in _COUNTS},
        usage=Lines({
            **_GROUPING,
            "operation": "'messages'",
            "model": "r.model_version",
            **{meter: f"r.{column}" for column, meter in _COUNTS.items()},
        }),
    ),
    Bill(
        name="anthropic_console_costs",
        detect=lambda sample: _detect(sample, "cost_usd", "cost"),
        columns=("usage_date_utc", "model", "token_type", "cost_usd"),
        structure=dict.fromkeys((*_SHARED, *_COST_COLUMNS), "VARCHAR"),
        start=_START,
        end=f"{_START} + interval 1 day",
        scope_start=day("start_at"),
        scope_end=day_after("start_at"),
        account="r.workspace",
        required={"cost_usd": "r.cost_usd"},
        amounts={"cost_usd": "r.cost_usd", "list_price_usd": "r.list_price_usd"},
        costs=(
            Lines({
                **_GROUPING,
                "line_item": "concat_ws(', ', nullif(r.model, ''), nullif(r.token_type, ''))",
                "model_label": "r.model",
                "meter": f"coalesce({mapped('r.token_type', _TOKENS)}, "
                f"{mapped('r.cost_type', {'web_search': 'web_search'})})",
                "amount": "r.cost_usd",
                "list_amount": "r.list_price_usd",
                "amount_reported": "r.cost_usd",
                "currency": "'USD'",
                "charge_class": "'usage'",
                "charge_type": "r.cost_type",
            }),
        ),
    ),
)  # fmt: skip
