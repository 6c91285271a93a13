"""ai-lib's CallStats, Rust's and Python's, and the Rust library's tracing lines, one JSON object per line.

Belongs here: their fields, the envelope accepted around them, their quirks. Does not belong here: how a
provider's usage object is read (`provider_usage.py`), ai-lib's other shapes (a file each).

CallStats carries no time: it comes flat beside an envelope's, or under `stats` or `call_stats`. Rust's holds
the provider's usage object unread; Python's holds two counts, null where the provider spoke Anthropic's words.
A tracing line (`target` `ai_lib_rust…`) has its fields under `fields` and names neither model nor provider:
it is kept as a failed attempt, and lines that speak of no request are quarantined as `not_a_call`.
Retries share `client_request_id`: the time tells attempts apart.
"""

from __future__ import annotations

from typing import Any, Final

from pipelines.logs.formats import Format, provider_usage
from pipelines.logs.formats.wrapping import inner_records
from pipelines.logs.sampling import Sample

_NESTED: Final = ("stats", "call_stats")
_TIMES: Final = ("timestamp", "time", "ts", "occurred_at")
_ENVELOPE: Final = (
    *_TIMES, "tenant", "tenant_id", "project", "project_id", "team", "user_id", "user", "session_id", "environment",
    "tags", "region", "model_requested",
)  # fmt: skip
_STATS: Final[dict[str, Any]] = {
    **dict.fromkeys(
        (
            "model", "provider", "operation", "endpoint", "http_status", "retry_count", "duration_ms", "latency_ms",
            "first_event_ms", "time_to_first_token_ms", "emitted_any", "client_request_id", "request_id",
            "upstream_request_id", "error_class", "standard_code", "prompt_tokens", "completion_tokens",
        ),
        "VARCHAR",
    ),
    "usage": provider_usage.STRUCTURE,
}  # fmt: skip


def _detect(sample: Sample) -> str | None:
    for record in inner_records(sample, *_NESTED):
        if {"client_request_id", "retry_count", "model"} <= record.keys() & {*_STATS}:
            if "duration_ms" in record:
                return "client_request_id, retry_count and duration_ms: ai-lib's CallStats (Rust)"
            if "latency_ms" in record:
                return "client_request_id, retry_count and latency_ms: ai-lib's CallStats (Python)"
        if str(record.get("target")).startswith("ai_lib_rust") and isinstance(record.get("fields"), dict):
            return f"target {record['target']} with fields: tracing lines of ai-lib (Rust)"
    return None


def _first(*names: str) -> str:
    return "coalesce(" + ", ".join(f"nullif(r.{name}, '')" for name in names) + ")"


_CALL_JSON: Final = """case when starts_with(record ->> '$.target', 'ai_lib_rust') then record -> '$.fields'
    when json_type(record, '$.stats') = 'OBJECT' then record -> '$.stats'
    when json_type(record, '$.call_stats') = 'OBJECT' then record -> '$.call_stats' else record end"""
_TIME: Final = _first(*_TIMES)
_REQUEST: Final = "coalesce(nullif(call.client_request_id, ''), nullif(call.request_id, ''))"
_PROVIDER: Final = "lower(coalesce(call.provider, split_part(call.model, '/', 1)))"
_USAGE: Final = provider_usage.usage_fields("call.usage", _PROVIDER)
_ZERO: Final = f"({_USAGE['prompt_tokens']} = '0' and {_USAGE['completion_tokens']} = '0')"
_FAILED: Final = "(call.error_class is not null or call.standard_code is not null)"

FORMAT: Final = Format(
    name="ailib_callstats",
    detect=_detect,
    structure=dict.fromkeys(_ENVELOPE, "VARCHAR"),
    within={"call": (_CALL_JSON, _STATS)},
    rejects={
        "not_a_call": """coalesce(call.duration_ms, call.latency_ms, call.http_status, call.error_class) is null
            and json_type(record) = 'OBJECT'""",
        "bad_type: usage": "json_type(coalesce(record -> '$.usage', record -> '$.stats.usage', "
        "record -> '$.call_stats.usage')) not in ('OBJECT', 'NULL')",
    },
    fields=_USAGE
    | {
        "native_id": f"{_REQUEST} || ' ' || {_TIME}",
        "request_id": _REQUEST,
        "occurred_at": _TIME,
        "tenant": _first("tenant", "tenant_id"),
        "project": _first("project", "project_id"),
        "team": "r.team",
        "user_id": _first("user_id", "user"),
        "session_id": "r.session_id",
        "environment": "r.environment",
        "tags": "r.tags",
        "provider_reported": "call.provider",
        "region": "r.region",
        "model_requested": "r.model_requested",
        "model_served": "call.model",
        "operation": "coalesce(call.operation, 'chat')",
        "service_tier": "case call.usage.service_tier when 'default' then null else call.usage.service_tier end",
        "is_stream": "call.first_event_ms is not null or call.time_to_first_token_ms is not null or null",
        "http_status": "call.http_status",
        # A failure after something was emitted broke the stream: what was emitted is billed.
        "status": f"case when {_FAILED} and call.emitted_any = 'true' then 'stream_broken' end",
        "error_class": "call.error_class",
        "error_code": "coalesce(call.standard_code, call.error_class)",
        "retry_count": "call.retry_count",
        "latency_ms": "coalesce(call.duration_ms, call.latency_ms)",
        "ttft_ms": "coalesce(call.first_event_ms, call.time_to_first_token_ms)",
        "prompt_tokens": f"coalesce({_USAGE['prompt_tokens']}, call.prompt_tokens)",
        "completion_tokens": f"coalesce({_USAGE['completion_tokens']}, call.completion_tokens)",
        # Some adapters write zeros where they were told nothing.
        "usage_status": f"case when {_ZERO} and not {_FAILED} then 'missing' end",
    },
)
