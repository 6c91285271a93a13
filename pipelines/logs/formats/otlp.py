"""OpenTelemetry spans of model calls (OTLP), as JSON or protobuf.

Belongs here: which spans are model calls, under which names they say what we read, and their quirks. Does
not belong here: decoding protobuf (`otlp_protobuf.py`).

A document is an ExportTraceServiceRequest: resources, scopes, spans. Its records are the spans of model
calls and nothing else; a document of other spans, of logs or of metrics is passed over, so that a collector's
whole output can be given. An agent's, a chain's or a tool's span repeats the usage of the calls below it and
is never a call, whatever batch it came in. Where one instrumentation wraps another and both call it a model
call, the inner span is kept if the two are in one document; in two documents nothing can tell.

Names come from three conventions, current and older: one table of aliases. Quirks: whole numbers are text;
ids are hexadecimal or, written by protobuf's own JSON, base64; attributes of the resource stand behind those
of the span. Input includes the cache and output the reasoning by every convention; some instrumentations give
the provider's own numbers instead, seen for certain where the part is larger than the whole. OpenAI's
client talks to many providers and says `openai`: there the address tells.
"""

from __future__ import annotations

import json
from typing import Any, Final

from pipelines.logs.formats import Format
from pipelines.logs.sampling import Sample
from pipelines.logs.sql import literal

# What we read -> the attribute names that say it, first one first: current, older, OpenInference.
_ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "operation": ("gen_ai.operation.name", "llm.request.type"),
    "kind": ("openinference.span.kind", "langsmith.span.kind", "traceloop.span.kind"),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
    "model_requested": ("gen_ai.request.model", "llm.request.model_name", "llm.model_name"),
    "model_served": ("gen_ai.response.model", "llm.response.model_name"),
    "response_id": ("gen_ai.response.id",),
    "prompt_tokens": (
        "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens", "llm.token_count.prompt",
    ),
    "completion_tokens": (
        "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.usage.completion_tokens",
        "llm.token_count.completion",
    ),
    "cache_read_tokens": (
        "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.cache_read_tokens", "gen_ai.usage.details.cache_read_tokens", "llm.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
    ),
    "cache_write_tokens": (
        "gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_creation_tokens", "gen_ai.usage.details.cache_write_tokens",
        "llm.usage.cache_creation_input_tokens", "llm.token_count.prompt_details.cache_write",
    ),
    "reasoning_tokens": (
        "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens", "llm.usage.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
    ),
    "total_tokens": ("gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total"),
    "input_audio_tokens": ("llm.token_count.prompt_details.audio",),
    "output_audio_tokens": ("llm.token_count.completion_details.audio",),
    "cost": ("gen_ai.usage.cost", "operation.cost", "llm.cost.total"),
    "first_chunk_seconds": ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token"),
    "stream": ("gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming"),
    "service_tier": (
        "openai.response.service_tier", "gen_ai.openai.response.service_tier", "openai.request.service_tier",
        "gen_ai.openai.request.service_tier",
    ),
    "http_status": ("http.response.status_code", "http.status_code"),
    "error_type": ("error.type",),
    "address": ("server.address",),
    "tenant": ("tenant.id", "tenant_id", "tenant"),
    "project": ("project.id", "project_id", "openinference.project.name", "service.name"),
    "team": ("team.id", "team_id", "team"),
    "user": ("user.id", "enduser.id", "langfuse.user.id"),
    "session": ("gen_ai.conversation.id", "session.id", "langfuse.session.id"),
    "environment": ("deployment.environment.name", "deployment.environment", "langfuse.environment"),
}  # fmt: skip

# Operations that are model calls, and ours for them.
_CALLS: Final = {
    "chat": "chat", "completion": "chat", "text_completion": "chat", "generate_content": "chat", "responses": "chat",
    "messages": "chat", "llm": "chat", "unknown": "chat", "embeddings": "embedding", "embedding": "embedding",
    "rerank": "rerank", "image": "image", "image_generation": "image", "speech": "speech",
    "transcription": "transcription", "moderation": "moderation",
}  # fmt: skip
# Operations and kinds around model calls, never one.
_AROUND: Final = (
    "invoke_agent", "create_agent", "invoke_workflow", "execute_tool", "plan", "retrieval", "retriever", "agent",
    "chain", "tool", "workflow", "task", "guardrail", "evaluator", "reranker", "prompt", "decision", "search_memory",
    "create_memory", "update_memory", "upsert_memory", "delete_memory", "create_memory_store", "delete_memory_store",
)  # fmt: skip
# Where OpenAI's client was really talking to.
_HOSTS: Final = {
    ".openai.azure.com": "azure", ".services.ai.azure.com": "azure", "openrouter.ai": "openrouter",
    "api.deepseek.com": "deepseek", "api.groq.com": "groq", "api.x.ai": "xai", "api.mistral.ai": "mistral",
    "api.together.xyz": "together", "api.fireworks.ai": "fireworks", "api.moonshot.ai": "moonshot",
    "api.moonshot.cn": "moonshot", "dashscope.aliyuncs.com": "qwen", "dashscope-intl.aliyuncs.com": "qwen",
    "generativelanguage.googleapis.com": "google", "api.perplexity.ai": "perplexity",
}  # fmt: skip

_VALUES: Final = ("stringValue", "intValue", "doubleValue", "boolValue")
_ATTRIBUTES: Final = [{"key": "VARCHAR", "value": dict.fromkeys(_VALUES, "VARCHAR")}]
_SPAN: Final[dict[str, Any]] = {
    **dict.fromkeys(("traceId", "spanId", "parentSpanId", "startTimeUnixNano", "endTimeUnixNano"), "VARCHAR"),
    "status": {"code": "VARCHAR"},
}
_SCOPE: Final = {"spans": [_SPAN | {"attributes": _ATTRIBUTES}]}
_DOCUMENT: Final = {"resourceSpans": [{"resource": {"attributes": _ATTRIBUTES}, "scopeSpans": [_SCOPE]}]}


def _detect(sample: Sample) -> str | None:
    if any(isinstance(record.get("resourceSpans"), list) for record in sample.records):
        return "resourceSpans: OTLP; its records are the spans of model calls, other spans are passed over"
    return None


def _texts(texts: tuple[str, ...] | list[str]) -> str:
    return "[" + ", ".join(map(literal, texts)) + "]"


def _list_of(*names: str) -> str:
    return _texts([alias for name in names for alias in _ALIASES[name]])


def _known(attributes: str) -> str:
    """The attributes we read, as texts: what was said is dropped here."""
    # One expression is twice as fast as a list to look in.
    names = "|".join(alias.replace(".", "[.]") for aliases in _ALIASES.values() for alias in aliases)
    known = f"list_filter({attributes}, lambda known: regexp_full_match(known.key, {literal(names)}))"
    text = "coalesce(" + ", ".join(f"known.value.{kind}" for kind in _VALUES) + ")"
    return f"list_transform({known}, lambda known: {{'key': known.key, 'text': nullif({text}, '')}})"


def _marks(attributes: str) -> str:
    """What the span calls itself: its operation and kind."""
    own = f"list_filter({attributes}, lambda own: list_contains({_list_of('operation', 'kind')}, own.key))"
    return f"list_transform({own}, lambda own: lower(own.text))"


def _has(attributes: str, *names: str) -> str:
    return f"list_has_any(list_transform({attributes}, lambda has: has.key), {_list_of(*names)})"


def _spans() -> str:
    """SQL from a document to the list of its spans with what we read of them and of their resource."""
    spans = f"""list_transform(scope.spans, lambda span: {{
        'traceId': span.traceId, 'spanId': span.spanId, 'parentSpanId': span.parentSpanId,
        'startTimeUnixNano': span.startTimeUnixNano, 'endTimeUnixNano': span.endTimeUnixNano, 'status': span.status,
        'attributes': list_concat({_known("span.attributes")}, {_known("resource.resource.attributes")}) }})"""
    scopes = f"flatten(list_transform(resource.scopeSpans, lambda scope: {spans}))"
    document = f"json_transform(record, {literal(json.dumps(_DOCUMENT))})"
    return f"flatten(list_transform(({document}).resourceSpans, lambda resource: {scopes}))"


def _calls() -> str:
    """SQL from a document to its model calls, as JSON.

    A span that names neither operation nor kind is one if it names a provider and a model or usage: an
    agent's summary names no provider. A list of one binds a name.
    """
    attributes = "span.attributes"
    is_call = f"""not list_has_any({_marks(attributes)}, {_texts(_AROUND)})
        and ({_has(attributes, "operation", "kind")}
          or ({_has(attributes, "provider")} and {_has(attributes, "model_requested", "prompt_tokens")}))"""
    calls = f"list_filter({_spans()}, lambda span: {is_call})"
    counted = _has("span.attributes", "prompt_tokens", "completion_tokens", "total_tokens")
    parents = f"list_transform(list_filter(calls, lambda span: {counted}), lambda span: {_path('parentSpanId')})"
    inner = f"list_filter(calls, lambda span: coalesce(not list_contains(parents, {_path('spanId')}), true))"
    bound = f"list_transform([{parents}], lambda parents: {inner})[1]"
    return f"list_transform(list_transform([{calls}], lambda calls: {bound})[1], lambda span: to_json(span))"


def _path(span_id: str) -> str:
    return f"span.traceId || ' ' || nullif(span.{span_id}, '')"


def _attribute(name: str) -> str:
    found = ", ".join(f"texts[list_position(keys, {literal(alias)})]" for alias in _ALIASES[name])
    return f"coalesce({found})" if len(_ALIASES[name]) > 1 else found


def _hexadecimal(name: str) -> str:
    """An id in lower case hexadecimal, also where it came as base64; other ids as they are."""
    return f"""case
        when (length(r.{name}) = 24 and suffix(r.{name}, '==')) or (length(r.{name}) = 12 and suffix(r.{name}, '='))
        then coalesce(lower(hex(try(from_base64(r.{name})))), r.{name}) else lower(r.{name}) end"""


def _count(name: str) -> str:
    return f"try_cast({_attribute(name)} as double)"


_ID: Final = f"""case when r.traceId <> '' and r.spanId <> ''
    then {_hexadecimal("traceId")} || ' ' || {_hexadecimal("spanId")} end"""
_PROJECT: Final = _attribute("project")
_OPERATION: Final = f"lower(coalesce({_attribute('operation')}, {_attribute('kind')}, 'chat'))"
_WORD: Final = _attribute("provider")
_HOST: Final = "case " + " ".join(
    f"when suffix({_attribute('address')}, {literal(host)}) then {literal(name)}" for host, name in _HOSTS.items()
) + " end"  # fmt: skip
_ERROR: Final = _attribute("error_type")
_IS_CODE: Final = f"regexp_full_match({_ERROR}, '[1-5][0-9][0-9]')"
_FAILED: Final = f"(coalesce(r.status.code in ('2', 'STATUS_CODE_ERROR'), false) or {_ERROR} is not null)"
_CACHE: Final = f"coalesce({_count('cache_read_tokens')}, 0) + coalesce({_count('cache_write_tokens')}, 0)"
_REASONING_BESIDE: Final = f"{_count('reasoning_tokens')} > {_count('completion_tokens')}"

FORMAT: Final = Format(
    name="otlp",
    detect=_detect,
    records=_calls(),
    nothing_meant="""json_array_length(record, '$.resourceSpans') = 0
        or json_array_length(record, '$.resourceLogs') >= 0 or json_array_length(record, '$.resourceMetrics') >= 0
        or len(json_extract(record, '$.resourceSpans[*].scopeSpans[*].spans[*]')) > 0""",
    structure=_SPAN | {"attributes": [{"key": "VARCHAR", "text": "VARCHAR"}]},
    names={
        "keys": "list_transform(r.attributes, lambda attribute: attribute.key)",
        "texts": "list_transform(r.attributes, lambda attribute: attribute.text)",
    },
    rejects={
        "unknown_operation": f"not list_contains({_texts(list(_CALLS))}, {_OPERATION})",
    },
    fields={
        "native_id": _ID,
        "request_id": f"coalesce({_attribute('response_id')}, {_ID})",
        "occurred_at": "r.startTimeUnixNano",
        "tenant": _attribute("tenant"),
        "project": f"case when not starts_with({_PROJECT}, 'unknown_service') then {_PROJECT} end",
        "team": _attribute("team"),
        "user_id": _attribute("user"),
        "session_id": _attribute("session"),
        "environment": _attribute("environment"),
        "provider_reported": f"case when lower({_WORD}) = 'openai' then coalesce({_HOST}, {_WORD}) else {_WORD} end",
        "region": f"""coalesce(
            nullif(regexp_extract({_attribute("address")}, '^bedrock-runtime[.]([a-z0-9-]+)[.]amazonaws[.]com', 1), ''),
            nullif(regexp_extract({_attribute("address")}, '^([a-z0-9-]+)-aiplatform[.]googleapis[.]com', 1), ''))""",
        "model_requested": _attribute("model_requested"),
        "model_served": f"coalesce({_attribute('model_served')}, {_attribute('model_requested')})",
        "operation": f"case {_OPERATION} "
        + " ".join(f"when {literal(word)} then {literal(name)}" for word, name in _CALLS.items())
        + " end",
        "service_tier": f"""case lower({_attribute("service_tier")})
            when 'flex' then 'flex' when 'priority' then 'priority' when 'batch' then 'batch' end""",
        "is_stream": _attribute("stream"),
        "http_status": f"coalesce({_attribute('http_status')}, case when {_IS_CODE} then {_ERROR} end)",
        "status": f"case when {_FAILED} and ({_ERROR} is null or {_IS_CODE}) then 'error' end",
        # `openai.RateLimitError` is the class's full name.
        "error_class": f"case when not {_IS_CODE} then regexp_extract({_ERROR}, '[^.]*$') end",
        "error_code": _ERROR,
        "latency_ms": """case when r.endTimeUnixNano <> '0' then
            (try_cast(r.endTimeUnixNano as hugeint) - try_cast(r.startTimeUnixNano as hugeint)) / 1e6 end""",
        "ttft_ms": f"{_count('first_chunk_seconds')} * 1000",
        "prompt_tokens": _attribute("prompt_tokens"),
        "cache_outside_prompt": f"coalesce({_CACHE} > {_count('prompt_tokens')}, false)",
        "cache_read_tokens": _attribute("cache_read_tokens"),
        "cache_write_5m_tokens": _attribute("cache_write_tokens"),
        "input_audio_tokens": _attribute("input_audio_tokens"),
        "output_audio_tokens": _attribute("output_audio_tokens"),
        "completion_tokens": _attribute("completion_tokens"),
        "output_tokens": f"case when {_REASONING_BESIDE} then {_attribute('completion_tokens')} end",
        "reasoning_tokens": _attribute("reasoning_tokens"),
        "total_tokens": _attribute("total_tokens"),
        "total_may_exceed": f"contains(lower({_WORD}), 'google') or contains(lower({_WORD}), 'gemini') "
        f"or contains(lower({_WORD}), 'vertex') or starts_with(lower({_WORD}), 'gcp.')",
        "usage_status": f"""case when {_count("prompt_tokens")} = 0
            and coalesce({_count("completion_tokens")}, 0) = 0 and not {_FAILED} then 'missing' end""",
        "cost_reported": f"case when {_count('cost')} <> 0 then {_attribute('cost')} end",
    },
)
