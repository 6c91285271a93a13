"""A provider's own usage object, as gateways pass it on unread: one reader for every maker's words.

Belongs here: OpenAI's two shapes, Anthropic's, Gemini's, Cohere's and ai-protocol's, and which of them count
the cache within the prompt. Does not belong here: a gateway's own columns (its format's file).

Anthropic's object says `input_tokens` without the cache, OpenAI's Responses say `input_tokens` with it and
details beneath; Gemini counts thinking beside the candidates and its total has both.
"""

from __future__ import annotations

from typing import Any, Final

_DETAILS: Final = {"cached_tokens": "VARCHAR", "audio_tokens": "VARCHAR", "reasoning_tokens": "VARCHAR"}
STRUCTURE: Final[dict[str, Any]] = {
    **dict.fromkeys(
        (
            "prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens",
            "cache_read_input_tokens", "cache_creation_input_tokens", "prompt_cache_hit_tokens",
            "cache_read_tokens", "cache_creation_tokens", "reasoning_tokens", "service_tier",
            "promptTokenCount", "candidatesTokenCount", "totalTokenCount", "cachedContentTokenCount",
            "thoughtsTokenCount",
        ),
        "VARCHAR",
    ),
    **dict.fromkeys(
        ("prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "output_tokens_details"),
        _DETAILS,
    ),
    "cache_creation": {"ephemeral_5m_input_tokens": "VARCHAR", "ephemeral_1h_input_tokens": "VARCHAR"},
    "server_tool_use": {"web_search_requests": "VARCHAR"},
    "billed_units": {"input_tokens": "VARCHAR", "output_tokens": "VARCHAR"},
}  # fmt: skip


def usage_fields(u: str, provider: str = "null") -> dict[str, str]:
    """Reported columns from a struct `u` of STRUCTURE; `provider` is SQL for the provider's name, lower case."""
    is_anthropic = f"({u}.cache_read_input_tokens is not null or {u}.cache_creation_input_tokens is not null)"
    # ai-protocol's own words: its Anthropic driver leaves the cache beside the prompt, the others within it.
    is_driver = f"({u}.cache_read_tokens is not null or {u}.cache_creation_tokens is not null)"
    write = f"coalesce({u}.cache_creation_input_tokens, {u}.cache_creation_tokens)"
    write_1h = f"{u}.cache_creation.ephemeral_1h_input_tokens"
    read = ("prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens", "cache_read_input_tokens",
            "cache_read_tokens", "prompt_cache_hit_tokens", "cachedContentTokenCount")  # fmt: skip
    details = ("completion_tokens_details", "output_tokens_details")

    def first(*names: str) -> str:
        return f"coalesce({', '.join(f'{u}.{name}' for name in names)})"

    return {
        "prompt_tokens": first("prompt_tokens", "input_tokens", "promptTokenCount", "billed_units.input_tokens"),
        "cache_outside_prompt": f"coalesce(({u}.prompt_tokens is null and {is_anthropic}) "
        f"or ({is_driver} and {provider} in ('anthropic', 'claude')), false)",
        "cache_read_tokens": first(*read),
        "cache_write_5m_tokens": f"case when {write_1h} is null then {write} "
        f"else (try_cast({write} as bigint) - try_cast({write_1h} as bigint))::varchar end",
        "cache_write_1h_tokens": write_1h,
        "input_audio_tokens": first("prompt_tokens_details.audio_tokens", "input_tokens_details.audio_tokens"),
        "completion_tokens": first(
            "completion_tokens", "output_tokens", "candidatesTokenCount", "billed_units.output_tokens"
        ),
        "reasoning_tokens": first(
            *(f"{place}.reasoning_tokens" for place in details), "reasoning_tokens", "thoughtsTokenCount"
        ),
        "output_audio_tokens": first(*(f"{place}.audio_tokens" for place in details)),
        "total_tokens": first("total_tokens", "totalTokenCount"),
        "total_may_exceed": f"coalesce({u}.promptTokenCount is not null "
        f"or {provider} in ('gemini', 'google', 'vertex', 'vertex_ai'), false)",
        "web_search_calls": f"{u}.server_tool_use.web_search_requests",
    }
