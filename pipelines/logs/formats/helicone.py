"""Helicone's requests: the export tool's and the API's rows, and the columns of its own table.

Belongs here: Helicone's fields, the two export kinds and their units. Does not belong here: anything of the
providers behind it.

Quirks: in the API's rows times are `delay_ms` and costs US dollars (`costUSD`, `cost`); in rows of its own
table (`request_response_rmt`) they are `latency`, `status`, `model`, and `cost` is in 1e-9 US dollars. A
request answered by its cache names the one it copied in `cache_reference_id` (all zeros where it copied
none) and costs nothing; `cache_enabled` says only that copying was allowed. -1 tokens mean that nobody
counted. Statuses below zero are its own: pending, cancelled, stopped as a threat. A request's later version
has a later `updated_at`.

Prompt tokens count the cache in some rows and not in others: the provider's own usage tells where the body
is exported; a cache larger than the prompt, and Anthropic's words, tell too; where nothing tells, the cache
is taken as within the prompt and the usage is `estimated`.
"""

from __future__ import annotations

from typing import Any, Final

from pipelines.logs.formats import Format
from pipelines.logs.formats.wrapping import empty, inner_records, opened
from pipelines.logs.sampling import Sample
from pipelines.logs.sql import key_values

_ROW: Final[dict[str, Any]] = {
    **dict.fromkeys(
        (
            "request_id", "request_created_at", "response_created_at", "updated_at", "response_status", "status",
            "request_model", "response_model", "model_override", "model", "request_user_id", "user_id", "provider",
            "delay_ms", "latency", "time_to_first_token", "total_tokens", "prompt_tokens", "completion_tokens",
            "reasoning_tokens", "prompt_cache_read_tokens", "prompt_cache_write_tokens", "prompt_audio_tokens",
            "completion_audio_tokens", "costUSD", "cost", "cache_reference_id", "request_path", "target_url",
        ),
        "VARCHAR",
    ),
    "request_properties": "JSON",
    "properties": "JSON",
}  # fmt: skip
_USAGE: Final = {"prompt_tokens": "VARCHAR", "input_tokens": "VARCHAR"}


def _detect(sample: Sample) -> str | None:
    for record in (*inner_records(sample, "data"), dict.fromkeys(sample.columns)):
        if {"request_id", "request_created_at", "prompt_tokens", "provider"} <= record.keys():
            if "delay_ms" in record:
                return "request_id, request_created_at and delay_ms: Helicone requests"
            if {"latency", "status"} <= record.keys():
                return "request_id, request_created_at, latency and status: rows of Helicone's own table"
    return None


def _count(name: str) -> str:
    return f"nullif(r.{name}, '-1')"


def _whole(name: str) -> str:
    return f"coalesce(try_cast(r.{name} as bigint), 0)"


def _property(*names: str) -> str:
    paths = (f"""json_extract_string(free, '$."{name}"')""" for name in names)
    return f"coalesce({', '.join(paths)})"


_CACHE: Final = f"({_whole('prompt_cache_read_tokens')} + {_whole('prompt_cache_write_tokens')})"
_BODY_PROMPT: Final = "try_cast(coalesce(body.prompt_tokens, body.input_tokens) as bigint)"
_OUTSIDE: Final = f"""coalesce(case
    when {_CACHE} > {_whole("prompt_tokens")} then true
    when lower(r.provider) in ('anthropic', 'bedrock', 'aws') then true
    when body.prompt_tokens is not null and {_BODY_PROMPT} <> try_cast(r.prompt_tokens as bigint)
    then {_BODY_PROMPT} in (try_cast(r.prompt_tokens as bigint) + {_whole("prompt_cache_read_tokens")},
      try_cast(r.prompt_tokens as bigint) + {_CACHE}) end, false)"""
_TOLD: Final = f"({_CACHE} = 0 or {_OUTSIDE} or {_BODY_PROMPT} is not null)"
_HIT: Final = "(nullif(r.cache_reference_id, '') <> '00000000-0000-0000-0000-000000000000')"
_CODE: Final = "coalesce(r.response_status, r.status)"
_URL: Final = "coalesce(nullif(r.request_path, ''), r.target_url)"
_OWN_COST: Final = "r.delay_ms is null and r.latency is not null"

FORMAT: Final = Format(
    name="helicone",
    detect=_detect,
    records=opened("data"),
    nothing_meant=empty("data"),
    structure=_ROW,
    # A body is read for what it says of counts; it may be text.
    within={"body": ("json_extract(try_cast(record ->> '$.response_body' as json), '$.usage')", _USAGE)},
    names={"free": "try_cast(coalesce(r.request_properties, r.properties) as json)"},
    rejects={"not_a_request": "r.request_id is null and r.request_created_at is null and json_type(record) = 'OBJECT'"},
    fields={
        "native_id": "r.request_id",
        "source_version": "coalesce(nullif(r.updated_at, ''), r.response_created_at)",
        "request_id": "r.request_id",
        "occurred_at": "r.request_created_at",
        "tenant": _property("Tenant", "tenant", "TenantId", "tenant_id"),
        "project": _property("Project", "project", "App", "app"),
        "team": _property("Team", "team"),
        "user_id": "coalesce(nullif(r.request_user_id, ''), r.user_id)",
        "session_id": _property("Helicone-Session-Id"),
        "environment": _property("Environment", "environment", "Env", "env"),
        "tags": key_values("free"),
        "provider_reported": "case upper(r.provider) when 'AWS' then 'bedrock' when 'X' then 'xai' else r.provider end",
        "model_requested": "r.request_model",
        "model_served": "coalesce(nullif(r.response_model, ''), nullif(r.model_override, ''), nullif(r.model, ''), "
        "r.request_model)",
        "operation": f"""case when contains({_URL}, 'embedding') then 'embedding'
            when contains({_URL}, '/images') then 'image' when contains({_URL}, '/audio/speech') then 'speech'
            when contains({_URL}, '/audio/') then 'transcription' when contains({_URL}, '/rerank') then 'rerank'
            when contains({_URL}, '/moderations') then 'moderation' else 'chat' end""",
        "is_stream": "json_extract_string(try_cast(record ->> '$.request_body' as json), '$.stream')",
        "http_status": f"case when not starts_with({_CODE}, '-') then {_CODE} end",
        "status": f"""case {_CODE} when '-3' then 'cancelled' when '-4' then 'error' when '-1' then 'stream_broken'
            when '-2' then 'stream_broken' end""",
        "error_class": f"case when {_CODE} = '-4' then 'content_filter' end",
        "is_cache_hit": _HIT,
        "latency_ms": "coalesce(r.delay_ms, r.latency)",
        "ttft_ms": "r.time_to_first_token",
        "prompt_tokens": _count("prompt_tokens"),
        "cache_outside_prompt": _OUTSIDE,
        "cache_read_tokens": _count("prompt_cache_read_tokens"),
        "cache_write_5m_tokens": _count("prompt_cache_write_tokens"),
        "input_audio_tokens": _count("prompt_audio_tokens"),
        "completion_tokens": _count("completion_tokens"),
        "reasoning_tokens": _count("reasoning_tokens"),
        "output_audio_tokens": _count("completion_audio_tokens"),
        "total_tokens": _count("total_tokens"),
        "usage_status": f"""case
            when '-1' in (r.prompt_tokens, r.completion_tokens) then 'missing'
            when r.prompt_tokens = '0' and r.completion_tokens = '0' and {_HIT} is not true
              and try_cast({_CODE} as integer) between 200 and 299 then 'missing'
            when not {_TOLD} then 'estimated' end""",
        # Its table has no null: a cost of 0 without a cached answer means that none was computed.
        "cost_reported": f"""case when {_HIT} then '0'
            when try_cast(coalesce(r.costUSD, r.cost) as double) = 0 then null
            when r.costUSD is null and {_OWN_COST}
            then (try_cast(r.cost as decimal(28, 9)) * 0.000000001::decimal(9, 9))::varchar
            else coalesce(r.costUSD, r.cost) end""",
    },
)
