"""OpenAI's organization usage API: buckets of results, one endpoint per kind of use.

Belongs here: the endpoints' results and their counts. Does not belong here: its costs API.

`input_tokens` is everything: cached, written to the cache, and the rest, of which the audio and image parts
are parts. What is not grouped by is null. A result names its endpoint in `object`; a bucket without a
result does not, so it is the endpoint of the file's other buckets, and a file without any result must be
named. A page (`has_more`) is whole in the buckets it has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pipelines.logs.bills import Bill, Lines, page_results
from pipelines.logs.bills.reading import IS_EMPTY_BUCKET, PAGES, count, details
from pipelines.logs.sampling import Sample
from pipelines.logs.sql import instant, literal

ENDPOINTS: Final = (
    "completions", "embeddings", "images", "audio_speeches", "audio_transcriptions", "moderations",
    "code_interpreter_sessions", "vector_stores", "file_searches", "web_searches",
)  # fmt: skip

_COUNTS: Final = (
    "input_tokens", "input_cached_tokens", "input_cache_write_tokens", "input_uncached_tokens", "output_tokens",
    "input_audio_tokens", "input_image_tokens", "output_audio_tokens", "output_image_tokens", "images",
    "characters", "seconds", "num_sessions", "usage_bytes", "num_requests", "num_model_requests",
)  # fmt: skip
_WORDS: Final = (
    "object", "project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "size", "source",
    "vector_store_id", "context_level",
)  # fmt: skip

_OBJECT: Final = "r.item.object"
_ENDPOINT: Final = f"regexp_extract({_OBJECT}, '^organization\\.usage\\.(.+)\\.result$', 1)"


def _n(name: str) -> str:
    return count(f"r.item.{name}")


def _only(endpoint: str, sql: str) -> str:
    return f"case when {_ENDPOINT} = {literal(endpoint)} then {sql} end"


_CACHED: Final = f"coalesce({_n('input_cached_tokens')}, 0) + coalesce({_n('input_cache_write_tokens')}, 0)"
_UNCACHED: Final = f"coalesce({_n('input_uncached_tokens')}, {_n('input_tokens')} - ({_CACHED}))"
_OTHER_INPUT: Final = f"coalesce({_n('input_audio_tokens')}, 0) + coalesce({_n('input_image_tokens')}, 0)"
_OTHER_OUTPUT: Final = f"coalesce({_n('output_audio_tokens')}, 0) + coalesce({_n('output_image_tokens')}, 0)"

_USAGE: Final = Lines({
    "provider": "'openai'",
    "operation": _ENDPOINT,
    "project": "r.item.project_id",
    "user_id": "r.item.user_id",
    "api_key_id": "r.item.api_key_id",
    "model": "r.item.model",
    "service_tier": """case when r.item.batch = 'true' then 'batch' when r.item.service_tier = 'default' then 'standard'
        else r.item.service_tier end""",
    "details": details(
        size="r.item.size",
        source="r.item.source",
        vector_store_id="r.item.vector_store_id",
        context_level="r.item.context_level",
    ),
    "requests": f"coalesce({_n('num_model_requests')}, {_n('num_requests')})",
    "input_tokens": _only("completions", f"{_UNCACHED} - ({_OTHER_INPUT})"),
    "cache_read_tokens": _n("input_cached_tokens"),
    "cache_write_tokens": _n("input_cache_write_tokens"),
    "input_audio_tokens": _n("input_audio_tokens"),
    "input_image_tokens": _n("input_image_tokens"),
    "output_tokens": f"{_n('output_tokens')} - ({_OTHER_OUTPUT})",
    "output_audio_tokens": _n("output_audio_tokens"),
    "output_image_tokens": _n("output_image_tokens"),
    "embedding_tokens": _only("embeddings", _n("input_tokens")),
    "moderation_tokens": _only("moderations", _n("input_tokens")),
    "web_search_calls": _only("web_searches", _n("num_requests")),
    "file_search_calls": _only("file_searches", _n("num_requests")),
    "code_sessions": _n("num_sessions"),
    "images": _n("images"),
    "audio_seconds": _n("seconds"),
    "characters": _n("characters"),
    "storage_bytes": _n("usage_bytes"),
})  # fmt: skip


def _detect(endpoint: str) -> Callable[[Sample], str | None]:
    wanted = f"organization.usage.{endpoint}.result"

    def detect(sample: Sample) -> str | None:
        first = next((str(one.get("object")) for one in page_results(sample)), "")
        known = first == wanted if endpoint else first.startswith("organization.usage.")
        return f"buckets of {first}: a page of OpenAI's usage API" if known else None

    return detect


def _bill(endpoint: str) -> Bill:
    return Bill(
        name=f"openai_usage_{endpoint}" if endpoint else "openai_usage",
        detect=_detect(endpoint),
        records=PAGES,
        structure={
            "bucket": {"start": "VARCHAR", "end": "VARCHAR"},
            "item": dict.fromkeys((*_COUNTS, *_WORDS), "VARCHAR"),
        },
        start=instant("r.bucket.start"),
        end=instant("r.bucket.end"),
        is_nothing=IS_EMPTY_BUCKET,
        # A bucket may hold results of another endpoint; they belong to that one's report.
        report=f"""coalesce('openai_usage_' || nullif({_ENDPOINT}, ''),
            {literal("openai_usage_" + endpoint if endpoint else "openai_usage")})""",
        required={"object": _OBJECT},
        counts={name: f"r.item.{name}" for name in _COUNTS},
        rejects={
            "counts_do_not_add_up": f"""{_UNCACHED} + {_CACHED} <> {_n("input_tokens")}
                or {_OTHER_INPUT} > {_UNCACHED} or {_OTHER_OUTPUT} > {_n("output_tokens")}""",
        },
        usage=_USAGE,
    )


# The last is for endpoints that came later: their results are kept under the name they give themselves.
BILLS: Final = (*(_bill(endpoint) for endpoint in ENDPOINTS), _bill(""))
