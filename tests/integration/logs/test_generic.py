from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from decimal import Decimal

import duckdb
import pytest

from pipelines.errors import BadMappingError
from pipelines.logs.formats import generic

MAPPING = """
name: gateway
columns: [seconds]
fields:
  occurred_at: created
  native_id: id
  tenant: {path: [meta, tenant]}
  operation: {value: chat}
  model_served: model
  prompt_tokens: "in"
  completion_tokens: out
  latency_ms: {expression: "try_cast(seconds as double) * 1000"}
  source_version: changed
null_values: ["-"]
providers:
  - {models: ["claude-*"], provider: anthropic}
"""


def declared(logs, text=MAPPING):
    return str(logs.file("mapping.yml", textwrap.dedent(text)))


def test_aider_calls(logs, captures):
    (receipt,) = logs.ingest(captures / "traces/aider_calls.parquet", mapping="aider")
    assert (receipt.read_count, receipt.accepted_count, receipt.quarantined_count) == (2668, 2668, 0)
    found = logs.query("select provider, model_served, count(*) n from raw.calls group by all")
    by_model = {(row["provider"], row["model_served"]): row["n"] for row in found}
    assert by_model["anthropic", "claude-3-5-sonnet-20241022"] == 1577
    assert by_model["deepseek", "deepseek-chat"] == 381
    assert by_model["anthropic", "claude-3-7-sonnet-20250219"] == 38
    assert by_model["openrouter", "anthropic/claude-3.5-sonnet"] == 9
    assert by_model["fireworks", "accounts/fireworks/models/deepseek-v3"] == 32
    assert by_model["google", "gemini-1.5-flash"] == 6
    assert by_model["openai", "o3-mini"] == 73
    assert by_model["ollama", "REDACTED"] == 71
    assert by_model["lm_studio", "REDACTED"] == 1
    assert by_model[None, None] == 14
    total = logs.query(
        "select sum(cost_reported) as cost, sum(input_tokens) as i, sum(output_tokens) as o from raw.calls"
    )[0]
    source = duckdb.sql(
        f"select sum(cost::varchar::decimal(38, 18)), sum(prompt_tokens)::bigint, sum(completion_tokens)::bigint "
        f"from '{captures / 'traces/aider_calls.parquet'}'"
    ).fetchone()
    assert (total["cost"], total["i"], total["o"]) == source


def test_the_same_calls_from_lines_csv_and_parquet(logs, tmp_path):
    lines = logs.file(
        "log.jsonl",
        [
            {"created": 1793527200, "id": "a", "model": "claude-x", "in": 10, "out": 2, "seconds": 0.5,
             "changed": "-", "meta": {"tenant": "acme"}},
            {"created": 1793527201, "id": "b", "model": "-", "in": "-", "out": "-", "seconds": None,
             "changed": None, "meta": {"tenant": "-"}},
        ],
    )  # fmt: skip
    flat = MAPPING.replace("{path: [meta, tenant]}", "tenant")
    columns = """created, id, model, "in" ->> '$' as "in", out ->> '$' as out, seconds, changed,
        meta ->> 'tenant' as tenant"""
    duckdb.sql(f"copy (select {columns} from '{lines}') to '{tmp_path / 'log.csv'}'")
    duckdb.sql(f"copy (select {columns} from '{lines}') to '{tmp_path / 'log.parquet'}'")
    (first,) = logs.ingest(lines, mapping=declared(logs))
    assert (first.format, first.accepted_count) == ("generic", 2)
    calls = logs.content()
    by_id = {call["model_served"]: call for call in calls}
    assert by_id["claude-x"]["occurred_at"] == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert (by_id["claude-x"]["provider"], by_id["claude-x"]["tenant"]) == ("anthropic", "acme")
    assert (by_id["claude-x"]["latency_ms"], by_id["claude-x"]["source"]) == (500, "gateway")
    assert (by_id[None]["usage_status"], by_id[None]["tenant"]) == ("missing", None)
    again = logs.ingest(tmp_path / "log.csv", tmp_path / "log.parquet", mapping=declared(logs, flat))
    assert [(receipt.accepted_count, receipt.duplicate_count) for receipt in again] == [(0, 2), (0, 2)]
    assert logs.content() == calls


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("name: gateway", "name: gateway\nnmae: x"), "line 3: nmae: Extra inputs are not permitted"),
        (("operation: {value: chat}", "opration: {value: chat}"), "'opration' is not a field of a call"),
        (("occurred_at: created", "tags: created"), "occurred_at is missing"),
        (("{value: chat}", "{value: chat, column: x}"), "line 8: fields.operation: give exactly one of"),
        (("{value: chat}", "{valeu: chat}"), "line 8: fields.operation.valeu: Extra inputs"),
        (("provider: anthropic", "provider: acme"), "'acme' is not a registered provider"),
        (("try_cast(seconds as double) * 1000", "try_cast(second as double)"), "line 12: fields.latency_ms"),
        (("try_cast(seconds as double) * 1000", "1) ; drop table x; select (1"), "line 12: fields.latency_ms"),
        (("try_cast(seconds as double) * 1000", "1 +"), "line 12: fields.latency_ms"),
        (("columns: [seconds]", "columns: [record]"), "'record' cannot be used"),
        (("  occurred_at: created", "  occurred_at: [created"), "line 6: not valid YAML"),
    ],
)
def test_a_wrong_mapping_names_its_line_before_a_row_is_read(logs, change, told):
    path = declared(logs, MAPPING.replace(*change))
    with pytest.raises(BadMappingError) as raised:
        generic.load_mapping(logs.settings, path)
    assert "mapping.yml" in str(raised.value)
    assert told in str(raised.value)


def test_a_mapping_that_does_not_fit_the_file(logs):
    csv = logs.file("log.csv", "created,model\n1793527200,x\n")
    with pytest.raises(BadMappingError, match="has no column 'seconds'; it has created, model"):
        logs.ingest(csv, mapping=declared(logs))
    with pytest.raises(BadMappingError, match=r"no readable mapping 'nothing'.* one of: aider"):
        logs.ingest(csv, mapping="nothing")
    with pytest.raises(BadMappingError, match="needs a mapping"):
        logs.ingest(csv, format_name="generic")
    assert not logs.settings.database.exists()


def test_a_newer_version_replaces_an_older_one_in_any_order(logs, new_logs):
    def version(changed, out):
        return {"created": 1793527200, "id": "a", "model": "m", "in": 1, "out": out, "changed": changed}

    old, new, none = version("2026-11-02", 9), version("2026-11-03", 5), version(None, 7)
    kept = []
    for order in ((old, new, none), (none, new, old), (new, old, none)):
        other = new_logs()
        receipts = other.ingest(
            *(other.file(f"{n}.jsonl", [{"seconds": 0, "meta": {}, **record}]) for n, record in enumerate(order)),
            mapping=declared(other),
        )
        assert sum(r.accepted_count - r.replaced_count for r in receipts) == 1
        kept.append(other.content())
    assert kept[0] == kept[1] == kept[2]
    assert kept[0][0]["output_tokens"] == 5


def test_decimals_of_parquet_are_not_rounded(logs, tmp_path):
    duckdb.sql(
        f"copy (select 1793527200 as t, 0.123456789012345678::decimal(38, 18) as c) to '{tmp_path / 'p.parquet'}'"
    )
    mapping = declared(logs, "name: exact\nfields:\n  occurred_at: t\n  cost_reported: c\n")
    logs.ingest(tmp_path / "p.parquet", mapping=mapping)
    assert logs.call()["cost_reported"] == Decimal("0.123456789012345678")


def test_lines_of_a_csv_that_are_no_rows_are_kept(logs):
    mapping = declared(logs, "name: plain\nfields:\n  occurred_at: t\n  model_served: m\n  prompt_tokens: p\n")
    text = 't;m;p\r\n1793527200;"a;b";10\r\n1793527201;too few\r\n1793527202;c;3;many;ann@example.com\r\n1793527203;d;x\r\n'
    clean = logs.file("clean.csv", "t;m;p\n1793527000;x;1\n")
    receipt, after = logs.ingest(logs.file("log.csv", text.encode()), clean, mapping=mapping)
    assert (receipt.read_count, receipt.accepted_count, receipt.quarantined_count) == (4, 1, 3)
    assert (after.read_count, after.accepted_count) == (1, 1), "bad lines are of their own file only"
    assert [call["model_served"] for call in logs.calls()] == ["x", "a;b"]
    kept = {row["reason"]: row for row in logs.quarantine() if row["reason"] != "malformed_csv"}
    assert set(kept) == {"bad_type: prompt_tokens"}
    lines = {row["line_number"]: row["raw"] for row in logs.quarantine() if row["reason"] == "malformed_csv"}
    assert lines == {3: "1793527201;too few", 4: "1793527202;c;3;many;email:71d4f55f72fa128d"}
