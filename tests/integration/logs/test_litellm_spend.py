from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal


def row(**changes):
    usage = changes.pop("usage_object", None)
    error = changes.pop("error_information", None)
    metadata = {"usage_object": usage, "error_information": error, "attempted_retries": None}
    return {
        "request_id": "chatcmpl-1",
        "call_type": "acompletion",
        "api_key": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
        "cache_hit": "None",
        "startTime": "2025-01-24 09:20:46.847371",
        "endTime": "2025-01-24 09:20:48.847371",
        "completionStartTime": "2025-01-24 09:20:47.347371",
        "model": "gpt-4o",
        "model_group": "my-alias",
        "metadata": json.dumps(metadata),
        "spend": 0.00022500000000000002,
        "total_tokens": 30,
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "request_tags": '["a", "b"]',
        "end_user": "",
        "user": "u1",
        "team_id": "t1",
        "custom_llm_provider": "openai",
        "status": "success",
        **changes,
    }


def test_the_real_sample(logs, captures):
    (receipt,) = logs.ingest(captures / "log_formats/litellm/spend_logs_payload.json")
    call = logs.call()
    assert (receipt.format, receipt.read_count, receipt.accepted_count) == ("litellm_spend", 1, 1)
    assert call["occurred_at"] == datetime(2025, 1, 24, 9, 20, 46, 847371, tzinfo=UTC)
    assert (call["provider"], call["model_served"], call["session_id"]) == ("openai", "gpt-4o", "1234567890")
    assert (call["input_tokens"], call["output_tokens"], call["usage_status"]) == (10, 20, "final")
    assert call["cost_reported"] == Decimal("0.000225000000000000")
    assert (call["is_cache_hit"], call["latency_ms"], call["ttft_ms"]) == (False, 4.583, None)
    assert (call["user_id"], call["team"], call["tags"]) == (None, None, None)


def test_a_row_in_lines_in_an_array_and_with_an_object_inside(logs, new_logs):
    logs.load([row()])
    unpacked = row()
    unpacked["metadata"] = json.loads(unpacked["metadata"])
    for name, content in (
        ("array.json", json.dumps([row()], indent=1)),
        ("one.json", json.dumps(row(), indent=2)),
        ("inside.jsonl", [unpacked]),
    ):
        other = new_logs()
        other.load(content, name)
        assert other.content() == logs.content(), name
    call = logs.call()
    assert (call["tags"], call["user_id"], call["team"]) == (["a", "b"], "u1", "t1")
    assert (call["latency_ms"], call["ttft_ms"]) == (2000, 500)
    assert (call["model_requested"], call["model_served"]) == ("my-alias", "gpt-4o")


def test_the_prompt_includes_the_cache_for_every_provider(logs):
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 50,
        "total_tokens": 1050,
        "cache_read_input_tokens": 600,
        "cache_creation_input_tokens": 300,
        "prompt_tokens_details": {
            "cached_tokens": 600,
            "cache_creation_tokens": 300,
            "cache_creation_token_details": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100},
        },
        "completion_tokens_details": {"reasoning_tokens": 30},
    }
    logs.load(
        [
            row(
                model="anthropic/claude-sonnet-4-5",
                custom_llm_provider="anthropic",
                prompt_tokens=1000,
                completion_tokens=50,
                total_tokens=1050,
                usage_object=usage,
            )
        ]
    )
    call = logs.call()
    assert (call["provider"], call["model_served"]) == ("anthropic", "claude-sonnet-4-5")
    assert (call["input_tokens"], call["cache_read_tokens"]) == (100, 600)
    assert (call["cache_write_5m_tokens"], call["cache_write_1h_tokens"]) == (200, 100)
    assert (call["output_tokens"], call["reasoning_tokens"]) == (20, 30)


def test_failures_cache_hits_embeddings_and_empty_ids(logs):
    failed = {"error_code": "429", "error_class": "RateLimitError"}
    zero = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "spend": 0}
    receipt = logs.load(
        [
            row(request_id="failed", status="failure", error_information=failed, **zero),
            row(request_id="hit", cache_hit="True", spend=0),
            row(request_id="embedded", call_type="aembedding", completion_tokens=0, total_tokens=10),
            row(request_id="lost", **zero),
            row(request_id="", model="a"),
            row(request_id="", model="b"),
            row(request_id="text", metadata="not json"),
        ]
    )
    assert (receipt.accepted_count, receipt.quarantined_count) == (7, 0)
    calls = {call["request_id"] or call["model_served"]: call for call in logs.calls()}
    assert (calls["failed"]["status"], calls["failed"]["error_class"]) == ("error", "rate_limited")
    assert (calls["failed"]["http_status"], calls["failed"]["input_tokens"]) == (429, 0)
    assert [name for name, call in calls.items() if call["is_cache_hit"]] == ["hit"]
    assert (calls["embedded"]["operation"], calls["embedded"]["embedding_tokens"]) == ("embedding", 10)
    assert calls["embedded"]["input_tokens"] is None
    assert (calls["lost"]["usage_status"], calls["lost"]["input_tokens"]) == ("missing", None)


def test_totals_that_contradict_are_quarantined(logs):
    logs.load([row(total_tokens=31), row(prompt_tokens="x"), {"startTime": "2025-01-24", "a": 1}])
    reasons = [kept["reason"] for kept in logs.quarantine()]
    assert reasons == ["counts_do_not_add_up", "bad_type: prompt_tokens", "not_a_spend_row"]
