"""From a report's records to its items: numbers as written, checks, and what time an item speaks for.

Belongs here: SQL that reports share. Does not belong here: any report's facts, tables being changed.

Numbers in JSON are taken as their text. The engine reads a JSON number as a double, also where text is asked
for: `0.12345678901234567890` comes out as `0.12345678901234568`. So every number is put in quotes before the
engine parses the document (47 MB/s on one thread, measured on small results).
"""

from __future__ import annotations

import json
from typing import Final

from pipelines.logs.bills import Bill
from pipelines.logs.sql import EARLIEST, LATEST, given, literal, masked

# Strings and what is no number, then a number. The sentinel makes every match start where the last one
# ended, so that none can start within a string.
_UNTIL_NUMBER: Final = r"""((?:"(?:[^"\\]|\\.)*"|[^"0-9-])*)(-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"""
_DAY: Final = "interval 1 day"


def exact(document: str) -> str:
    """A JSON document with every number as text; null where it is not JSON."""
    quoted = f"regexp_replace({document}::varchar || ' 0', {literal(_UNTIL_NUMBER)}, '\\1\"\\2\"', 'gs')"
    return f"try_cast(left({quoted}, -4) as json)"


# The results of a page's buckets, each with its bucket's time; an empty bucket gives one without a result.
# Documents are pages, arrays of pages, or buckets.
_BUCKETS: Final = """case when json_type(d, '$.data') = 'ARRAY' then json_extract(d, '$.data[*]')
    when json_type(d, '$.results') = 'ARRAY' then [d] end"""
_TIME: Final = """{'start': coalesce(b->>'$.start_time', b->>'$.starting_at'),
    'end': coalesce(b->>'$.end_time', b->>'$.ending_at')}"""
# The time is zipped with each result: a lambda that names the bucket would carry all of it beside every one.
_RESULTS: Final = "json_extract(b, '$.results[*]')"
_ZIPPED: Final = f"list_zip({_RESULTS}, list_resize([{_TIME}], len({_RESULTS}), {_TIME}))"
PAGES: Final = f"""list_transform([{exact("record")}], lambda d: flatten(list_transform({_BUCKETS}, lambda b:
    case when coalesce(json_array_length(b, '$.results'), 0) = 0 then [to_json({{'bucket': {_TIME}, 'item': null}})]
    else list_transform({_ZIPPED}, lambda z: to_json({{'bucket': z[2], 'item': z[1]}})) end)))[1]"""

# A page's item that only says that its bucket is empty.
IS_EMPTY_BUCKET: Final = "coalesce(json_type(record, '$.item') = 'NULL', true)"

# The rows of a document `{"data": [row, …]}`, or the document as a row.
ROWS: Final = f"""list_transform([{exact("record")}], lambda d: case when d is null then null
    when json_type(d, '$.data') = 'ARRAY' then json_extract(d, '$.data[*]') else [d] end)[1]"""


def count(path: str) -> str:
    """A count's text as a number, or null."""
    return f"try_cast({path} as bigint)"


def shifted(text: str, power: str) -> str:
    """Decimal text times a power of ten, as text: a division by the engine would be one of doubles."""
    exponent = f"coalesce(try_cast(nullif(split_part(lower({text}), 'e', 2), '') as integer), 0) + ({power})"
    return f"split_part(lower({text}), 'e', 1) || 'e' || ({exponent})"


def day(instant: str) -> str:
    """The start of an instant's UTC day."""
    return f"date_trunc('day', {instant})"


def day_after(instant: str) -> str:
    """The end of an instant's UTC day."""
    return f"({day(instant)} + {_DAY})"


def details(**parts: str) -> str:
    """JSON text of what is given, or null."""
    listed = ", ".join(f"{literal(name)}: nullif(({sql})::varchar, '')" for name, sql in parts.items())
    return f"nullif(json_merge_patch('{{}}', to_json({{{listed}}}))::varchar, '{{}}')"


def mapped(text: str, words: dict[str, str], otherwise: str = "null") -> str:
    """The word for a text, whatever its case."""
    cases = " ".join(f"when {literal(word)} then {literal(meaning)}" for word, meaning in words.items())
    return f"case lower(trim({text})) {cases} else {otherwise} end"


def items_sql(records: str, bill: Bill) -> str:
    """SQL giving each item of `records` with its time, its scope and the reason not to take it.

    Columns: `record_number`, `document_number`, `record`, `r`, `is_nothing`, `report`, `account`, `start_at`,
    `end_at`, `scope_start_at`, `scope_end_at`, `made_at`, `reject_reason`.
    """
    structure = literal(json.dumps(bill.structure))
    # A page without any bucket says nothing, and is no damage.
    nothing = "where not (is_empty and coalesce(json_array_length(record, '$.data') = 0, false))"
    return f"""
with parsed as (
  select record_number, document_number, record, json_transform(record, {structure}) as r
  from {records} {nothing if bill.records else ""}
),
timed as (
  select *, {bill.start} as start_at, {bill.end} as end_at, {bill.version} as made_at, {bill.is_nothing} as is_nothing,
    {bill.report or literal(bill.name)} as report, {masked(given(f"({bill.account})::varchar"))} as account
  from parsed
),
scoped as (
  select *, {bill.scope_start or "start_at"} as scope_start_at, {bill.scope_end or "end_at"} as scope_end_at
  from timed
)
select * exclude (record), record, {_reject(bill)} as reject_reason from scoped
"""


def _reject(bill: Bill) -> str:
    tests = [
        "when record is null then 'malformed_json'",
        "when json_type(record) <> 'OBJECT' then 'not_an_object'",
    ]
    if bill.records == PAGES:
        tests.append("when json_type(record, '$.bucket') is null then 'no_buckets'")
    tests += [f"when not is_nothing and {given(sql)} is null then 'missing: {name}'"
              for name, sql in bill.required.items()]  # fmt: skip
    tests += ["when start_at is null or end_at is null or end_at < start_at or scope_start_at is null "
              "or scope_end_at is null then 'bad_type: time'",
              f"when not start_at between {EARLIEST} and {LATEST} then 'out_of_range: time'"]  # fmt: skip
    for name, sql in bill.counts.items():
        number = f"try_cast({sql} as double)"
        tests.append(
            f"when {given(sql)} is not null and not coalesce(isfinite({number}) and trunc({number}) = {number}, false) "
            f"then 'bad_type: {name}' when {number} < 0 or {number} > 9e18 then 'out_of_range: {name}'"
        )
    tests += [f"when {given(sql)} is not null and try_cast({sql} as decimal(38, 18)) is null then 'bad_type: {name}'"
              for name, sql in bill.amounts.items()]  # fmt: skip
    tests += [f"when not is_nothing and ({sql}) then {literal(reason)}" for reason, sql in bill.rejects.items()]
    return f"case {' '.join(tests)} end"
