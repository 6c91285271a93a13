"""OpenRouter's generation records, alone, in an array or as the API wraps them in `data`.

Belongs here: the record of one generation. Does not belong here: activity exports, which are sums.

Bills are by `native_tokens_…`, the maker's own count; `tokens_…` are another tokenizer's, used and marked
`estimated` only where the native ones are missing. Times without zone are UTC. Reasoning, image and cached
tokens lie within their sides. With the account's own key (`is_byok`) `total_cost` is only the fee: the
maker bills the inference, so the call is the maker's, its cost is both together and unknown where the
inference's is. `latency` is the time to the first token where `generation_time` is longer.
"""

from __future__ import annotations

from typing import Any, Final

from pipelines.logs.formats import Format
from pipelines.logs.formats.wrapping import empty, inner_records, opened
from pipelines.logs.sampling import Sample

_RECORD: Final[dict[str, Any]] = {
    **dict.fromkeys(
        (
            "id", "request_id", "session_id", "created_at", "model", "provider_name", "is_byok", "total_cost",
            "usage", "upstream_inference_cost", "tokens_prompt", "tokens_completion", "native_tokens_prompt",
            "native_tokens_completion", "native_tokens_reasoning", "native_tokens_cached",
            "native_tokens_completion_images", "latency", "generation_time", "streamed", "cancelled", "finish_reason",
            "external_user", "app_id", "api_type", "router", "service_tier", "data_region",
            "response_cache_source_id",
        ),
        "VARCHAR",
    ),
    "provider_responses": "JSON",
}  # fmt: skip


def _detect(sample: Sample) -> str | None:
    needed = {"id", "created_at", "native_tokens_prompt", "native_tokens_completion"}
    for record in inner_records(sample, "data"):
        if needed <= record.keys():
            return "native_tokens_prompt and native_tokens_completion: OpenRouter generation records"
    return None


_BYOK: Final = "(lower(r.is_byok) = 'true')"
_HIT: Final = "(nullif(r.response_cache_source_id, '') is not null)"
_NO_NATIVE: Final = "(r.native_tokens_prompt is null and r.native_tokens_completion is null)"
_STARTS_THEN_RUNS: Final = "try_cast(r.latency as double) < try_cast(r.generation_time as double)"
_MAKER: Final = """case r.provider_name when 'Google' then 'vertex' when 'Amazon Bedrock' then 'bedrock'
    else replace(lower(r.provider_name), ' ', '-') end"""
_CACHED: Final = "try_cast(r.native_tokens_cached as bigint)"
_COST: Final = "coalesce(r.total_cost, r.usage)"
_ATTEMPTS: Final = "json_array_length(r.provider_responses)"

FORMAT: Final = Format(
    name="openrouter",
    detect=_detect,
    records=opened("data"),
    nothing_meant=empty("data"),
    structure=_RECORD,
    rejects={"not_a_generation": "r.id is null and r.model is null and json_type(record) = 'OBJECT'"},
    fields={
        "native_id": "r.id",
        "request_id": "coalesce(nullif(r.request_id, ''), r.id)",
        "occurred_at": "r.created_at",
        "project": "r.app_id",
        "user_id": "r.external_user",
        "session_id": "r.session_id",
        "provider_reported": f"case when {_BYOK} then {_MAKER} else 'openrouter' end",
        "region": "r.data_region",
        "model_requested": "coalesce(nullif(r.router, ''), r.model)",
        "model_served": "r.model",
        "operation": """case r.api_type when 'embeddings' then 'embedding' when 'rerank' then 'rerank'
            when 'tts' then 'speech' when 'stt' then 'transcription' when 'video' then 'video' else 'chat' end""",
        "service_tier": "case when lower(r.service_tier) not in ('default', 'standard') then r.service_tier end",
        "is_stream": "r.streamed",
        "http_status": """case when r.finish_reason = 'error'
            then json_extract_string(r.provider_responses, '$[#-1].status') end""",
        "status": """case when lower(r.cancelled) = 'true' then 'cancelled' when r.finish_reason = 'error' then 'error'
            else 'ok' end""",
        "retry_count": f"case when {_ATTEMPTS} > 0 then {_ATTEMPTS} - 1 end",
        "is_cache_hit": _HIT,
        "latency_ms": f"""try_cast(r.latency as double)
            + case when {_STARTS_THEN_RUNS} then try_cast(r.generation_time as double) else 0 end""",
        "ttft_ms": f"case when {_STARTS_THEN_RUNS} then r.latency end",
        "prompt_tokens": "coalesce(r.native_tokens_prompt, r.tokens_prompt)",
        "cache_outside_prompt": f"coalesce({_CACHED} > try_cast(r.native_tokens_prompt as bigint), false)",
        "cache_read_tokens": "r.native_tokens_cached",
        "completion_tokens": "coalesce(r.native_tokens_completion, r.tokens_completion)",
        "reasoning_tokens": "r.native_tokens_reasoning",
        "output_image_tokens": "r.native_tokens_completion_images",
        "usage_status": f"case when {_NO_NATIVE} and r.tokens_prompt is not null then 'estimated' end",
        "cost_reported": f"""case when {_HIT} then '0'
            when {_BYOK} then (try_cast({_COST} as decimal(38, 18))
              + try_cast(r.upstream_inference_cost as decimal(38, 18)))::varchar
            else {_COST} end""",
    },
)
