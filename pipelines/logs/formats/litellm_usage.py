"""What LiteLLM's log shapes share: its usage object and its call types.

Belongs here: the details of LiteLLM's usage object and the words of `call_type`. Does not belong here: the
rows they come in (a file each).

The prompt includes cached tokens for every provider. Old rows have OpenAI's names, newer ones Anthropic's
beside them; both count the same tokens.
"""

from __future__ import annotations

from typing import Any, Final

STRUCTURE: Final[dict[str, Any]] = {
    "cache_read_input_tokens": "VARCHAR",
    "cache_creation_input_tokens": "VARCHAR",
    "service_tier": "VARCHAR",
    "server_tool_use": {"web_search_requests": "VARCHAR"},
    "prompt_tokens_details": {
        "cached_tokens": "VARCHAR",
        "cache_creation_tokens": "VARCHAR",
        "cache_creation_token_details": {"ephemeral_1h_input_tokens": "VARCHAR"},
        "audio_tokens": "VARCHAR",
        "image_tokens": "VARCHAR",
        "web_search_requests": "VARCHAR",
    },
    "completion_tokens_details": {
        "reasoning_tokens": "VARCHAR",
        "audio_tokens": "VARCHAR",
        "image_tokens": "VARCHAR",
    },
}


def detail_fields(usage: str) -> dict[str, str]:
    """Reported columns of a struct of STRUCTURE: the parts of both sides, and the tier that served."""
    prompt, completion = f"{usage}.prompt_tokens_details", f"{usage}.completion_tokens_details"
    write = f"coalesce({usage}.cache_creation_input_tokens, {prompt}.cache_creation_tokens)"
    write_1h = f"{prompt}.cache_creation_token_details.ephemeral_1h_input_tokens"
    return {
        "cache_read_tokens": f"coalesce({prompt}.cached_tokens, {usage}.cache_read_input_tokens)",
        "cache_write_5m_tokens": f"""case when {write_1h} is null then {write}
            else (try_cast({write} as bigint) - try_cast({write_1h} as bigint))::varchar end""",
        "cache_write_1h_tokens": write_1h,
        "input_audio_tokens": f"{prompt}.audio_tokens",
        "input_image_tokens": f"{prompt}.image_tokens",
        "reasoning_tokens": f"{completion}.reasoning_tokens",
        "output_audio_tokens": f"{completion}.audio_tokens",
        "output_image_tokens": f"{completion}.image_tokens",
        "web_search_calls": f"coalesce({prompt}.web_search_requests, {usage}.server_tool_use.web_search_requests)",
        "service_tier": f"""case {usage}.service_tier
            when 'flex' then 'flex' when 'priority' then 'priority' when 'batch' then 'batch' end""",
    }


def operation(call_type: str) -> str:
    """LiteLLM's call type as an operation: `acompletion` is a chat."""
    return f"""case
        when contains({call_type}, 'embedding') then 'embedding' when contains({call_type}, 'image') then 'image'
        when contains({call_type}, 'transcription') then 'transcription'
        when contains({call_type}, 'speech') then 'speech' when contains({call_type}, 'rerank') then 'rerank'
        when contains({call_type}, 'moderation') then 'moderation' when contains({call_type}, 'completion')
        or contains({call_type}, 'responses') or contains({call_type}, 'messages') then 'chat'
        else {call_type} end"""
