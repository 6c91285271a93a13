from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest


def row(sequence=0, **changes):
    """A row as Log Analytics gives it: 0 has the counts, the others pieces of messages."""
    piece = {"DeploymentName": "", "ModelName": "", "PromptTokens": 0, "CompletionTokens": 0, "TotalTokens": 0,
             "RequestMessages": '[{"content": "a secret question"}]'}  # fmt: skip
    return {
        "TenantId": "workspace", "TimeGenerated": "2026-05-04T10:00:00.123Z", "OperationName": "GatewayLlmLogs",
        "CorrelationId": "c1", "Region": "West Europe", "RequestId": "chatcmpl-1", "SequenceNumber": sequence,
        "DeploymentName": "chat", "ModelName": "gpt-4o-2024-08-06", "PromptTokens": 1000, "CompletionTokens": 50,
        "TotalTokens": 1050, "IsStreamCompletion": False, "Type": "ApiManagementGatewayLlmLog",
        **(piece if sequence else {}), **changes,
    }  # fmt: skip


def diagnostic(sequence=0, *, camel=True, **changes):
    """The same as a diagnostic setting sends it to an event hub or a storage account."""
    inner = {name: value for name, value in row(sequence, **changes).items() if name not in ("TimeGenerated", "Type")}
    if camel:
        inner = {name[0].lower() + name[1:]: value for name, value in inner.items()}
    return {"time": "2026-05-04T10:00:00.123Z", "category": "GatewayLlmLogs", "properties": inner}


def test_a_row_becomes_a_call_without_content(logs):
    receipt = logs.load([row()])
    call = logs.call()
    assert (receipt.format, receipt.accepted_count) == ("azure_apim", 1)
    assert call["occurred_at"] == datetime(2026, 5, 4, 10, 0, 0, 123000, tzinfo=UTC)
    assert (call["provider"], call["model_requested"], call["model_served"]) == ("azure", "chat", "gpt-4o-2024-08-06")
    assert (call["input_tokens"], call["output_tokens"], call["is_stream"]) == (1000, 50, False)
    assert (call["region"], call["tenant"]) == (None, None)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_messages_over_several_rows_are_counted_once(logs, new_logs, order):
    rows = [row(0), row(1), row(2, RequestId="")]
    receipt = logs.load([rows[n] for n in order])
    assert (receipt.read_count, receipt.accepted_count, receipt.duplicate_count) == (3, 1, 2)
    call = logs.call()
    assert (call["input_tokens"], call["output_tokens"], call["usage_status"]) == (1000, 50, "final")
    split = new_logs()
    for n in order:
        split.load([rows[n]], f"{n}.jsonl")
    assert split.content() == logs.content()
    assert b"secret question" not in logs.settings.database.read_bytes()


def test_counts_repeated_on_every_row_are_counted_once(logs):
    counts = {"ModelName": "gpt-4o", "PromptTokens": 1000, "CompletionTokens": 50, "TotalTokens": 1050}
    logs.load([row(0, **counts), row(1, **counts)])
    assert logs.call()["input_tokens"] == 1000


def test_pieces_without_their_row_are_a_call_of_unknown_usage(logs):
    logs.load([row(1), row(2)])
    call = logs.call()
    assert (call["usage_status"], call["input_tokens"], call["output_tokens"]) == ("missing", None, None)


@pytest.mark.parametrize("camel", [True, False])
def test_diagnostic_records_say_the_same(logs, new_logs, camel):
    logs.load([row(0), row(1)])
    same = ("event_id", "input_tokens", "output_tokens", "model_served", "occurred_at")
    for name, content in (
        ("wrapped.json", json.dumps({"records": [diagnostic(0, camel=camel), diagnostic(1, camel=camel)]})),
        ("lines.jsonl", [diagnostic(0, camel=camel), diagnostic(1, camel=camel)]),
    ):
        other = new_logs()
        assert other.load(content, name).format == "azure_apim"
        assert [other.call()[column] for column in same] == [logs.call()[column] for column in same]


def test_the_portals_csv(logs):
    names = ["TimeGenerated [UTC]", "CorrelationId", "SequenceNumber", "ModelName", "DeploymentName", "PromptTokens",
             "CompletionTokens", "TotalTokens"]  # fmt: skip
    lines = [",".join(names), '"5/4/2026, 2:35:40.123 PM",c1,0,gpt-4o,chat,1000,50,1050',
             '"5/4/2026, 2:35:40.123 PM",c1,1,,,,,']  # fmt: skip
    receipt = logs.load("\n".join(lines) + "\n", "query_data.csv")
    assert (receipt.accepted_count, receipt.duplicate_count) == (1, 1)
    assert logs.call()["occurred_at"] == datetime(2026, 5, 4, 14, 35, 40, 123000, tzinfo=UTC)


def test_cached_tokens_lie_within_the_prompt_and_beside_it_for_claude(logs):
    logs.load(
        [
            row(CorrelationId="within", PromptCachedTokens=600),
            row(CorrelationId="beside", ModelName="claude-opus-5", PromptTokens=0, CompletionTokens=9, TotalTokens=9,
                PromptCachedTokens=4460),
        ]
    )  # fmt: skip
    calls = {call["request_id"]: call for call in logs.calls()}
    assert (calls["within"]["input_tokens"], calls["within"]["cache_read_tokens"]) == (400, 600)
    assert (calls["beside"]["input_tokens"], calls["beside"]["cache_read_tokens"]) == (0, 4460)
    assert (calls["within"]["provider"], calls["beside"]["provider"]) == ("azure", None)


def test_columns_joined_from_the_gateway_log(logs):
    joined = {"ResponseCode": 429, "TotalTime": 812, "ApimSubscriptionId": "team-a"}
    logs.load([row(PromptTokens=0, CompletionTokens=0, TotalTokens=0, **joined)])
    call = logs.call()
    assert (call["status"], call["error_class"], call["latency_ms"]) == ("error", "rate_limited", 812)
    assert (call["project"], call["input_tokens"]) == ("team-a", 0)


def test_zeros_embeddings_and_contradictions(logs):
    zeros = {"PromptTokens": 0, "CompletionTokens": 0, "TotalTokens": 0}
    embedding = {"ModelName": "text-embedding-3-small", "CompletionTokens": 0, "TotalTokens": 1000}
    logs.load([row(CorrelationId="z", **zeros), row(CorrelationId="e", **embedding), row(TotalTokens=5),
               {"Type": "ApiManagementGatewayLlmLog"}])  # fmt: skip
    calls = {call["request_id"]: call for call in logs.calls()}
    assert (calls["z"]["usage_status"], calls["z"]["input_tokens"]) == ("missing", None)
    assert (calls["e"]["operation"], calls["e"]["embedding_tokens"]) == ("embedding", 1000)
    assert [kept["reason"] for kept in logs.quarantine()] == ["counts_do_not_add_up", "not_a_gateway_row"]
