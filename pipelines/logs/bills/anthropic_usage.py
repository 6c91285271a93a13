"""Anthropic's messages usage report: buckets of token counts.

Belongs here: its results. Does not belong here: its costs, the console's exports.

Counts are disjoint as they come: cache reads and writes are beside `uncached_input_tokens`. It counts no
requests. Priority Tier use is in it, and in no cost report.
"""

from __future__ import annotations

from typing import Final

from pipelines.logs.bills import Bill, Lines, page_results
from pipelines.logs.bills.reading import IS_EMPTY_BUCKET, PAGES
from pipelines.logs.sampling import Sample
from pipelines.logs.sql import instant

_COUNTS: Final = {
    "uncached_input_tokens": "r.item.uncached_input_tokens",
    "cache_read_input_tokens": "r.item.cache_read_input_tokens",
    "ephemeral_5m_input_tokens": "r.item.cache_creation.ephemeral_5m_input_tokens",
    "ephemeral_1h_input_tokens": "r.item.cache_creation.ephemeral_1h_input_tokens",
    "output_tokens": "r.item.output_tokens",
    "web_search_requests": "r.item.server_tool_use.web_search_requests",
    "web_fetch_requests": "r.item.server_tool_use.web_fetch_requests",
}

# What every report of Anthropic groups by, in its words.
TIER: Final = """case when r.item.speed = 'fast' and r.item.service_tier = 'standard' then 'fast'
    else r.item.service_tier end"""
GEO: Final = "nullif(r.item.inference_geo, 'not_available')"


def _detect(sample: Sample) -> str | None:
    if any({"uncached_input_tokens", "output_tokens"} <= one.keys() for one in page_results(sample)):
        return "buckets with uncached_input_tokens: Anthropic's messages usage report"
    return None


BILLS: Final = (
    Bill(
        name="anthropic_usage",
        detect=_detect,
        records=PAGES,
        structure={
            "bucket": {"start": "VARCHAR", "end": "VARCHAR"},
            "item": {
                **dict.fromkeys(("uncached_input_tokens", "cache_read_input_tokens", "output_tokens"), "VARCHAR"),
                **dict.fromkeys(("workspace_id", "api_key_id", "account_id", "service_account_id"), "VARCHAR"),
                **dict.fromkeys(("model", "service_tier", "context_window", "inference_geo", "speed"), "VARCHAR"),
                "cache_creation": {"ephemeral_5m_input_tokens": "VARCHAR", "ephemeral_1h_input_tokens": "VARCHAR"},
                "server_tool_use": {"web_search_requests": "VARCHAR", "web_fetch_requests": "VARCHAR"},
            },
        },
        start=instant("r.bucket.start"),
        end=instant("r.bucket.end"),
        is_nothing=IS_EMPTY_BUCKET,
        required={name: _COUNTS[name] for name in ("uncached_input_tokens", "output_tokens")},
        counts=_COUNTS,
        usage=Lines({
            "provider": "'anthropic'",
            "operation": "'messages'",
            "project": "r.item.workspace_id",
            "user_id": "coalesce(r.item.account_id, r.item.service_account_id)",
            "api_key_id": "r.item.api_key_id",
            "model": "r.item.model",
            "service_tier": TIER,
            "context_window": "r.item.context_window",
            "region": GEO,
            "speed": "r.item.speed",
            "input_tokens": _COUNTS["uncached_input_tokens"],
            "cache_read_tokens": _COUNTS["cache_read_input_tokens"],
            "cache_write_5m_tokens": _COUNTS["ephemeral_5m_input_tokens"],
            "cache_write_1h_tokens": _COUNTS["ephemeral_1h_input_tokens"],
            "output_tokens": _COUNTS["output_tokens"],
            "web_search_calls": _COUNTS["web_search_requests"],
            "web_fetch_calls": _COUNTS["web_fetch_requests"],
        }),
    ),
)  # fmt: skip
