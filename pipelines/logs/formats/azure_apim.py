"""Azure API Management's language model log: rows of ApiManagementGatewayLlmLog, or diagnostic records.

Belongs here: both spellings of its columns, which rows are one call, what its tokens mean. Does not belong
here: Azure's prices.

One call is several rows with one `CorrelationId`: `SequenceNumber` 0 has the counts and the model, the others
carry messages in pieces of 32 KB. They have one identity here, so counts are taken once and the other rows
are counted as duplicates; the row with counts wins in any order, and pieces whose row with counts never
came are a call with usage `missing`. A row says nothing of how the call ended, unless the export was joined
with ApiManagementGatewayLogs (`ResponseCode`, `TotalTime`, `ApimSubscriptionId`). `Region` is the gateway's,
not the one that bills, and `TenantId` the workspace: neither is kept. `PromptCachedTokens` lie within the
prompt, for Claude models beside it.
"""

from __future__ import annotations

from typing import Final

from pipelines.logs.formats import Format
from pipelines.logs.formats.wrapping import empty, inner_records, opened
from pipelines.logs.sampling import Sample

_COLUMNS: Final = (
    "CorrelationId", "RequestId", "SequenceNumber", "DeploymentName", "ModelName", "PromptTokens", "CompletionTokens",
    "TotalTokens", "PromptCachedTokens", "IsStreamCompletion", "TimeGenerated", "ResponseCode", "TotalTime",
    "ApimSubscriptionId", "UserId",
)  # fmt: skip
_PORTAL_TIME: Final = "TimeGenerated [UTC]"
_PORTAL_FORMATS: Final = "['%m/%d/%Y, %I:%M:%S.%f %p', '%m/%d/%Y, %I:%M:%S %p']"


def _camel(name: str) -> str:
    return name[0].lower() + name[1:]


def _detect(sample: Sample) -> str | None:
    for record in (*inner_records(sample, "records"), dict.fromkeys(sample.columns)):
        if record.get("category") == "GatewayLlmLogs" and isinstance(record.get("properties"), dict):
            return "category GatewayLlmLogs with properties: Azure API Management's language model log"
        if {"CorrelationId", "SequenceNumber", "PromptTokens", "CompletionTokens"} <= record.keys():
            return "CorrelationId, SequenceNumber and PromptTokens: Azure's ApiManagementGatewayLlmLog"
    return None


def _column(name: str) -> str:
    places = (f'r."{name}"', f'upper_ones."{name}"', f'lower_ones."{_camel(name)}"')
    return "coalesce(" + ", ".join(f"nullif({place}, '')" for place in places) + ")"


_PROPERTIES: Final = "record -> '$.properties'"
_MODEL: Final = f"coalesce({_column('ModelName')}, {_column('DeploymentName')})"
_HAS_COUNTS: Final = f"""({_MODEL} is not null or coalesce(try_cast({_column("TotalTokens")} as bigint), 0) > 0
    or coalesce(try_cast({_column("PromptCachedTokens")} as bigint), 0) > 0)"""
_PORTAL: Final = f"""try_strptime(r."{_PORTAL_TIME}", {_PORTAL_FORMATS})::varchar"""
_TIME: Final = f"""coalesce({_column("TimeGenerated")}, nullif(r."time", ''), {_PORTAL}, r."{_PORTAL_TIME}")"""
_CACHED: Final = "coalesce(try_cast(cached as bigint), 0)"


def _counted(name: str) -> str:
    return f"case when has_counts then {_column(name)} end"


FORMAT: Final = Format(
    name="azure_apim",
    detect=_detect,
    records=opened("records"),
    nothing_meant=empty("records"),
    structure=dict.fromkeys((*_COLUMNS, _PORTAL_TIME, "time"), "VARCHAR"),
    within={
        "upper_ones": (_PROPERTIES, dict.fromkeys(_COLUMNS, "VARCHAR")),
        "lower_ones": (_PROPERTIES, dict.fromkeys(map(_camel, _COLUMNS), "VARCHAR")),
    },
    names={"model": _MODEL, "has_counts": _HAS_COUNTS, "generated_at": _TIME, "cached": _column("PromptCachedTokens")},
    rejects={
        "not_a_gateway_row": f"coalesce({_column('CorrelationId')}, {_column('RequestId')}) is null "
        "and json_type(record) = 'OBJECT'"
    },
    fields={
        "native_id": f"coalesce({_column('CorrelationId')}, {_column('RequestId')})",
        "source_version": "case when has_counts then generated_at end",
        "request_id": f"coalesce({_column('CorrelationId')}, {_column('RequestId')})",
        "occurred_at": "generated_at",
        "project": _column("ApimSubscriptionId"),
        "user_id": _column("UserId"),
        # Gateways front other makers too: only Azure's own goods are taken for Azure's.
        "provider_hint": "case when not regexp_matches(lower(model), '^(claude|gemini)') then 'azure' end",
        "model_requested": _column("DeploymentName"),
        "model_served": "model",
        "operation": "case when contains(lower(model), 'embedding') then 'embedding' else 'chat' end",
        "is_stream": _column("IsStreamCompletion"),
        "http_status": _column("ResponseCode"),
        "latency_ms": _column("TotalTime"),
        "prompt_tokens": _counted("PromptTokens"),
        "cache_outside_prompt": f"""coalesce(starts_with(lower(model), 'claude')
            or {_CACHED} > try_cast({_column("PromptTokens")} as bigint), false)""",
        "cache_read_tokens": "cached",
        "completion_tokens": _counted("CompletionTokens"),
        "total_tokens": _counted("TotalTokens"),
        "usage_status": f"""case when not has_counts then 'missing'
            when {_column("PromptTokens")} = '0' and {_column("CompletionTokens")} = '0' and {_CACHED} = 0
            and coalesce(try_cast({_column("ResponseCode")} as integer), 200) < 400 then 'missing' end""",
    },
)
