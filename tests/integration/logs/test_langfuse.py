from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest


def observation(**changes):
    return {
        "id": "o1",
        "traceId": "t1",
        "type": "GENERATION",
        "projectId": "p1",
        "environment": "prod",
        "startTime": "2026-10-01T10:00:00.000Z",
        "endTime": "2026-10-01T10:00:02.500Z",
        "completionStartTime": "2026-10-01T10:00:00.400Z",
        "updatedAt": "2026-10-01T10:00:05.000Z",
        "level": "DEFAULT",
        "statusMessage": None,
        "input": "what I have",
        "output": "what it is",
        "model": "gpt-5",
        "modelParameters": {"service_tier": "default"},
        "latency": 2.5,
        "usageDetails": {"input": 100, "output": 20, "total": 120},
        "costDetails": {"total": 0.0003},
        "totalCost": 0.0003,
        "metadata": {"attributes": {"gen_ai.system": "openai"}},
        **changes,
    }


def trace(*observations, **changes):
    said = {"id": "t1", "projectId": "p1", "timestamp": "2026-10-01T10:00:00Z", "userId": "u1", "sessionId": "s1"}
    return {
        "trace": said | {"tags": ["a", "b"], "observations": list(observations)} | changes,
        "observations": observations,
    }


@pytest.mark.parametrize(
    ("name", "calls"),
    [("trace_download_claude_agent", 4), ("trace_download_pydantic_gemini", 1), ("trace_seed_openai_agents", 2)],
)
def test_the_real_samples(logs, captures, name, calls):
    (receipt,) = logs.ingest(captures / f"log_formats/langfuse/{name}.json")
    assert receipt.format == "langfuse"
    assert (receipt.read_count, receipt.accepted_count) == (calls, calls)
    call = logs.calls()[0]
    expected = {
        "trace_download_claude_agent": ("anthropic", 19, 29, 3197.0, Decimal("0.000492")),
        "trace_download_pydantic_gemini": ("google", 40, 159, 1820.0, Decimal("0.0004095")),
        "trace_seed_openai_agents": ("openai", 55, 15, 1036.0, Decimal("0.00023")),
    }[name]
    assert (
        call["provider"], call["input_tokens"], call["output_tokens"], call["latency_ms"], call["cost_reported"]
    ) == expected  # fmt: skip


def test_the_same_observation_from_every_kind_of_export(logs, new_logs):
    spans = [observation(id=kind, type=kind, model=None) for kind in ("SPAN", "AGENT", "TOOL", "EVENT")]
    with_trace = observation(userId="u1", sessionId="s1", tags=["a", "b"])
    logs.load(json.dumps(trace(*spans, observation()), indent=1), "trace.json")
    call = logs.call()
    assert (call["user_id"], call["session_id"], call["tags"]) == ("u1", "s1", ["a", "b"])
    assert (call["project"], call["environment"], call["provider"]) == ("p1", "prod", "openai")
    assert (call["latency_ms"], call["ttft_ms"], call["is_stream"]) == (2500, 400, True)
    assert call["source_version"] == datetime(2026, 10, 1, 10, 0, 5, tzinfo=UTC)
    assert (call["input_tokens"], call["output_tokens"]) == (100, 20)
    api_trace = {**trace()["trace"], "observations": [*spans, observation()]}
    exported = {
        "id": "o1", "trace_id": "t1", "type": "GENERATION", "project_id": "p1", "environment": "prod",
        "start_time": "2026-10-01 10:00:00.000", "end_time": "2026-10-01 10:00:02.500",
        "completion_start_time": "2026-10-01 10:00:00.400", "updated_at": "2026-10-01 10:00:05.000",
        "provided_model_name": "gpt-5", "usage_details": {"input": 100, "output": 20, "total": 120},
        "total_cost": 0.0003, "metadata": {"gen_ai.system": "openai"}, "level": "DEFAULT", "user_id": "u1",
        "session_id": "s1", "tags": ["a", "b"],
    }  # fmt: skip
    for name, content in (
        ("traces.json", json.dumps([trace(*spans, observation())])),
        ("api_trace.json", json.dumps(api_trace)),
        ("page.json", json.dumps({"data": [*spans, with_trace], "meta": {"page": 1}}, indent=1)),
        ("milliseconds.json", json.dumps([*spans, with_trace | {"latency": 2500}])),
        ("blob.jsonl", [exported]),
        ("texts.jsonl", [with_trace | {"metadata": "{'attributes': {'gen_ai.system': 'openai'}}"}]),
        ("json_text.jsonl", [with_trace | {"metadata": json.dumps({"attributes": {"gen_ai.system": "openai"}})}]),
    ):
        other = new_logs()
        receipt = other.load(content, name)
        assert (receipt.format, receipt.read_count, receipt.accepted_count) == ("langfuse", 1, 1), name
        assert other.content() == logs.content(), name


def test_the_newest_update_wins_in_any_order(logs, new_logs):
    old = observation(updatedAt="2026-10-01T10:00:03Z", usageDetails={}, endTime=None, level="DEFAULT")
    logs.load([old])
    assert logs.call()["usage_status"] == "missing"
    receipt = logs.load([observation()], "2.jsonl")
    assert (receipt.accepted_count, receipt.replaced_count) == (1, 1)
    assert logs.call()["input_tokens"] == 100
    other = new_logs()
    other.load([observation()])
    assert other.load([old], "2.jsonl").duplicate_count == 1
    assert other.content() == logs.content()


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input": 40, "input_cached_tokens": 60, "output": 5, "output_reasoning_tokens": 15, "total": 120}, "exclusive"),
        ({"input": 40, "cache_read_input_tokens": 60, "output": 5, "reasoning_tokens": 15}, "exclusive"),
        (
            {"input": 100, "prompt_details.cache_read": 60, "output": 20, "completion_details.reasoning": 15, "total": 120},
            "inclusive",
        ),
    ],
)  # fmt: skip
def test_buckets_are_exclusive_unless_the_total_says_otherwise(logs, usage, expected):
    logs.load([observation(usageDetails=usage)])
    call = logs.call()
    assert (call["input_tokens"], call["cache_read_tokens"]) == (40, 60), expected
    assert (call["output_tokens"], call["reasoning_tokens"]) == (5, 15), expected


def test_failures_embeddings_old_names_and_what_does_not_add_up(logs):
    failed = {
        "level": "ERROR",
        "statusMessage": "openai.RateLimitError: Error code: 429 - slow down",
        "usageDetails": {},
    }
    old = {"usage": {"input": 7, "output": 3, "total": 10, "unit": "TOKENS"}, "usageDetails": None}
    characters = {"usage": {"input": 70, "output": 30, "total": 100, "unit": "CHARACTERS"}, "usageDetails": None}
    receipt = logs.load(
        [
            observation(id="failed", **failed),
            observation(id="embedded", type="EMBEDDING", usageDetails={"input": 9, "total": 9}),
            observation(id="old", **old),
            observation(id="unpriced", totalCost=0),
            observation(id="chained", metadata={"gen_ai.system": "langchain", "ls_provider": "anthropic"}),
            observation(id="characters", **characters),
            observation(id="unknown bucket", usageDetails={"input": 1, "output": 1, "video": 5, "total": 7}),
            observation(id="no time", startTime=None),
            observation(id="zeros", level=None, usageDetails={"input": 0, "output": 0, "total": 0}),
        ]
    )
    assert (receipt.accepted_count, receipt.quarantined_count) == (6, 3)
    calls = {call["request_id"]: call for call in logs.calls()}
    assert (calls["failed"]["status"], calls["failed"]["error_class"], calls["failed"]["http_status"]) == (
        "error", "rate_limited", 429,
    )  # fmt: skip
    assert (calls["embedded"]["operation"], calls["embedded"]["embedding_tokens"]) == ("embedding", 9)
    assert (calls["old"]["input_tokens"], calls["old"]["output_tokens"]) == (7, 3)
    assert (calls["unpriced"]["cost_reported"], calls["old"]["cost_reported"]) == (None, Decimal("0.0003"))
    assert (calls["zeros"]["usage_status"], calls["zeros"]["input_tokens"]) == ("missing", None)
    assert calls["chained"]["provider"] == "anthropic"
    kept = logs.quarantine()
    assert [row["reason"] for row in kept] == ["not_counted_in_tokens", "counts_do_not_add_up", "missing_time"]
    assert all("what I have" not in row["raw"] and "what it is" not in row["raw"] for row in kept)


def test_a_page_without_model_calls_is_no_loss_and_another_document_is(logs):
    pages = [
        {"data": [observation()], "meta": {}},
        {"data": [], "meta": {}},
        {"data": [observation(type="SPAN")], "meta": {}},
        {"elsewhere": [observation()]},
    ]
    receipt = logs.load(pages)
    assert (receipt.read_count, receipt.accepted_count, receipt.quarantined_count) == (2, 1, 1)
    assert [(row["line_number"], row["reason"]) for row in logs.quarantine()] == [(4, "no_records")]
