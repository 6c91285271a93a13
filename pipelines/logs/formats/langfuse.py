"""Langfuse's observations: trace downloads, answers of its API, exports of observations.

Belongs here: where observations are in each, which are model calls, and their quirks. Does not belong here:
the spans Langfuse was given (`otlp.py`).

A document is a trace with its observations (`{"trace", "observations"}`, or the trace itself), a page
(`{"data", "meta"}`), or one observation (exports are lines, rows or arrays of these, some in snake case).
Its records are the generations and embeddings; other observations repeat their usage or have none.

Quirks: the newest `updatedAt` of an observation is the one that counts; `latency` is in seconds in one export
and in milliseconds in another, so it is not read: the times tell; usage buckets are exclusive by Langfuse's
own convention, and inclusive where an integration passed a provider's numbers through: the total tells; the
provider is only in the metadata, which may be an object, JSON text or Python's `repr` of it; user, session and
tags are the trace's; a cost of zero means that Langfuse had no price.
"""

from __future__ import annotations

from typing import Any, Final

from pipelines.logs.formats import Format
from pipelines.logs.sampling import Sample
from pipelines.logs.sql import literal

_KINDS: Final = {
    "GENERATION", "EMBEDDING", "SPAN", "EVENT", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "GUARDRAIL",
}  # fmt: skip


def _is_observation(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("type") in _KINDS
        and bool({"traceId", "trace_id"} & value.keys())
        and bool({"startTime", "start_time"} & value.keys())
    )


def _detect(sample: Sample) -> str | None:
    for record in sample.records:
        for name in ("observations", "data"):
            found = record.get(name)
            if isinstance(found, list) and found and _is_observation(found[0]):
                return f"{name} with type, traceId and startTime: Langfuse; generations are its records, others not"
        trace = record.get("trace")
        if isinstance(trace, dict) and {"projectId", "timestamp", "observations"} <= trace.keys():
            return "a trace with projectId, timestamp and observations: a Langfuse trace download"
        if _is_observation(record):
            return "type, traceId and startTime: Langfuse observations; generations are its records, others not"
    if {"id", "type", "trace_id", "start_time", "usage_details"} <= set(sample.columns):
        return "type, trace_id, start_time and usage_details: a Langfuse export of observations"
    return None


def _calls() -> str:
    """SQL from a document to its model calls, without what was said and with what their trace says of them."""
    found = """case
        when json_type(record, '$.observations') = 'ARRAY' then json_extract(record, '$.observations[*]')
        when json_type(record, '$.trace.observations') = 'ARRAY' then json_extract(record, '$.trace.observations[*]')
        when json_type(record, '$.data') = 'ARRAY' then json_extract(record, '$.data[*]')
        else [record] end"""
    trace = "coalesce(json_extract(record, '$.trace'), record)"
    patch = f"""json_object('input', null, 'output', null, 'trace', json_object('userId', {trace} -> '$.userId',
        'sessionId', {trace} -> '$.sessionId', 'tags', {trace} -> '$.tags'))"""
    calls = f"list_filter({found}, lambda one: json_extract_string(one, '$.type') in ('GENERATION', 'EMBEDDING'))"
    # A list of one binds the patch: within the inner lambda it would be made of the whole document for each call.
    bound = f"list_transform({calls}, lambda one: json_merge_patch(one, patch))"
    return f"list_transform([{patch}], lambda patch: {bound})[1]"


# In the order of an observation's own names, with those of snake case.
_NAMES: Final = {
    "id": ("id",),
    "type": ("type",),
    "updated": ("updatedAt", "updated_at"),
    "start": ("startTime", "start_time"),
    "end": ("endTime", "end_time"),
    "first": ("completionStartTime", "completion_start_time"),
    "project": ("projectId", "project_id"),
    "user": ("userId", "user_id"),
    "session": ("sessionId", "session_id"),
    "tags": ("tags", "traceTags", "trace_tags"),
    "environment": ("environment",),
    "model": ("model", "providedModelName", "provided_model_name"),
    "level": ("level",),
    "message": ("statusMessage", "status_message"),
    "metadata": ("metadata",),
    "usage": ("usageDetails", "usage_details"),
    "parameters": ("modelParameters", "model_parameters"),
    "cost": ("totalCost", "calculatedTotalCost", "total_cost"),
    "prompt": ("inputUsage", "promptTokens"),
    "completion": ("outputUsage", "completionTokens"),
    "total": ("totalUsage", "totalTokens"),
}

# Parts beside `input` and `output`, by who named them: Langfuse, OpenAI's and Anthropic's answers, OpenInference.
_BUCKETS: Final = {
    "cache_read": ("input_cached_tokens", "input_cache_read", "cache_read_input_tokens", "prompt_details.cache_read"),
    "cache_write": (
        "input_cache_creation", "cache_creation_input_tokens", "input_cache_creation_tokens",
        "prompt_details.cache_write",
    ),
    "input_audio": ("input_audio_tokens", "input_audio", "prompt_details.audio"),
    "input_image": ("input_image_tokens", "input_image"),
    "reasoning": ("output_reasoning_tokens", "output_reasoning", "reasoning_tokens", "completion_details.reasoning"),
    "output_audio": ("output_audio_tokens", "output_audio", "completion_details.audio"),
    "output_image": ("output_image_tokens", "output_image"),
}  # fmt: skip


def _one(name: str, of: str = "r") -> str:
    return "coalesce(" + ", ".join(f"nullif({of}.{spelled}, '')" for spelled in _NAMES[name]) + ")"


def _bucket(name: str) -> str:
    return "coalesce(" + ", ".join(f'buckets."{spelled}"' for spelled in _BUCKETS[name]) + ")"


def _number(text: str) -> str:
    return f"try_cast({text} as double)"


def _said(*names: str) -> str:
    """What the metadata says under one of these names, whatever way it is written."""
    words = "|".join(name.replace(".", "[.]") for name in names)
    pattern = rf"""["']({words})["']\s*:\s*["']([^"'\\]+)["']"""
    return f"nullif(regexp_extract({_one('metadata')}, {literal(pattern)}, 2), '')"


def _elapsed(later: str) -> str:
    return f"""(epoch_us(try_cast({_one(later)} as timestamptz))
        - epoch_us(try_cast({_one("start")} as timestamptz))) / 1000"""


_INPUT: Final = f"coalesce(buckets.input, r.usage.input, {_one('prompt')})"
_OUTPUT: Final = f"coalesce(buckets.output, r.usage.output, {_one('completion')})"
_TOTAL: Final = f"coalesce(buckets.total, r.usage.total, {_one('total')})"
_SIDES: Final = f"coalesce({_number(_INPUT)}, 0) + coalesce({_number(_OUTPUT)}, 0)"
_PARTS: Final = " + ".join(f"coalesce({_number(_bucket(name))}, 0)" for name in _BUCKETS)
_EXCLUSIVE: Final = f"({_PARTS} > 0 and coalesce({_number(_TOTAL)} = {_SIDES} + {_PARTS}, true))"
_ERROR: Final = f"coalesce({_one('level')} = 'ERROR', false)"
_MESSAGE: Final = f"case when {_ERROR} then {_one('message')} end"
_LANGCHAIN: Final = _said("ls_provider", "langsmith.metadata.ls_provider")
_SYSTEM: Final = _said("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")

FORMAT: Final = Format(
    name="langfuse",
    detect=_detect,
    records=_calls(),
    nothing_meant="""json_type(record, '$.observations') = 'ARRAY'
        or json_type(record, '$.trace.observations') = 'ARRAY' or json_type(record, '$.data') = 'ARRAY'
        or (json_type(record, '$.type') = 'VARCHAR' and json_type(record, '$.id') = 'VARCHAR')""",
    structure=dict.fromkeys((spelled for names in _NAMES.values() for spelled in names), "VARCHAR")
    | {"trace": dict.fromkeys(("userId", "sessionId", "tags"), "VARCHAR")}
    | {"usage": {"input": "VARCHAR", "output": "VARCHAR", "total": "VARCHAR", "unit": "VARCHAR"}},
    within={
        "buckets": (
            f"try_cast({_one('usage')} as json)",
            dict.fromkeys(
                ("input", "output", "total", *(name for names in _BUCKETS.values() for name in names)), "VARCHAR"
            ),
        ),
        "parameters": (f"try_cast({_one('parameters')} as json)", {"service_tier": "VARCHAR"}),
    },
    rejects={"not_counted_in_tokens": "lower(r.usage.unit) <> 'tokens'"},
    fields={
        "native_id": _one("id"),
        "source_version": _one("updated"),
        "request_id": f"coalesce({_said('gen_ai.response.id')}, {_one('id')})",
        "occurred_at": _one("start"),
        "tenant": _said("tenant_id", "tenant.id", "tenant"),
        "project": _one("project"),
        "user_id": f"coalesce({_one('user')}, nullif(r.trace.userId, ''))",
        "session_id": f"coalesce({_one('session')}, nullif(r.trace.sessionId, ''))",
        "environment": _one("environment"),
        "tags": f"coalesce({_one('tags')}, r.trace.tags)",
        "provider_reported": f"coalesce(nullif({_SYSTEM}, 'langchain'), {_LANGCHAIN})",
        "model_requested": _one("model"),
        "model_served": _one("model"),
        "operation": f"case when {_one('type')} = 'EMBEDDING' then 'embedding' else 'chat' end",
        "service_tier": """case parameters.service_tier
            when 'flex' then 'flex' when 'priority' then 'priority' when 'batch' then 'batch' end""",
        "is_stream": f"case when {_one('first')} is not null then 'true' end",
        "http_status": f"nullif(regexp_extract({_MESSAGE}, '[Ee]rror code: ([45][0-9][0-9])', 1), '')",
        "status": f"case when {_ERROR} then 'error' else 'ok' end",
        "error_class": f"nullif(regexp_extract({_MESSAGE}, '[A-Za-z]+(?:Error|Exception)'), '')",
        "latency_ms": _elapsed("end"),
        "ttft_ms": _elapsed("first"),
        "prompt_tokens": f"case when not {_EXCLUSIVE} then {_INPUT} end",
        "completion_tokens": f"case when not {_EXCLUSIVE} then {_OUTPUT} end",
        "total_tokens": f"case when not {_EXCLUSIVE} then {_TOTAL} end",
        "total_may_exceed": f"starts_with({_one('model')}, 'gemini')",
        "input_tokens": f"case when {_EXCLUSIVE} then {_INPUT} end",
        "output_tokens": f"case when {_EXCLUSIVE} then {_OUTPUT} end",
        "cache_read_tokens": _bucket("cache_read"),
        "cache_write_5m_tokens": _bucket("cache_write"),
        "input_audio_tokens": _bucket("input_audio"),
        "input_image_tokens": _bucket("input_image"),
        "reasoning_tokens": _bucket("reasoning"),
        "output_audio_tokens": _bucket("output_audio"),
        "output_image_tokens": _bucket("output_image"),
        "usage_status": f"case when {_SIDES} + {_PARTS} = 0 and not {_ERROR} then 'missing' end",
        "cost_reported": f"case when {_number(_one('cost'))} <> 0 then {_one('cost')} end",
    },
)
