"""What may never be written: what people and models said, and secrets. The one list, and its removal from records.

Belongs here: the names of fields that hold content, the shapes of secrets, and cleaning one parsed record of
them before it reaches a disk. Does not belong here: the same rules in SQL (`pipelines.logs.sql`, which takes
the lists from here), bodies and files.

A record is kept whole but for content: a field whose name says content keeps a number or a flag (many
sources name counts so) and, of an object, what it measures (usage, metrics, the model's name); its text is
gone. Text within text is cleaned too. What no name gives away is caught by its length: identifiers are short.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from typing import Any, Final

import orjson

# Fields that hold what people and models said; nothing of them is kept.
CONTENT_FIELDS: Final = (
    "messages", "prompt", "prompts", "response", "responses", "completion", "completions", "choices", "content",
    "input", "output", "inputs", "outputs", "text", "request_body", "response_body", "proxy_server_request",
    "system", "system_prompt", "tools", "tool_calls", "functions", "arguments", "inputBodyJson", "outputBodyJson",
    "gen_ai.prompt", "gen_ai.completion", "gen_ai.input.messages", "gen_ai.output.messages", "input.value",
    "output.value", "raw_request", "raw_response", "body", "message", "exception", "traceback",
)  # fmt: skip

EMAIL: Final = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]*[A-Za-z]"
# Prefixes of secrets in use: OpenAI, Anthropic and kin, AWS, Google, xAI, Groq, Hugging Face, Replicate,
# GitHub, Langfuse, JSON web tokens, authorization headers.
KEY_STARTS: Final = ("sk-", "sk_", "pk-lf-", "AKIA", "ASIA", "AIza", "xai-", "gsk_", "hf_", "r8_", "ghp_", "eyJ",
                     "earer ")  # fmt: skip
KEY: Final = (
    r"\b(sk[-_]|pk-lf-|AKIA|ASIA|AIza|xai-|gsk_|hf_|r8_|ghp_|eyJ)[A-Za-z0-9_\-.]{8,}|[Bb]earer +[A-Za-z0-9_\-.=+/]{8,}"
)

REMOVED: Final = "<content removed>"
# Longer text is prose, whatever its field is called; resource names of clouds stay below.
LONGEST_TEXT: Final = 1024

# Words that make a field's name say content, and words that make it a measure, a time or an identity after all.
_CONTENT_WORDS: Final = frozenset({
    "prompt", "prompts", "completion", "completions", "message", "messages", "content", "contents", "text", "input",
    "inputs", "output", "outputs", "arguments", "instruction", "instructions", "stacktrace", "traceback",
    "transcript", "question", "answer", "query", "statement", "body", "document", "documents", "definitions",
    "thinking", "vector", "logprobs",
})  # fmt: skip
_MEASURE_WORDS: Final = frozenset({
    "token", "tokens", "usage", "cost", "costs", "count", "counts", "price", "time", "ms", "seconds", "latency",
    "id", "ids", "type", "is", "has", "stream", "status",
})  # fmt: skip
_MORE_CONTENT: Final = frozenset({
    "bytesvalue", "stack", "stack_trace", "error_str", "errormessage", "error_message", "embedding", "embeddings",
    "variables", "prompt_variables", "guardrail_response", "llm_request", "llm_response", "tool_response",
    "tool_call_args", "tool_calls", "delta", "llm_tools", "invocation_parameters", "tool.parameters",
    "llm.invocation_parameters", "llm.tools", "gen_ai.tool.call.result",
})  # fmt: skip
_CONTENT_NAMES: Final = frozenset(name.lower() for name in CONTENT_FIELDS) | _MORE_CONTENT
_SECRET_NAME: Final = re.compile(
    r"((api|access|secret|private)[_-]?key|authorization|cookie|password|secret|(access|refresh|bearer)[_-]?token)$"
)
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

# What is kept of an object that is content: measures whole, and the way to them.
_MEASURES: Final = frozenset({"usage", "usageMetadata", "metrics", "amazon-bedrock-invocationMetrics", "serviceTier"})
_MEASURED_WORDS: Final = frozenset({"model", "service_tier", "stream"})
_PASSAGES: Final = frozenset({"message", "metadata", "outputBodyJson", "response"})
_IDENTIFIER: Final = re.compile(r"[\w.:/@-]{1,128}", re.ASCII)

_MAY_HOLD_SECRETS: Final = re.compile("|".join(map(re.escape, ("@", *KEY_STARTS))))
_IS_EMAIL, _IS_KEY, _IS_HASH = (re.compile(pattern, re.ASCII) for pattern in (EMAIL, KEY, "[0-9a-f]{64}"))
_NAMED_CONTENT: Final = re.compile(
    rf"""(?s)\\*["']({"|".join(map(re.escape, CONTENT_FIELDS))})\\*["']\s*:.*$""", re.IGNORECASE
)
_GONE: Final = object()


def exact(text: str | bytes) -> Any:
    """Parse JSON and keep every number as it was written: money is not rounded. Raises ValueError."""
    return _DECODER.decode(text.decode() if isinstance(text, bytes) else text)


def without_content(record: Any) -> Any:
    """A record (parsed JSON) without content and secrets; numbers, names and structure as they were."""
    return _cleaned(record)


@lru_cache(maxsize=10_000)
def is_content(name: str) -> bool:
    """Whether a field's or attribute's name says that it holds what was said."""
    if name.lower() in _CONTENT_NAMES:
        return True
    words = {word.lower() for word in _WORD.findall(name)}
    return bool(words & _CONTENT_WORDS) and not words & _MEASURE_WORDS


def masked(text: str) -> str:
    """Text without keys and addresses; one that is nothing else becomes its hash, so that users stay apart."""
    if not _MAY_HOLD_SECRETS.search(text):
        return text
    if "/" in text and " " not in text:  # a path, a cloud's name of a user: its last part may be all there is
        return "/".join(map(masked, text.split("/")))
    if _IS_EMAIL.fullmatch(text):
        return "email:" + _hash(text.lower())
    if _IS_KEY.fullmatch(text):
        return "key:" + _hash(text)
    return _IS_EMAIL.sub("<email>", _IS_KEY.sub("<key>", text))


@lru_cache(maxsize=10_000)
def _named(name: str) -> tuple[str, bool, bool]:
    """A field's name as it may be written, whether it holds content, whether a secret."""
    return masked(name), is_content(name), _SECRET_NAME.search(name.lower()) is not None


def _cleaned(value: Any, *, is_usage: bool = False) -> Any:
    """A value that is no content by name; within a usage object, `input` and `output` are counts, if only as text."""
    if isinstance(value, str):
        return _text(value, is_usage=is_usage)
    if isinstance(value, dict):
        kept = {}
        for name, inner in value.items():
            shown, holds_content, is_secret = _named(name)
            if holds_content:
                kept[shown] = _measures(inner) if is_usage else _measured(_parsed(inner))
            elif is_secret and isinstance(inner, str):
                kept[shown] = _opaque(inner)
            else:
                kept[shown] = _cleaned(inner, is_usage="usage" in name.lower())
        return kept
    if isinstance(value, list):
        return [kept for inner in value if (kept := _element(inner)) is not _GONE]
    return value


def _element(value: Any) -> Any:
    """An element of a list; attributes of traces are elements with a name, and go with it."""
    if isinstance(value, dict) and isinstance(name := value.get("key"), str) and isinstance(value.get("value"), dict):
        if is_content(name):
            kept = {kind: inner for kind, inner in value["value"].items() if kind in ("intValue", "boolValue")
                    or (kind == "doubleValue" and not isinstance(inner, str))}  # fmt: skip
            return {"key": name, "value": kept} if kept else _GONE
        if _named(name)[2]:
            return _GONE
    return _cleaned(value)


def _measured(value: Any) -> Any:
    """Of content: a number or a flag, or what an object measures; else null, so that the field is seen to be there."""
    if isinstance(value, dict):
        kept = {}
        for name, inner in value.items():
            if name in _MEASURES or name in _MEASURED_WORDS or name.endswith("TokenCount"):
                kept[name] = _measures(inner)
            elif (
                name in _PASSAGES
                and isinstance(inner := _parsed(inner), dict | list)
                and (passage := _measured(inner)) is not None
            ):
                kept[name] = passage
        return kept or None
    if isinstance(value, list):
        return [kept for inner in value if isinstance(inner, dict) and (kept := _measured(inner))] or None
    return None if isinstance(value, str) else value


def _measures(value: Any) -> Any:
    """Numbers and words, no sentences."""
    if isinstance(value, dict):
        return {name: _measures(inner) for name, inner in value.items() if _IDENTIFIER.fullmatch(name)}
    if isinstance(value, list):
        return [_measures(inner) for inner in value if isinstance(inner, dict)]
    if isinstance(value, str):
        return masked(value) if _IDENTIFIER.fullmatch(value) else None
    return value


def _text(text: str, *, is_usage: bool) -> str:
    """Text that is no content by name: JSON within it is cleaned, prose is removed, secrets are masked."""
    if text[:1] in ("{", "["):
        inner = _parsed(text)
        if not isinstance(inner, str):
            return orjson.dumps(_cleaned(inner, is_usage=is_usage)).decode()
        text = _NAMED_CONTENT.sub(REMOVED, text)
    return REMOVED if len(text) > LONGEST_TEXT else masked(text)


def _opaque(value: str) -> str:
    """A secret as an identity; a hash is one already."""
    return value if not value or _IS_HASH.fullmatch(value) else "key:" + _hash(value)


def _parsed(value: Any) -> Any:
    """What JSON within text says, where it is an object or a list; else the value."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return exact(value)
        except (ValueError, RecursionError):
            return value
    return value


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


_DECODER: Final = json.JSONDecoder(parse_float=orjson.Fragment, parse_int=orjson.Fragment, parse_constant=_refuse)
