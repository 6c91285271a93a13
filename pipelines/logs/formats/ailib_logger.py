"""ai-lib-python's JSON logger: one object per line, of which the lines about a finished request are calls.

Belongs here: the logger's keys and what its redaction destroys. Does not belong here: ai-lib's other shapes
(a file each).

The logger writes `***REDACTED***` for every field whose name contains key, token, secret, password or auth:
so the counts are lost, and such a call's usage is `missing`, never 0. A line without duration, status, cost,
counts or error speaks of no finished request and is quarantined as `not_a_call`. In its other mode the
logger writes prose: model, duration and status are in no fixed place there, so such a file is refused with
the way out.
"""

from __future__ import annotations

from typing import Any, Final

from pipelines.errors import UnknownFormatError
from pipelines.logs.formats import Format
from pipelines.logs.sampling import Sample

_CONTEXT: Final = (
    "request_id", "trace_id", "span_id", "provider", "model", "user_id", "session_id", "tenant", "endpoint",
)  # fmt: skip
_FIELDS: Final = (
    "request_id", "client_request_id", "provider", "model", "latency_ms", "duration_ms", "time_to_first_token_ms",
    "status", "http_status", "status_code", "error_class", "error_type", "error_code", "retry_count", "cost_usd",
    "prompt_tokens", "completion_tokens", "total_tokens", "reasoning_tokens", "cache_read_tokens",
    "cache_creation_tokens", "stream", "operation", "tenant", "user_id", "session_id", "environment", "region",
)  # fmt: skip
_STRUCTURE: Final[dict[str, Any]] = {
    **dict.fromkeys(("timestamp", "logger", "level", *_FIELDS), "VARCHAR"),
    "context": dict.fromkeys(_CONTEXT, "VARCHAR"),
}


def _detect(sample: Sample) -> str | None:
    for record in sample.records:
        if str(record.get("logger")).startswith("ai_lib_python") and "message" in record:
            return f"logger {record['logger']} with message and context: ai-lib-python's JSON logger"
    if sample.container == "csv" and any("ai_lib_python" in column for column in sample.columns):
        raise UnknownFormatError(
            f"{sample.path} is ai-lib-python's logger in prose, which says neither model nor duration in a fixed "
            'place; configure it with AiLibLogger.configure(format="json"), or better write ExecutionMetadata '
            "as JSON lines: the logger redacts token counts in both modes"
        )
    return None


def _either(name: str) -> str:
    return f"coalesce(nullif(r.{name}, ''), nullif(r.context.{name}, ''))"


_REQUEST: Final = (
    "coalesce(nullif(r.context.request_id, ''), nullif(r.request_id, ''), nullif(r.client_request_id, ''))"
)
_PROVIDER: Final = f"lower({_either('provider')})"
_FAILED: Final = "(r.error_class is not null or r.error_type is not null or r.error_code is not null)"

FORMAT: Final = Format(
    name="ailib_logger",
    detect=_detect,
    structure=_STRUCTURE,
    rejects={
        "not_a_call": """coalesce(r.latency_ms, r.duration_ms, r.status, r.prompt_tokens, r.completion_tokens,
            r.cost_usd, r.error_class, r.error_type, r.error_code) is null and json_type(record) = 'OBJECT'"""
    },
    fields={
        "native_id": f"{_REQUEST} || ' ' || r.timestamp",
        "request_id": _REQUEST,
        "occurred_at": "r.timestamp",
        "tenant": _either("tenant"),
        "user_id": _either("user_id"),
        "session_id": f"coalesce({_either('session_id')}, nullif(r.context.trace_id, ''))",
        "environment": "r.environment",
        "region": "r.region",
        "provider_reported": _either("provider"),
        "model_served": _either("model"),
        "operation": "coalesce(r.operation, 'chat')",
        "is_stream": "r.stream",
        "http_status": "coalesce(r.http_status, r.status_code)",
        "status": """case lower(r.status) when 'success' then 'ok' when 'ok' then 'ok' when 'error' then 'error'
            when 'failure' then 'error' when 'failed' then 'error' when 'cancelled' then 'cancelled' end""",
        "error_class": "coalesce(r.error_class, r.error_type)",
        "error_code": "r.error_code",
        "retry_count": "r.retry_count",
        "latency_ms": "coalesce(r.latency_ms, r.duration_ms)",
        "ttft_ms": "r.time_to_first_token_ms",
        "prompt_tokens": "r.prompt_tokens",
        "cache_outside_prompt": f"coalesce({_PROVIDER} in ('anthropic', 'claude'), false)",
        "cache_read_tokens": "r.cache_read_tokens",
        "cache_write_5m_tokens": "r.cache_creation_tokens",
        "completion_tokens": "r.completion_tokens",
        "reasoning_tokens": "r.reasoning_tokens",
        "total_tokens": "r.total_tokens",
        "total_may_exceed": f"coalesce({_PROVIDER} in ('gemini', 'google', 'vertex', 'vertex_ai'), false)",
        "usage_status": "case when r.prompt_tokens = '0' and r.completion_tokens = '0' "
        f"and not {_FAILED} then 'missing' end",
        "cost_reported": "case when try_cast(r.cost_usd as double) = 0 then null else r.cost_usd end",
    },
)
