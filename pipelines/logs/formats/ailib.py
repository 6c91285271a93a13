"""ai-lib's ExecutionMetadata, one JSON object per line.

Belongs here: the envelope fields we accept around it and its quirks. Does not belong here: ai-lib's other
shapes (a file each).

ExecutionMetadata carries neither time nor id, so it comes flat beside envelope fields, or nested in an
envelope under `execution_metadata` or `metadata`. Its quirks: the Anthropic driver counts cache tokens
beside the prompt and leaves them out of the total, all others within it; Gemini's total includes thinking
the completion lacks; ids `gemini-<seconds>` collide, so such a record is identified by its content;
adapters report missing usage as zeros; a cost of zero means that none was computed; configured providers
are metered as `generic`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pipelines.logs.formats import Format
from pipelines.logs.sampling import Sample

_METADATA: Final[dict[str, Any]] = {
    "provider_id": "VARCHAR",
    "model_id": "VARCHAR",
    "execution_latency_ms": "VARCHAR",
    "micro_retry_count": "VARCHAR",
    "error_code": "VARCHAR",
    "usage": {
        "prompt_tokens": "VARCHAR",
        "completion_tokens": "VARCHAR",
        "total_tokens": "VARCHAR",
        "reasoning_tokens": "VARCHAR",
        "cache_read_tokens": "VARCHAR",
        "cache_creation_tokens": "VARCHAR",
    },
}

_NESTED: Final = ("execution_metadata", "metadata")
_TIMES: Final = ("timestamp", "time", "ts", "occurred_at")
_ENVELOPE: Final = (
    *_TIMES, "id", "request_id", "client_request_id", "attempt", "tenant", "tenant_id", "project", "project_id", "team",
    "user_id", "user", "api_key_id", "session_id", "environment", "tags", "region", "model_requested",
    "requested_model", "operation", "service_tier", "stream", "http_status", "status", "error_class", "usage_status",
    "ttft_ms", "first_event_ms", "cache_hit", "cost_usd",
)  # fmt: skip


def _detect(sample: Sample) -> str | None:
    for record in sample.records:
        for place, metadata in (("", record), *((f" under {name}", record.get(name)) for name in _NESTED)):
            if isinstance(metadata, dict) and {"provider_id", "model_id", "execution_latency_ms"} <= metadata.keys():
                return f"provider_id, model_id and execution_latency_ms{place}: ai-lib ExecutionMetadata"
    return None


def _first(*names: str) -> str:
    return "coalesce(" + ", ".join(f"nullif(r.{name}, '')" for name in names) + ")"


def _call(path: str) -> str:
    """A field of the metadata, from where the record has it: one reading finds all places."""
    return (
        f"case when r.provider_id is not null then r.{path} when r.execution_metadata is not null "
        f"then r.execution_metadata.{path} else r.metadata.{path} end"
    )


def _names(structure: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, inner in structure.items():
        if isinstance(inner, dict):
            yield from _names(inner, f"{name}.")
        else:
            yield path + name


_METADATA_JSON: Final = """case when r.provider_id is null
    then coalesce(record -> '$.execution_metadata', record -> '$.metadata') else record end"""
_PROVIDER: Final = "lower(call_provider_id)"
_TIME: Final = _first(*_TIMES)
_REQUEST: Final = _first("request_id", "client_request_id", "id")
_FAILED: Final = "(call_error_code is not null or r.error_class is not null)"
_ALL_ZERO: Final = "(call_prompt_tokens = '0' and call_completion_tokens = '0')"

FORMAT: Final = Format(
    name="ailib",
    detect=_detect,
    structure=dict.fromkeys(_ENVELOPE, "VARCHAR") | _METADATA | dict.fromkeys(_NESTED, _METADATA),
    names={f"call_{path.rpartition('.')[2]}": _call(path) for path in _names(_METADATA)},
    rejects={
        "not_execution_metadata": "call_provider_id is null and call_model_id is null and json_type(record) = 'OBJECT'",
        # A struct of nulls is what reading gives for no object: only there is the type looked at.
        "bad_type: usage": f"""call_prompt_tokens is null and call_completion_tokens is null
            and json_type({_METADATA_JSON}, '$.usage') not in ('OBJECT', 'NULL')""",
    },
    fields={
        # A request's attempts share its id and may carry no number: the time tells them apart.
        "native_id": f"case when not starts_with({_REQUEST}, 'gemini-') then {_REQUEST} || ' ' || {_TIME} end",
        "request_id": _REQUEST,
        "attempt": "r.attempt",
        "occurred_at": _TIME,
        "tenant": _first("tenant", "tenant_id"),
        "project": _first("project", "project_id"),
        "team": "r.team",
        "user_id": _first("user_id", "user"),
        "api_key_id": "r.api_key_id",
        "session_id": "r.session_id",
        "environment": "r.environment",
        "tags": "r.tags",
        "provider_reported": "call_provider_id",
        "region": "r.region",
        "model_requested": _first("model_requested", "requested_model"),
        "model_served": "call_model_id",
        "operation": "coalesce(r.operation, 'chat')",
        "service_tier": "r.service_tier",
        "is_stream": "r.stream",
        "http_status": "r.http_status",
        "status": """case lower(r.status)
            when 'success' then 'ok' when 'succeeded' then 'ok' when 'failure' then 'error' when 'failed' then 'error'
            when 'ok' then 'ok' when 'error' then 'error' when 'cancelled' then 'cancelled'
            when 'stream_broken' then 'stream_broken' end""",
        "error_class": "r.error_class",
        "error_code": "call_error_code",
        "retry_count": "call_micro_retry_count",
        "is_cache_hit": "r.cache_hit",
        "latency_ms": "call_execution_latency_ms",
        "ttft_ms": _first("ttft_ms", "first_event_ms"),
        "prompt_tokens": "call_prompt_tokens",
        "cache_outside_prompt": f"{_PROVIDER} in ('anthropic', 'claude')",
        "cache_read_tokens": "call_cache_read_tokens",
        "cache_write_5m_tokens": "call_cache_creation_tokens",
        "completion_tokens": "call_completion_tokens",
        "reasoning_tokens": "call_reasoning_tokens",
        "total_tokens": "call_total_tokens",
        "total_may_exceed": f"{_PROVIDER} in ('gemini', 'google', 'vertex', 'vertex_ai')",
        "usage_status": f"""case lower(r.usage_status)
            when 'unsupported' then 'unsupported' when 'pending' then 'missing' when 'estimated' then 'estimated'
            else case when {_ALL_ZERO} and not {_FAILED} then 'missing' end end""",
        "cost_reported": "case when try_cast(r.cost_usd as double) = 0 then null else r.cost_usd end",
    },
)
