"""Usage posts of ai-lib's clients: one record per successful call, the time in unix seconds.

Belongs here: the record clients post to a router's usage endpoint, and the router's own copy of it with the
cost in millionths of a dollar. Does not belong here: ai-lib's other shapes (a file each).

The clients always write a cost of 0: none was computed. Failures, durations and request ids are not posted.
"""

from __future__ import annotations

from typing import Final

from pipelines.logs.formats import Format
from pipelines.logs.formats.wrapping import empty, inner_records, opened
from pipelines.logs.sampling import Sample

_RECORD: Final = (
    "id", "user_id", "provider_id", "model_id", "prompt_tokens", "completion_tokens", "reasoning_tokens", "cost_usd",
    "cost_micro_usd", "timestamp", "session_id", "request_id",
)  # fmt: skip


def _detect(sample: Sample) -> str | None:
    needed = {"id", "provider_id", "model_id", "prompt_tokens", "completion_tokens", "timestamp"}
    for record in inner_records(sample, "data", "records"):
        if needed <= record.keys() and record.keys() & {"cost_usd", "cost_micro_usd"}:
            return "provider_id, model_id, counts, cost and a unix timestamp: usage posts of ai-lib's clients"
    return None


FORMAT: Final = Format(
    name="ailib_usage",
    detect=_detect,
    records=opened("data", "records"),
    nothing_meant=empty("data", "records"),
    structure=dict.fromkeys(_RECORD, "VARCHAR"),
    rejects={"not_a_usage_post": "r.provider_id is null and r.model_id is null and json_type(record) = 'OBJECT'"},
    fields={
        "native_id": "r.id",
        "request_id": "coalesce(nullif(r.request_id, ''), r.id)",
        "occurred_at": "r.timestamp",
        "user_id": "r.user_id",
        "session_id": "r.session_id",
        "provider_reported": "r.provider_id",
        "model_served": "r.model_id",
        "operation": "'chat'",
        "status": "'ok'",
        "prompt_tokens": "r.prompt_tokens",
        "completion_tokens": "r.completion_tokens",
        "reasoning_tokens": "r.reasoning_tokens",
        "usage_status": "case when r.prompt_tokens = '0' and r.completion_tokens = '0' then 'missing' end",
        "cost_reported": """case
            when try_cast(r.cost_micro_usd as bigint) > 0
            then (try_cast(r.cost_micro_usd as decimal(18, 0)) * 0.000001)::varchar
            when try_cast(r.cost_usd as double) = 0 then null else r.cost_usd end""",
    },
)
