"""Real reports, against sums made by another reader of the same files."""

from __future__ import annotations

import csv
import json
from decimal import Decimal

import pytest


def document(path):
    return json.loads(path.read_text(), parse_float=Decimal)


def results(path):
    return [result for bucket in document(path)["data"] for result in bucket["results"]]


@pytest.mark.parametrize(
    "name",
    ["completions", "embeddings", "images", "audio_speeches", "audio_transcriptions", "moderations",
     "code_interpreter_sessions", "vector_stores", "file_search_calls", "web_search_calls"],
)  # fmt: skip
def test_every_openai_usage_endpoint(bills, log_formats, name):
    receipt = bills.ingest(log_formats / "openai" / f"organization_usage_{name}.json")[0]
    (row,) = bills.usage()
    assert (receipt.accepted_count, receipt.quarantined_count) == (1, 0)
    assert receipt.format == row["report"]


def test_openai_costs_to_the_last_decimal(bills, log_formats):
    path = log_formats / "openai" / "tokenbill_costs_2026-09.json"
    bills.ingest(path)
    lines = bills.costs()
    assert sum(line["amount"] for line in lines) == sum(result["amount"]["value"] for result in results(path))
    assert {line["meter"] for line in lines} == {"input", "cache_read", "cache_write", "output"}
    assert {line["model"] for line in lines} == {"gpt-5.6-sol"}


def test_openai_usage_is_conserved(bills, log_formats):
    path = log_formats / "openai" / "tokenbill_usage_completions_2026-09.json"
    bills.ingest(path)
    rows = bills.usage()
    parts = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "input_audio_tokens", "input_image_tokens",
             "embedding_tokens")  # fmt: skip
    assert sum(row[part] or 0 for row in rows for part in parts) == sum(r["input_tokens"] for r in results(path))
    assert {row["report"] for row in rows} == {"openai_usage_completions", "openai_usage_embeddings"}


def test_anthropic_costs_are_a_hundredth(bills, log_formats):
    path = log_formats / "anthropic" / "cost_report_edge.json"
    bills.ingest(path)
    lines = bills.costs()
    assert sum(line["amount"] for line in lines) * 100 == sum(Decimal(result["amount"]) for result in results(path))
    assert {line["charge_type"] for line in lines} == {"tokens", "code_execution", "web_search", "session_usage"}


def test_anthropic_usage(bills, log_formats):
    folder = log_formats / "anthropic"
    receipts = bills.ingest(folder / "usage_report_edge.json", folder / "usage_report_docs_example.json")
    assert [receipt.accepted_count for receipt in receipts] == [4, 1]
    assert {row["service_tier"] for row in bills.usage()} == {"priority", "standard", "fast"}


def test_openrouter_activity(bills, log_formats):
    (receipt,) = bills.ingest(log_formats / "openrouter" / "api_activity.json")
    assert (receipt.format, receipt.accepted_count) == ("openrouter_activity", 1)


def test_the_invoice_of_aws(bills, log_formats):
    path = log_formats / "aws" / "cur2_bedrock_2026-09.csv"
    bills.ingest(path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    lines = bills.costs()
    assert sum(line["amount"] for line in lines) == sum(Decimal(row["line_item_net_unblended_cost"]) for row in rows)
    tokens = {line["quantity"] for line in lines if line["unit"] == "token" and line["charge_class"] == "usage"}
    assert tokens == {1_234_567, 98_765, 5_500_000, 250_000, 42_000, 12_500}
    classes = [line["charge_class"] for line in lines]
    assert (len(lines), classes.count("credit"), classes.count("tax"), classes.count(None)) == (28, 2, 2, 0)
    assert all("@" not in str(line["user_id"]) for line in lines)


def test_the_invoice_of_google(bills, log_formats):
    path = log_formats / "gcp" / "gcp_billing_2026-09.jsonl"
    bills.ingest(path)
    rows = [json.loads(line, parse_float=Decimal) for line in path.read_text().splitlines()]
    total = sum(row["cost"] + sum(credit["amount"] for credit in row["credits"]) for row in rows)
    lines = bills.costs()
    assert sum(line["amount"] for line in lines) == total
    assert {line["meter"] for line in lines} == {"input", "output", "cache_read", None}
    assert "TB-CANARY" not in json.dumps(lines, default=str)
