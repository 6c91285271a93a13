from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

KEY_HASH = "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b"


def payload(**changes):
    metadata = {"user_api_key_hash": KEY_HASH, "user_api_key_alias": "ci", "user_api_key_org_id": "org1",
                "user_api_key_team_id": "t1", "user_api_key_team_alias": "Search", "user_api_key_user_id": "u1",
                "user_api_key_end_user_id": None, "usage_object": None, **changes.pop("metadata", {})}  # fmt: skip
    return {
        "id": "chatcmpl-1",
        "trace_id": "trace-1",
        "call_type": "acompletion",
        "cache_hit": None,
        "stream": True,
        "status": "success",
        "custom_llm_provider": "openai",
        "saved_cache_cost": 0.0,
        "startTime": 1737710446.847371,
        "endTime": 1737710448.847371,
        "completionStartTime": 1737710447.347371,
        "response_time": 0.5,
        "model": "gpt-4o",
        "model_group": "fast",
        "metadata": metadata,
        "response_cost": 0.00022500000000000002,
        "cost_breakdown": None,
        "total_tokens": 30,
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "request_tags": ["a", "b"],
        "end_user": "",
        "messages": [{"role": "user", "content": "a secret question"}],
        "response": {"id": "chatcmpl-1", "model": "gpt-4o-2024-08-06", "choices": [{"message": {"content": "hush"}}]},
        "hidden_params": {"litellm_model_name": "gpt-4o", "usage_object": None},
        "error_str": None,
        "error_information": {"error_code": "", "error_class": "", "traceback": "", "error_message": ""},
        "response_cost_failure_debug_info": None,
        **changes,
    }


def test_the_real_sample(logs, captures):
    (receipt,) = logs.ingest(captures / "log_formats/litellm/standard_logging_payload.json")
    call = logs.call()
    assert (receipt.format, receipt.read_count, receipt.accepted_count) == ("litellm_payload", 1, 1)
    assert call["occurred_at"] == datetime(2025, 1, 24, 9, 20, 46, 847371, tzinfo=UTC)
    assert (call["input_tokens"], call["output_tokens"], call["latency_ms"]) == (10, 20, 4.583)
    assert (call["cost_reported"], call["is_stream"]) == (Decimal("0.000225000000000000"), True)


def test_a_payload_becomes_a_call_without_content(logs):
    logs.load([payload()])
    call = logs.call()
    assert (call["request_id"], call["model_requested"], call["model_served"]) == (
        "trace-1", "fast", "gpt-4o-2024-08-06")  # fmt: skip
    assert (call["tenant"], call["team"], call["user_id"], call["api_key_id"]) == ("org1", "Search", "u1", KEY_HASH)
    assert (call["latency_ms"], call["ttft_ms"], call["tags"]) == (2000, 500, ["a", "b"])
    written = logs.settings.database.read_bytes()
    assert b"secret question" not in written
    assert b"hush" not in written


def test_epoch_and_text_are_one_instant_and_one_identity(logs):
    as_text = {"startTime": "2025-01-24 09:20:46.847371", "endTime": "2025-01-24 09:20:48.847371",
               "completionStartTime": "2025-01-24 09:20:47.347371"}  # fmt: skip
    assert logs.load([payload(), payload(**as_text)]).duplicate_count == 1


def test_batches_in_every_wrapping_say_the_same(logs, new_logs):
    one, two, three = payload(id="1"), payload(id="2"), payload(id="3")
    logs.load([one, two, three])
    for name, content in (
        ("array.json", json.dumps([one, two, three])),
        ("batches.jsonl", json.dumps([one, two]) + "\n" + json.dumps([three]) + "\n"),
        ("data.json", json.dumps({"data": [one, two, three]}, indent=1)),
        ("nested.jsonl", [{"standard_logging_object": each} for each in (one, two, three)]),
    ):
        other = new_logs()
        receipt = other.load(content, name)
        assert (receipt.format, receipt.read_count) == ("litellm_payload", 3), name
        assert other.content() == logs.content(), name


def test_attempts_of_a_trace_are_one_request(logs):
    failed = payload(id="call-1", status="failure", startTime=1737710440.0, prompt_tokens=0, completion_tokens=0,
                     total_tokens=0, response_cost=0,
                     error_information={"error_code": "429", "error_class": "RateLimitError"})  # fmt: skip
    again = {**failed, "startTime": 1737710443.0}
    receipt = logs.load([failed, again, payload()])
    assert receipt.accepted_count == 3
    calls = logs.calls()
    assert {call["request_id"] for call in calls} == {"trace-1"}
    assert [(call["status"], call["error_class"], call["http_status"]) for call in calls] == [
        ("error", "rate_limited", 429), ("error", "rate_limited", 429), ("ok", None, None)]  # fmt: skip


USAGE = {
    "prompt_tokens_details": {
        "cached_tokens": 600,
        "cache_creation_tokens": 300,
        "cache_creation_token_details": {"ephemeral_1h_input_tokens": 100},
        "audio_tokens": 5,
    },
    "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 5},
    "service_tier": "flex",
}


@pytest.mark.parametrize(
    "place",
    [{"metadata": {"usage_object": USAGE}}, {"hidden_params": {"usage_object": USAGE}}, {"response": {"usage": USAGE}}],
)
def test_the_prompt_includes_the_cache_wherever_the_details_are(logs, place):
    logs.load([payload(prompt_tokens=1000, completion_tokens=50, total_tokens=1050, **place)])
    call = logs.call()
    assert (call["input_tokens"], call["cache_read_tokens"], call["input_audio_tokens"]) == (95, 600, 5)
    assert (call["cache_write_5m_tokens"], call["cache_write_1h_tokens"]) == (200, 100)
    assert (call["output_tokens"], call["reasoning_tokens"], call["output_audio_tokens"]) == (15, 30, 5)
    assert call["service_tier"] == "flex"


def test_costs(logs):
    cases = {
        "plain": ({}, Decimal("0.000225")),
        "broken down": ({"response_cost": None, "cost_breakdown": {"total_cost": 0.5}}, Decimal("0.5")),
        "not computed": ({"response_cost": 0, "response_cost_failure_debug_info": {"error_str": "unmapped"}}, None),
        "hit": ({"response_cost": 0.1, "cache_hit": True}, Decimal(0)),
    }
    logs.load([payload(id=name, trace_id=name, **changes) for name, (changes, _) in cases.items()])
    found = {call["request_id"]: call["cost_reported"] for call in logs.calls()}
    assert found == {name: expected for name, (_, expected) in cases.items()}
    assert [call["request_id"] for call in logs.calls() if call["is_cache_hit"]] == ["hit"]


def test_a_guardrail_and_a_disconnect(logs):
    none = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "status": "failure"}
    logs.load(
        [
            payload(trace_id="stopped", id="1", status_fields={"guardrail_status": "guardrail_intervened"}, **none),
            payload(trace_id="gone", id="2", error_information={"error_code": "499"}, **none),
        ]
    )
    found = {call["request_id"]: (call["status"], call["error_class"]) for call in logs.calls()}
    assert found == {"stopped": ("error", "content_filter"), "gone": ("cancelled", "cancelled")}


def test_what_cannot_be_taken(logs):
    logs.load([payload(total_tokens=31), payload(startTime="soon"), {"startTime": 1, "id": "x"}])
    reasons = [row["reason"] for row in logs.quarantine()]
    assert reasons == ["counts_do_not_add_up", "bad_type: occurred_at", "not_a_payload"]


def test_a_damaged_line_among_batches_is_kept_by_its_line(logs):
    batch = json.dumps([payload(id="1"), payload(id="2")])
    receipt = logs.load(f"{batch}\n{batch[:100]}\n{json.dumps([payload(id='3')])}\n")
    assert (receipt.read_count, receipt.accepted_count, receipt.quarantined_count) == (4, 3, 1)
    (kept,) = logs.quarantine()
    assert (kept["reason"], kept["line_number"]) == ("malformed_json", 2)


def test_zeros_of_a_success_are_unknown(logs):
    logs.load([payload(prompt_tokens=0, completion_tokens=0, total_tokens=0)])
    assert (logs.call()["usage_status"], logs.call()["input_tokens"]) == ("missing", None)
