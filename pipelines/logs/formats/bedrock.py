"""Amazon Bedrock's model invocation log, from its bucket or exported from its log group.

Belongs here: the record of an invocation, how its model and billing region are told. Does not belong here:
AWS's bills.

`inputTokenCount` leaves the cache out. `modelId` is a model, a geographic or global inference profile
(`us.…`, `global.…`), or an ARN of one; an application profile, a provisioned or custom model is named by an id
of the account, kept as it is. The region is the one that bills: where the call was made, `global` for a
global profile; where it was computed (`inferenceRegion`) changes no price. `identity` may be a list. Bodies
are there and are not kept: only durations and counts are read from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from pipelines.logs.formats import Format
from pipelines.logs.formats.wrapping import empty, inner_records
from pipelines.logs.sampling import Sample
from pipelines.logs.sql import key_values

_RECORD: Final[dict[str, Any]] = {
    **dict.fromkeys(
        (
            "schemaType", "timestamp", "accountId", "region", "requestId", "operation", "modelId", "errorCode",
            "inferenceRegion", "serviceTier",
        ),
        "VARCHAR",
    ),
    "requestMetadata": "JSON",
    "performanceConfig": {"latency": "VARCHAR"},
    "input": dict.fromkeys(("inputTokenCount", "cacheReadInputTokenCount", "cacheWriteInputTokenCount"), "VARCHAR"),
    "output": {"outputTokenCount": "VARCHAR"},
}  # fmt: skip


def _messages(sample: Sample) -> Iterator[Any]:
    """Records that are text within a log group's export."""
    for event in inner_records(sample, "events", "logEvents"):
        if isinstance(text := event.get("message"), str) and "modelId" in text:
            try:
                yield json.loads(text)
            except ValueError:
                continue


def _detect(sample: Sample) -> str | None:
    for record in (*sample.records, *_messages(sample)):
        if record.get("schemaType") == "ModelInvocationLog":
            return "schemaType ModelInvocationLog: Amazon Bedrock's invocation log"
        if {"modelId", "requestId", "accountId", "operation", "input"} <= record.keys():
            return "modelId, requestId, accountId and input: Amazon Bedrock's invocation log"
    return None


def _messages_of(name: str) -> str:
    texts = f"json_extract_string(record, '$.{name}[*].message')"
    records = f"list_transform({texts}, lambda text: try_cast(text as json))"
    return f"when json_type(record -> '$.{name}') = 'ARRAY' then {records}"


def _body(*paths: str) -> str:
    """The first value found in the answer's body: an object, or a stream's list of events."""
    found = []
    for path in paths:
        found.append(f"json_extract_string(record, '$.output.outputBodyJson.{path}')")
        found.append(f"list_last(list_filter(json_extract_string(record, '$.output.outputBodyJson[*].{path}'), "
                     "lambda value: value is not null))")  # fmt: skip
    return f"coalesce({', '.join(found)})"


def _meta(*names: str) -> str:
    paths = (f"json_extract_string(r.requestMetadata, '$.{name}')" for name in names)
    return f"coalesce({', '.join(paths)})"


_NAME: Final = "case when starts_with(r.modelId, 'arn:') then regexp_extract(r.modelId, '[^/]+$') else r.modelId end"
_GEOGRAPHY: Final = "^(global|us-gov|us|eu|apac|ap|jp|au|ca|sa|me|af|il|mx|uk|in)\\."
_MODEL: Final = f"regexp_replace(profile, '{_GEOGRAPHY}', '')"
_WRITE: Final = "r.input.cacheWriteInputTokenCount"
_WRITE_1H: Final = _body(
    "usage.cache_creation.ephemeral_1h_input_tokens", "message.usage.cache_creation.ephemeral_1h_input_tokens"
)
_METRICS: Final = '"amazon-bedrock-invocationMetrics"'
_TIER: Final = f"lower(coalesce(nullif(r.serviceTier, ''), {_body('serviceTier.type', 'service_tier')}))"

FORMAT: Final = Format(
    name="bedrock",
    detect=_detect,
    records=f"case {_messages_of('events')} {_messages_of('logEvents')} else [record] end",
    nothing_meant=empty("events", "logEvents"),
    structure=_RECORD,
    names={"profile": _NAME, "write_1h": _WRITE_1H},
    rejects={"not_an_invocation": "r.requestId is null and r.modelId is null and json_type(record) = 'OBJECT'"},
    fields={
        "native_id": "r.requestId",
        "request_id": "r.requestId",
        "occurred_at": "r.timestamp",
        "tenant": _meta("tenant", "tenantId", "tenant_id"),
        "project": f"coalesce({_meta('project', 'projectId', 'project_id')}, r.accountId)",
        "team": _meta("team", "Team"),
        # The last part of an ARN: a user's name, or the name of an assumed role's session.
        "user_id": """coalesce(json_extract_string(r.requestMetadata, '$.user'),
            regexp_extract(coalesce(record ->> '$.identity.arn', record ->> '$.identity[0].arn'), '[^/]+$'))""",
        "session_id": _meta("session", "sessionId", "session_id", "traceId"),
        "environment": _meta("environment", "env"),
        "tags": key_values("r.requestMetadata"),
        "provider_reported": "'bedrock'",
        "region": """case when starts_with(profile, 'global.') then 'global'
            else coalesce(nullif(r.region, ''), nullif(split_part(r.modelId, ':', 4), ''), r.inferenceRegion) end""",
        "model_requested": "profile",
        "model_served": _MODEL,
        "operation": """case when contains(profile, 'embed') then 'embedding'
            when contains(profile, 'rerank') then 'rerank'
            when regexp_matches(profile, 'canvas|titan-image|stability\\.') then 'image'
            when contains(profile, 'nova-reel') then 'video' else 'chat' end""",
        # A latency-optimised call has a price of its own, which is not the standard one.
        "service_tier": f"""case when r.performanceConfig.latency = 'optimized' then 'latency_optimized'
            when {_TIER} = 'default' then null else {_TIER} end""",
        "is_stream": "contains(r.operation, 'Stream')",
        "status": "case when nullif(r.errorCode, '') is null then 'ok' end",
        "error_class": "r.errorCode",
        "error_code": "r.errorCode",
        "latency_ms": _body("metrics.latencyMs", f"{_METRICS}.invocationLatency", "metadata.metrics.latencyMs"),
        "ttft_ms": _body(f"{_METRICS}.firstByteLatency"),
        "prompt_tokens": "r.input.inputTokenCount",
        "cache_outside_prompt": "true",
        "cache_read_tokens": "r.input.cacheReadInputTokenCount",
        "cache_write_5m_tokens": f"case when write_1h is null then {_WRITE} "
        f"else (try_cast({_WRITE} as bigint) - try_cast(write_1h as bigint))::varchar end",
        "cache_write_1h_tokens": "write_1h",
        "completion_tokens": "r.output.outputTokenCount",
        "total_tokens": _body("usage.totalTokens", "metadata.usage.totalTokens"),
    },
)
