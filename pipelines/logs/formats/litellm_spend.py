"""LiteLLM's SpendLogs: rows of its database, or the payload it writes them from.

Belongs here: the columns of a SpendLogs row and their quirks. Does not belong here: LiteLLM's
StandardLoggingPayload.

Quirks: `metadata` is JSON within a string (or an object, by export); times are naive text in UTC;
`cache_hit` is the text "None" when there is no cache; `request_id` can be empty; the prompt includes cached
tokens for every provider, and the details are only in `metadata.usage_object`; `api_key` is a hash already.
"""

from __future__ import annotations

from typing import Final

from pipelines.logs.formats import Format, litellm_usage
from pipelines.logs.sampling import Sample

_ROW: Final = (
    "request_id", "session_id", "call_type", "api_key", "cache_hit", "startTime", "endTime", "completionStartTime",
    "model", "model_group", "user", "end_user", "team_id", "organization_id", "metadata", "spend", "total_tokens",
    "prompt_tokens", "completion_tokens", "request_tags", "custom_llm_provider", "status",
)  # fmt: skip


def _detect(sample: Sample) -> str | None:
    needed = {"request_id", "call_type", "spend", "startTime", "custom_llm_provider"}
    if any(needed <= record.keys() for record in sample.records) or needed <= set(sample.columns):
        return f"{', '.join(sorted(needed))}: a LiteLLM SpendLogs row"
    return None


_METADATA: Final = {
    "user_api_key_project_id": "VARCHAR",
    "attempted_retries": "VARCHAR",
    "error_information": {"error_code": "VARCHAR", "error_class": "VARCHAR"},
    "usage_object": litellm_usage.STRUCTURE,
}


def _elapsed(later: str) -> str:
    return f"epoch_us(try_cast({later} as timestamptz)) - epoch_us(try_cast(r.startTime as timestamptz))"


_ERROR: Final = "meta.error_information"
_FAILED: Final = "lower(r.status) in ('failure', 'failed', 'error')"

FORMAT: Final = Format(
    name="litellm_spend",
    detect=_detect,
    structure=dict.fromkeys(_ROW, "VARCHAR"),
    within={"meta": ("try_cast(r.metadata as json)", _METADATA)},
    rejects={"not_a_spend_row": "r.call_type is null and r.model is null and json_type(record) = 'OBJECT'"},
    fields=litellm_usage.detail_fields("meta.usage_object")
    | {
        "native_id": "r.request_id",
        "request_id": "r.request_id",
        "occurred_at": "r.startTime",
        "tenant": "r.organization_id",
        "project": "meta.user_api_key_project_id",
        "team": "r.team_id",
        "user_id": "coalesce(nullif(r.end_user, ''), nullif(r.\"user\", ''))",
        "api_key_id": "r.api_key",
        "session_id": "r.session_id",
        "tags": "r.request_tags",
        "provider_reported": "r.custom_llm_provider",
        "model_requested": "coalesce(nullif(r.model_group, ''), r.model)",
        "model_served": "r.model",
        "operation": litellm_usage.operation("r.call_type"),
        "http_status": f"case when {_FAILED} and regexp_full_match({_ERROR}.error_code, '[1-5][0-9][0-9]') "
        f"then {_ERROR}.error_code end",
        "status": f"case when {_FAILED} then 'error' else 'ok' end",
        "error_class": f"case when {_FAILED} then {_ERROR}.error_class end",
        "error_code": f"case when {_FAILED} then {_ERROR}.error_code end",
        "retry_count": "meta.attempted_retries",
        "is_cache_hit": "r.cache_hit",
        "latency_ms": f"({_elapsed('r.endTime')}) / 1000",
        # Without a stream, the completion starts when it ends.
        "ttft_ms": f"case when r.completionStartTime < r.endTime then ({_elapsed('r.completionStartTime')}) / 1000 end",
        "prompt_tokens": "r.prompt_tokens",
        "completion_tokens": "r.completion_tokens",
        "total_tokens": "r.total_tokens",
        # A row of a failed or cached call has zeros where nothing was counted.
        "usage_status": f"""case when r.prompt_tokens = '0' and r.completion_tokens = '0'
            and not {_FAILED} and lower(r.cache_hit) is distinct from 'true' then 'missing' end""",
        "cost_reported": "r.spend",
    },
)
