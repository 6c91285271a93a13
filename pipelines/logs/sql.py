"""Small pieces of SQL the importers share: quoting, conversions that never raise, masking.

Belongs here: functions from SQL text to SQL text, known to nothing but the engine's functions. Does not
belong here: columns, formats, tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from serving.privacy import CONTENT_FIELDS, EMAIL, KEY

# The largest number taken for one: a trillion tokens in a call is damage, so is a millionth attempt.
LARGEST: Final = {"count": 10**12, "small": 10**6}
EARLIEST: Final = "timestamptz '2015-01-01 00:00:00+00'"
LATEST: Final = "timestamptz '2100-01-01 00:00:00+00'"

# What loggers write in place of a value they were told to hide.
REDACTED: Final = "***REDACTED***"


def literal(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def columns(expressions: Mapping[str, str]) -> str:
    """`expression as name` for each, as a select list."""
    return ",\n  ".join(f"{expression} as {name}" for name, expression in expressions.items())


def given(text: str) -> str:
    """The text, or null where it is empty. Not trimmed: that costs as much as reading JSON does."""
    return f"nullif({text}, '')"


def instant(text: str) -> str:
    """Text to an instant, or null: ISO with or without zone (then UTC), or an epoch in s, ms, us or ns."""
    # Not by wide decimals: casting text to one takes 50 us a row, a thousand times the others.
    number, exact = f"try_cast({text} as double)", f"try_cast({text} as bigint)"
    micros = f"""case
      when {number} < 0 then null
      when {number} >= 1e17 then ({exact} + 500) // 1000
      when {number} >= 1e14 then {exact}
      when {number} >= 1e11 then try_cast(try_cast({text} as decimal(18, 3))::decimal(38, 3) * 1000 as bigint)
      else try_cast(try_cast({text} as decimal(18, 6))::decimal(38, 6) * 1000000 as bigint) end"""
    return f"""case
    when {text} is null then null
    when contains({text}, '-') or contains({text}, '/') then try_cast({text} as timestamptz)
    else make_timestamp({micros})::timestamptz end"""


def boolean(text: str) -> str:
    """Text to a boolean, or null where it says neither (`None`)."""
    return f"try_cast({text} as boolean)"


def key_values(json: str) -> str:
    """A JSON object's members as a JSON list of `key=value`, or null: free attributes as tags."""
    entries = f"map_entries(try_cast({json} as map(varchar, varchar)))"
    given_ones = f"list_filter({entries}, lambda entry: entry.value <> '')"
    return f"to_json(list_transform({given_ones}, lambda entry: entry.key || '=' || entry.value))::varchar"


def word(text: str) -> str:
    """Letters and digits in lower case: `RATE_LIMIT` and `RateLimit` are one word."""
    return f"regexp_replace(lower({text}), '[^a-z0-9]', '', 'g')"


def masked(text: str) -> str:
    """The text without e-mail addresses and keys.

    A value that is nothing but an address becomes `email:` and the start of its hash, so that users stay
    apart; addresses and keys within other text are replaced by a word.
    """
    return f"""case
    when regexp_full_match({text}, {literal(EMAIL)}) then 'email:' || left(sha256(lower({text})), 16)
    else regexp_replace(regexp_replace({text}, {literal(KEY)}, '<key>', 'g'), {literal(EMAIL)}, '<email>', 'g') end"""


def key_id(text: str) -> str:
    """An id for an API key: itself when it is an id or a hash, a hash's start when it is the key."""
    return f"case when regexp_matches({text}, {literal(KEY)}) then 'key:' || left(sha256({text}), 16) else {text} end"


def without_content(record: str, is_json: str, limit: int = 2000) -> str:
    """A raw record for showing: content fields removed, secrets masked, at most `limit` characters.

    Content at the top of a whole record is cut out; a content field found deeper, or in a damaged record,
    ends the text there, because where its value ends cannot be told.
    """
    patch = "{" + ",".join(f'"{name}":null' for name in CONTENT_FIELDS) + "}"
    names = "|".join(name.replace(".", r"\.") for name in CONTENT_FIELDS)
    rest = literal(rf'(?s)\\*["\']({names})\\*["\']\s*:.*$')
    whole = f"case when {is_json} then json_merge_patch({record}::json, {literal(patch)})::varchar else {record} end"
    # A removed name followed by null is not content; json_merge_patch leaves none of those at the top.
    cut = f"regexp_replace({whole}, {rest}, '<content removed>')"
    return f"left({masked(cut)}, {limit})"


def values(rows: Iterable[tuple[str, str]]) -> str:
    """A two-column values list."""
    return ", ".join(f"({literal(left)}, {literal(right)})" for left, right in rows)
