"""LiteLLM's StandardLoggingPayload: what its callbacks, buckets and webhooks send, one by one or in batches.

Belongs here: the payload's fields and their quirks. Does not belong here: SpendLogs rows, the usage object
(`litellm_usage.py`).

Quirks: times are epoch floats or naive text in UTC; the attempts of one request share `trace_id`, and a
failed attempt's `id` is the gateway's own call id, the same for each retry, so the start tells them apart;
`response_cost` is 0 where computing failed; `model` is what was asked of the provider, `response.model`
what answered; messages and the response are there and are not kept. A batch is an array of payloads, or one
array per line.
"""

from __future__ import annotations

from typing import Any, Final

from pipelines.logs.formats import Format, litellm_usage
from pipelines.logs.formats.wrapping import empty, inner_records, opened
from pipelines.logs.sampling import Sample
from pipelines.logs.sql import instant

_NEEDED: Final = ("id", "call_type", "response_cost", "startTime", "hidden_params")
_PAYLOAD: Final[dict[str, Any]] = {
    **dict.fromkeys(
        (
            "id", "trace_id", "call_type", "stream", "response_cost", "status", "custom_llm_provider", "total_tokens",
            "prompt_tokens", "completion_tokens", "startTime", "endTime", "completionStartTime", "response_time",
            "model", "model_group", "cache_hit", "request_tags", "end_user",
        ),
        "VARCHAR",
    ),
    "response_cost_failure_debug_info": "JSON",
    "cost_breakdown": {"total_cost": "VARCHAR"},
    "status_fields": {"guardrail_status": "VARCHAR"},
    "error_information": {"error_code": "VARCHAR", "error_class": "VARCHAR"},
    "metadata": {
        **dict.fromkeys(
            (
                "user_api_key_hash", "user_api_key_org_id", "user_api_key_project_id", "user_api_key_team_id",
                "user_api_key_team_alias", "user_api_key_user_id", "user_api_key_end_user_id", "attempted_retries",
            ),
            "VARCHAR",
        ),
        "usage_object": "JSON",
    },
    "hidden_params": {"usage_object": "JSON"},
}  # fmt: skip


def _detect(sample: Sample) -> str | None:
    for record in inner_records(sample, "data", "standard_logging_object"):
        if {*_NEEDED} <= record.keys():
            return f"{', '.join(_NEEDED)}: a LiteLLM StandardLoggingPayload"
    return None


def _object(json: str) -> str:
    return f"case when json_type({json}) = 'OBJECT' then {json} end"


def _answered(name: str) -> str:
    """A field of the provider's own answer that is no content."""
    return f"json_extract_string(record, '$.response.{name}')"


def _elapsed(later: str) -> str:
    return f"(epoch_us({instant(later)}) - epoch_us({instant('r.startTime')})) / 1000"


# In the order of trust; the response's own where a gateway left the others out.
_USAGE_JSON: Final = f"""coalesce({_object("r.metadata.usage_object")}, {_object("r.hidden_params.usage_object")},
    {_object("json_extract(record, '$.response.usage')")})"""
_FAILED: Final = "(lower(r.status) = 'failure')"
_ERROR: Final = "r.error_information"
_HIT: Final = "(lower(r.cache_hit) = 'true')"
_NO_COST: Final = "json_type(r.response_cost_failure_debug_info) = 'OBJECT'"
_STREAM_START: Final = f"{instant('r.completionStartTime')} < {instant('r.endTime')}"
_TIER: Final = "coalesce(usage.service_tier, " + _answered("service_tier") + ")"

FORMAT: Final = Format(
    name="litellm_payload",
    detect=_detect,
    records=opened("data", "standard_logging_object"),
    nothing_meant=empty("data", "standard_logging_object"),
    structure=_PAYLOAD,
    within={"usage": (_USAGE_JSON, litellm_usage.STRUCTURE)},
    rejects={"not_a_payload": "r.call_type is null and r.model is null and json_type(record) = 'OBJECT'"},
    fields=litellm_usage.detail_fields("usage")
    | {
        "native_id": f"nullif(r.id, '') || ' ' || epoch_us({instant('r.startTime')})",
        "request_id": "coalesce(nullif(r.trace_id, ''), nullif(r.id, ''))",
        "occurred_at": "r.startTime",
        "tenant": "r.metadata.user_api_key_org_id",
        "project": "r.metadata.user_api_key_project_id",
        "team": "coalesce(nullif(r.metadata.user_api_key_team_alias, ''), r.metadata.user_api_key_team_id)",
        "user_id": "coalesce(nullif(r.end_user, ''), nullif(r.metadata.user_api_key_end_user_id, ''), "
        "r.metadata.user_api_key_user_id)",
        "api_key_id": "r.metadata.user_api_key_hash",
        "tags": "r.request_tags",
        "provider_reported": "r.custom_llm_provider",
        "model_requested": "coalesce(nullif(r.model_group, ''), r.model)",
        "model_served": f"coalesce(nullif({_answered('model')}, ''), r.model)",
        "operation": litellm_usage.operation("r.call_type"),
        "service_tier": f"case when {_TIER} in ('flex', 'priority', 'batch') then {_TIER} end",
        "is_stream": "r.stream",
        "http_status": f"case when {_FAILED} and regexp_full_match({_ERROR}.error_code, '[1-5][0-9][0-9]') "
        f"then {_ERROR}.error_code end",
        "status": f"case when {_FAILED} and {_ERROR}.error_code = '499' then 'cancelled' "
        f"when {_FAILED} then 'error' else 'ok' end",
        "error_class": f"""case when {_FAILED} then coalesce(nullif({_ERROR}.error_class, ''),
            case when r.status_fields.guardrail_status = 'guardrail_intervened' then 'content_filter' end) end""",
        "error_code": f"case when {_FAILED} then {_ERROR}.error_code end",
        "retry_count": "r.metadata.attempted_retries",
        "is_cache_hit": "r.cache_hit",
        "latency_ms": f"coalesce({_elapsed('r.endTime')}, try_cast(r.response_time as double) * 1000)",
        # Without a stream, the completion starts when it ends.
        "ttft_ms": f"case when {_STREAM_START} then {_elapsed('r.completionStartTime')} end",
        "prompt_tokens": "r.prompt_tokens",
        "completion_tokens": "r.completion_tokens",
        "total_tokens": "r.total_tokens",
        "usage_status": f"""case when r.prompt_tokens = '0' and r.completion_tokens = '0'
            and not {_FAILED} and {_HIT} is not true then 'missing' end""",
        "cost_reported": f"""case when {_HIT} then '0' when {_NO_COST} then null
            else coalesce(r.response_cost, r.cost_breakdown.total_cost) end""",
    },
)
