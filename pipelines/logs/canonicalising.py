"""From reported calls to canonical ones: every check and every conversion, once, for all formats.

Belongs here: the SQL that types what a format reports, says why a record cannot be taken, makes the
meters disjoint, names providers and error classes, and gives the identity. Does not belong here: how a format
finds its columns (`formats/`), how rows reach the table (`loading.py`), masking (`cleaning.py`, before anything lands).

One select over one relation: the engine streams it, whatever the size. A record that cannot be taken comes
out with a `reject_reason` and no `event_id`.
"""

from __future__ import annotations

import json
from typing import Any, Final

from pipelines.logs.canonical import CALL_COLUMNS, ERROR_CLASSES, ERROR_WORDS, HTTP_ERROR_CLASSES, METER_COLUMNS
from pipelines.logs.formats import Format
from pipelines.logs.reported import REPORTED, Kind
from pipelines.logs.sql import (
    EARLIEST,
    LARGEST,
    LATEST,
    REDACTED,
    boolean,
    columns,
    given,
    identifier,
    instant,
    literal,
    values,
    word,
)
from scrapers.vocabulary import provider_aliases

_TYPE: Final[dict[Kind, str]] = {
    "text": "varchar", "key": "varchar", "instant": "timestamptz", "count": "bigint", "small": "bigint",
    "number": "double", "money": "decimal(38, 18)", "flag": "boolean", "tags": "varchar[]",
}  # fmt: skip

# Kept as the source says it: landing has masked what is secret.
_SAID: Final = ("tenant", "project", "team", "user_id", "api_key_id", "session_id", "environment", "region",
                "error_code")  # fmt: skip
_PLAIN_TEXT: Final = ("request_id", "provider_reported", "model_requested", "model_served")

_PARTS: Final = tuple(column for column in METER_COLUMNS if column not in ("embedding_tokens", "web_search_calls"))


def canonical_calls(records: str, form: Format, source: str, segment_id: str, keep: tuple[str, ...] = ()) -> str:
    """SQL giving the columns of `raw.calls`, `reject_reason`, and those of `keep`, from records.

    `records` is a relation with a column `record` (JSON; null where the record is not JSON), the columns of
    `keep`, and `is_empty` where the format's records come wrapped in documents.
    """
    taken = (*keep, "is_empty") if form.records else keep
    kept = "".join(f", {name}" for name in taken)
    final = {name: f"null::{kind}" for name, kind in CALL_COLUMNS.items()} | _final(source, segment_id)
    return f"""
with parsed as (
  select record{kept}, json_transform(record, {literal(json.dumps(form.structure))}) as r from {records}
),
reported as (
  select record{kept}, {columns(_reported(form))}
  , {_form_rejects(form)} as form_reject
  from {_with_inner(form)}
),
numbered as (select *{_numbers(form)} from reported),
typed as (
  select * replace ({columns(_typed(form))}), {_bad_type(form)} as type_reject, {_redacted(form)} as is_redacted
  from numbered
),
named as ({_named(form)}),
sided as ({_sided()}),
checked as ({_checked(form)})
select {columns({name: final[name] for name in CALL_COLUMNS})}, reject_reason{"".join(f", {name}" for name in keep)}
  {", record" if keep else ""}
from checked
"""


def _with_inner(form: Format) -> str:
    """The parsed records with the structs of JSON that was text within them, then the named columns."""
    inner = {
        name: f"json_transform({json_sql}, {literal(json.dumps(structure))})"
        for name, (json_sql, structure) in form.within.items()
    }
    relation = "parsed"
    for further in (inner, {identifier(name): expression for name, expression in form.names.items()}):
        if further:
            relation = f"(select *, {columns(further)} from {relation})"
    return relation


def _reported(form: Format) -> dict[str, str]:
    """Each reported column as text (flags and tags as they are), unknown where the format gives none."""
    plain = {"flag": "null::boolean", "tags": "null::varchar"}
    found = {name: plain.get(kind, "null::varchar") for name, kind in REPORTED.items()}
    for name, expression in form.fields.items():
        found[name] = f"({expression})" if REPORTED[name] == "flag" else given(f"({expression})::varchar")
    return found


def _numbers(form: Format) -> str:
    """Every reported number and instant converted once, as `n_<name>`: conversions are most of the cost."""
    found = []
    for name in form.fields:
        match REPORTED[name]:
            case "count" | "small" | "number" | "money":
                found.append(f", try_cast({name} as double) as n_{name}")
            case "instant":
                found.append(f", {instant(name)} as n_{name}")
            case _:
                pass
    return "".join(found)


def _typed(form: Format) -> dict[str, str]:
    typed = {name: f"null::{_TYPE[kind]}" for name, kind in REPORTED.items()}
    for name in form.fields:
        typed[name] = _conversion(name, REPORTED[name])
    return {name: typed[name] for name, kind in REPORTED.items() if kind not in ("text", "key", "flag")}


def _conversion(name: str, kind: Kind) -> str:
    match kind:
        case "count" | "small":
            return f"try_cast(case when trunc(n_{name}) = n_{name} then n_{name} end as bigint)"
        case "number":  # a negative duration is a clock set back between two readings: unknown
            return f"case when n_{name} between 0 and 1e9 then n_{name} end"
        case "money":
            return f"try_cast({name} as decimal(38, 18))"
        case "instant":
            return f"n_{name}"
        case "tags":
            return f"""case when {name} is null or {name} in ('[]', '{{}}') then null
              when starts_with({name}, '[') then coalesce(try_cast({name}::json as varchar[]), [{name}])
              when starts_with({name}, '{{') then [{name}]
              else list_transform(string_split({name}, ','), lambda tag: trim(tag)) end"""
        case _:
            return name


def _bad_type(form: Format) -> str:
    """The first reported column whose text is not of its kind or out of its range, as a reason.

    One test tells the many records in which all is well; only of the others every column is tried.
    """
    well, tests = [], []
    for name in form.fields:
        number = f"n_{name}"
        match REPORTED[name]:
            case "count" | "small" as kind:
                within = f"{number} between 0 and {LARGEST[kind]}"
                whole = f"coalesce(isfinite({number}) and trunc({number}) = {number}, false)"
                well.append(f"{within} and trunc({number}) = {number}")
                tests.append(
                    f"when {name} is not null and {name} <> {literal(REDACTED)} and not ({whole} and {within}) "
                    f"then case when {whole} then 'out_of_range: {name}' else 'bad_type: {name}' end"
                )
            case "number":
                well.append(f"{number} is not null")
                tests.append(f"when {name} is not null and {number} is null then 'bad_type: {name}'")
            case "money":  # by the double: reading the decimal costs a hundred times as much
                well.append(f"{number} between 0 and 1e19")
                tests.append(
                    f"when {name} is not null and not coalesce(isfinite({number}), false) then 'bad_type: {name}'"
                )
                tests.append(f"when not {number} between 0 and 1e19 then 'out_of_range: {name}'")
            case "instant":
                well.append(f"{number} between {EARLIEST} and {LATEST}")
                tests.append(f"when {name} is not null and {number} is null then 'bad_type: {name}'")
                tests.append(f"when not {number} between {EARLIEST} and {LATEST} then 'out_of_range: {name}'")
            case _:
                continue
        well[-1] = f"({name} is not null and ({well[-1]}) is not true)"
    return f"case when {' or '.join(well)} then case {' '.join(tests)} end end" if tests else "null::varchar"


def _redacted(form: Format) -> str:
    """Whether a logger hid a count: it is lost, not zero."""
    counts = [name for name in form.fields if REPORTED[name] == "count" and name.endswith("_tokens")]
    return f"coalesce({literal(REDACTED)} in ({', '.join(counts)}), false)" if counts else "false"


def _form_rejects(form: Format) -> str:
    tests = " ".join(f"when {condition} then {literal(reason)}" for reason, condition in form.rejects.items())
    return f"case {tests} end" if tests else "null::varchar"


def _named(form: Format) -> str:
    """Providers and error classes by their registered words: joins only where the format gives the word."""
    lookups = {
        "provider_by_word": ("provider_reported", "lower(provider_reported)", _provider_words()),
        "served_prefix": ("model_served", _first_segment("model_served"), _provider_words()),
        "requested_prefix": ("model_requested", _first_segment("model_requested"), _provider_words()),
        "class_by_word": ("error_class", word("error_class"), _error_words()),
        "class_by_code": ("error_code", word("error_code"), _error_words()),
    }
    chosen, joins = [], []
    for name, (column, key, words) in lookups.items():
        chosen.append(f"{name}.name as {name}" if column in form.fields else f"null::varchar as {name}")
        if column in form.fields:
            joins.append(f"left join ({words}) as {name} on {name}.word = {key}")
    return f"select typed.*, {', '.join(chosen)} from typed {' '.join(joins)}"


def _first_segment(model: str) -> str:
    return f"case when contains({model}, '/') then lower(split_part({model}, '/', 1)) end"


def _sided() -> str:
    """Both sides split into disjoint parts, the status and the provider decided."""
    cache = "coalesce(cache_read_tokens, 0) + coalesce(cache_write_5m_tokens, 0) + coalesce(cache_write_1h_tokens, 0)"
    other_input = "coalesce(input_audio_tokens, 0) + coalesce(input_image_tokens, 0)"
    other_output = "coalesce(output_audio_tokens, 0) + coalesce(output_image_tokens, 0)"
    sides = "coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)"
    # A source's own total tells where reasoning was counted: beside the completion (xAI, Gemini) or in it.
    excess = f"case when prompt_tokens is not null and completion_tokens is not null then total_tokens - ({sides}) end"
    return f"""
select * replace (
    case
      when usage_status in ('unsupported', 'missing') then null
      else coalesce(input_tokens,
        prompt_tokens - {other_input} - case when cache_outside_prompt then 0 else {cache} end)
    end as input_tokens,
    case when reasoning_beside and total_may_exceed then coalesce(reasoning_tokens, excess) else reasoning_tokens
    end as reasoning_tokens,
    case
      when usage_status in ('unsupported', 'missing') then null
      else coalesce(output_tokens, completion_tokens - {other_output}
        - case when reasoning_beside then 0 else coalesce(reasoning_tokens, 0) end)
    end as output_tokens,
    coalesce(status, case
      when error_by_word = 'cancelled' or http_status = 499 then 'cancelled'
      when http_status >= 400 or error_by_word is not null or error_class is not null then 'error'
      else 'ok' end) as status
  ),
  coalesce(provider_by_word, served_prefix, requested_prefix,
    case when provider_reported is null then provider_hint end) as provider
from (
  select *, {cache} as cache_tokens, {excess} as excess,
    coalesce(total_may_exceed and {excess} > 0, false)
      or coalesce({excess} = reasoning_tokens and reasoning_tokens > 0, false) as reasoning_beside,
    coalesce(class_by_word, class_by_code) as error_by_word,
    reasoning_tokens is null as is_reasoning_untold
  from named
)"""


def _checked(form: Format) -> str:
    """The one reason a record cannot be taken, or none."""
    empty = "when is_empty and json_type(record) in ('OBJECT', 'ARRAY') then 'no_records'" if form.records else ""
    adds_up = """excess is null or excess = 0 or excess = reasoning_tokens or (total_may_exceed and excess > 0)
        or (cache_outside_prompt and excess = cache_tokens)"""
    return f"""
select *, case
    when record is null then 'malformed_json'
    {empty}
    when form_reject is not null then form_reject
    when type_reject is not null then type_reject
    when occurred_at is null then case when json_type(record) = 'OBJECT' then 'missing_time' else 'not_an_object' end
    when input_tokens < 0 or output_tokens < 0 or not coalesce({adds_up}, false) then 'counts_do_not_add_up'
  end as reject_reason,
  coalesce(usage_status in ('unsupported', 'missing'), false) or is_redacted
    or ({" and ".join(f"{part} is null" for part in _PARTS)} and embedding_tokens is null) as is_usage_lost,
  operation = 'embedding' and embedding_tokens is null as is_embedding
from sided"""


def _final(source: str, segment_id: str) -> dict[str, str]:
    """The columns of raw.calls from checked ones; null when nothing else is said."""
    error_class = f"""case when status = 'ok' then null else coalesce(error_by_word,
      case http_status {" ".join(f"when {code} then '{name}'" for code, name in HTTP_ERROR_CLASSES.items())} end,
      case when http_status >= 500 then 'server_error' when http_status >= 400 then 'invalid_request'
        when status = 'cancelled' then 'cancelled' when status = 'stream_broken' then 'network'
        else 'unknown' end) end"""
    lost = "is_usage_lost"
    final = {
        "event_id": f"case when reject_reason is null then {_event_id(source)} end",
        "attempt": "coalesce(attempt, 1)",
        "source": literal(source),
        "occurred_at": "occurred_at",
        "tags": "tags",
        "provider": "provider",
        "operation": "lower(operation)",
        "service_tier": "coalesce(lower(service_tier), 'standard')",
        "is_stream": boolean("is_stream"),
        "http_status": "case when http_status between 100 and 599 then http_status::smallint end",
        "status": "status",
        "error_class": error_class,
        "retry_count": "retry_count::integer",
        "is_cache_hit": f"coalesce({boolean('is_cache_hit')}, false)",
        "latency_ms": "latency_ms",
        "ttft_ms": "ttft_ms",
        **{part: f"case when not {lost} then {part} end" for part in _PARTS},
        "input_tokens": f"case when not {lost} and is_embedding is not true then input_tokens end",
        "embedding_tokens": f"case when {lost} then null when is_embedding then input_tokens else embedding_tokens end",
        "web_search_calls": "web_search_calls",
        "usage_status": f"""case
          when {lost} then case when usage_status = 'unsupported' then 'unsupported' else 'missing' end
          when total_may_exceed and excess > 0 and is_reasoning_untold then 'estimated'
          else coalesce(usage_status, 'final') end""",
        "cost_reported": "cost_reported",
        "cost_reported_currency": "case when cost_reported is not null then "
        "coalesce(upper(cost_reported_currency), 'USD') end",
        "source_version": "source_version",
        "occurrence": "case when native_id is null then 1 end",
        "segment_id": literal(segment_id),
    }
    final |= {name: name for name in _SAID}
    for name in _PLAIN_TEXT:
        value = _without_prefix(name) if name.startswith("model_") else name
        if name == "provider_reported":  # an unregistered prefix is the only word the source gave
            value = (
                f"coalesce(provider_reported, {_first_segment('model_served')}, {_first_segment('model_requested')})"
            )
        final[name] = value
    return final


def _event_id(source: str) -> str:
    """By the native id where there is one; else by the record itself, its text freed of spacing.

    By text and not by the columns taken from it, so that a mended importer finds the same identities, and
    two records that differ in a field we do not know stay two. Re-reading for the spacing costs 0.4 s a
    million, so only what a spacing writer wrote is re-read.
    """
    text = "record::varchar"
    plain = f"case when contains({text}, '\": ') or contains({text}, '\", ') then json({text})::varchar else {text} end"
    return f"""md5(case when native_id is not null
      then concat_ws(chr(31), {literal(source)}, 'id', native_id, coalesce(attempt, 1))
      else concat_ws(chr(31), {literal(source)}, 'record', {plain}) end)::uuid"""


def _without_prefix(model: str) -> str:
    """A model's name without its first segment where that names the call's own provider."""
    prefix = {"model_served": "served_prefix", "model_requested": "requested_prefix"}[model]
    return f"case when {prefix} = provider then substr({model}, strpos({model}, '/') + 1) else {model} end"


def _provider_words() -> str:
    return f"select * from (values {values(provider_aliases().items())}) as aliases (word, name)"


def _error_words() -> str:
    rows: dict[str, Any] = {}
    for name, (code, *_) in ERROR_CLASSES.items():
        for spelled in (name, code, *ERROR_WORDS[name]):
            if spelled:
                rows["".join(filter(str.isalnum, spelled.lower()))] = name
    return f"select * from (values {values(rows.items())}) as words (word, name)"
