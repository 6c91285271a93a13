"""`costs.jsonl` of ai-lib's agents: one object per call with its usage and computed cost.

Belongs here: that file's one shape. Does not belong here: ai-lib's other shapes (a file each).

`{"id", "usage": {"model", "input_tokens", "output_tokens", "total_tokens", "cost_usd", "timestamp"},
"session_id"}`. Only successes are written, without duration; `input_tokens` is the whole prompt, cache
included, because the writer knows no other count. A price that is not finite or not above zero is written
as a cost of 0: none was computed.
"""

from __future__ import annotations

from typing import Final

from pipelines.logs.formats import Format
from pipelines.logs.sampling import Sample

_USAGE: Final = ("model", "input_tokens", "output_tokens", "total_tokens", "cost_usd", "timestamp")


def _detect(sample: Sample) -> str | None:
    for record in sample.records:
        usage = record.get("usage")
        if isinstance(usage, dict) and {*_USAGE} <= usage.keys() and "session_id" in record:
            return "session_id and usage with model, counts, cost_usd and timestamp: costs.jsonl of ai-lib's agents"
    return None


FORMAT: Final = Format(
    name="ailib_costs",
    detect=_detect,
    structure={"id": "VARCHAR", "session_id": "VARCHAR", "usage": dict.fromkeys(_USAGE, "VARCHAR")},
    rejects={"not_a_cost_record": "r.usage.model is null and json_type(record) = 'OBJECT'"},
    fields={
        "native_id": "r.id",
        "request_id": "r.id",
        "occurred_at": "r.usage.timestamp",
        "session_id": "r.session_id",
        "model_served": "r.usage.model",
        "operation": "'chat'",
        "status": "'ok'",
        "prompt_tokens": "r.usage.input_tokens",
        "completion_tokens": "r.usage.output_tokens",
        "total_tokens": "r.usage.total_tokens",
        "usage_status": "case when r.usage.input_tokens = '0' and r.usage.output_tokens = '0' then 'missing' end",
        "cost_reported": "case when try_cast(r.usage.cost_usd as double) = 0 then null else r.usage.cost_usd end",
    },
)
