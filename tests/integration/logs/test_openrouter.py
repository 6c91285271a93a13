from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest


def generation(**changes):
    return {
        "id": "gen-1", "request_id": "req-1", "created_at": "2026-07-15T23:33:19.433273+00:00",
        "model": "openai/gpt-4.1", "provider_name": "OpenAI", "is_byok": False, "total_cost": 0.0015, "usage": 0.0015,
        "upstream_inference_cost": None, "tokens_prompt": 90, "tokens_completion": 30, "native_tokens_prompt": 100,
        "native_tokens_completion": 25, "native_tokens_reasoning": 5, "native_tokens_cached": 40,
        "native_tokens_completion_images": 0, "latency": 1250, "generation_time": 1200, "streamed": True,
        "cancelled": False, "finish_reason": "stop", "external_user": "user-1", "app_id": 7, "api_type": "completions",
        "router": None, "service_tier": None, "data_region": "global", "provider_responses": None, **changes,
    }  # fmt: skip


def test_the_real_sample(logs, captures):
    (receipt,) = logs.ingest(captures / "log_formats/openrouter/api_generation.json")
    call = logs.call()
    assert (receipt.format, receipt.read_count, receipt.accepted_count) == ("openrouter", 1, 1)
    assert (call["input_tokens"], call["cache_read_tokens"]) == (7, 3)
    assert (call["output_tokens"], call["reasoning_tokens"]) == (20, 5)
    assert (call["service_tier"], call["cost_reported"]) == ("priority", Decimal("0.0015"))


def test_native_tokens_bill(logs):
    logs.load([generation()])
    call = logs.call()
    assert (call["provider"], call["model_served"]) == ("openrouter", "openai/gpt-4.1")
    assert (call["input_tokens"], call["cache_read_tokens"]) == (60, 40)
    assert (call["output_tokens"], call["reasoning_tokens"], call["usage_status"]) == (20, 5, "final")
    assert (call["project"], call["user_id"], call["region"]) == ("7", "user-1", "global")


def test_other_tokens_only_where_native_ones_are_missing(logs):
    none = dict.fromkeys(
        ("native_tokens_prompt", "native_tokens_completion", "native_tokens_reasoning", "native_tokens_cached")
    )
    logs.load([generation(**none)])
    call = logs.call()
    assert (call["input_tokens"], call["output_tokens"], call["usage_status"]) == (90, 30, "estimated")


def test_times_without_zone_are_utc(logs):
    logs.load([generation(created_at="2026-07-15 23:33:19.433")])
    assert logs.call()["occurred_at"] == datetime(2026, 7, 15, 23, 33, 19, 433000, tzinfo=UTC)


def test_with_ones_own_key_the_cost_is_fee_and_inference_and_the_maker_bills(logs):
    logs.load(
        [
            generation(id="both", request_id="both", is_byok=True, total_cost=0.0001, upstream_inference_cost=0.002),
            generation(id="fee", request_id="fee", is_byok=True, total_cost=0.0001),
            generation(id="vertex", request_id="vertex", is_byok=True, provider_name="Google"),
        ]
    )
    calls = {call["request_id"]: call for call in logs.calls()}
    assert (calls["both"]["provider"], calls["both"]["model_served"]) == ("openai", "gpt-4.1")
    assert calls["both"]["cost_reported"] == Decimal("0.0021")
    assert calls["fee"]["cost_reported"] is None
    assert calls["vertex"]["provider"] == "vertex"


def test_the_latency_that_is_the_time_to_the_first_token(logs):
    logs.load([generation(), generation(id="gen-2", latency=400, generation_time=2600)])
    assert sorted((call["latency_ms"], call["ttft_ms"]) for call in logs.calls()) == [(1250, None), (3000, 400)]


def test_how_it_ended(logs):
    refused = {"finish_reason": "error", "provider_responses": [{"status": 500}, {"status": 429}]}
    cases = {
        "cancelled": ({"cancelled": True}, ("cancelled", "cancelled", None)),
        "error": (refused, ("error", "rate_limited", 1)),
        "second": ({"provider_responses": [{"status": 503}, {"status": 200}]}, ("ok", None, 1)),
    }
    logs.load([generation(id=name, request_id=name, **changes) for name, (changes, _) in cases.items()])
    found = {c["request_id"]: (c["status"], c["error_class"], c["retry_count"]) for c in logs.calls()}
    assert found == {name: expected for name, (_, expected) in cases.items()}


def test_a_cached_answer_costs_nothing_and_other_kinds(logs):
    logs.load(
        [
            generation(id="1", response_cache_source_id="gen-0"),
            generation(id="2", api_type="embeddings", native_tokens_completion=0, native_tokens_reasoning=0,
                       native_tokens_cached=0),
        ]
    )  # fmt: skip
    found = {call["operation"]: call for call in logs.calls()}
    assert (found["chat"]["is_cache_hit"], found["chat"]["cost_reported"]) == (True, 0)
    assert found["embedding"]["embedding_tokens"] == 100


@pytest.mark.parametrize(
    ("name", "wrap"),
    [
        ("answers.jsonl", lambda one, two: json.dumps({"data": one}) + "\n" + json.dumps({"data": two}) + "\n"),
        ("list.json", lambda one, two: json.dumps({"data": [one, two]})),
        ("array.json", lambda one, two: json.dumps([one, two], indent=1)),
        ("lines.jsonl", lambda one, two: json.dumps(one) + "\n" + json.dumps(two) + "\n"),
    ],
)
def test_every_wrapping(logs, name, wrap):
    receipt = logs.load(wrap(generation(), generation(id="gen-2")), name)
    assert (receipt.format, receipt.read_count, receipt.accepted_count) == ("openrouter", 2, 2)


def test_what_cannot_be_taken(logs):
    logs.load([generation(native_tokens_reasoning=99), generation(created_at="soon"), {"data": {"note": 1}}])
    reasons = [row["reason"] for row in logs.quarantine()]
    assert reasons == ["counts_do_not_add_up", "bad_type: occurred_at", "not_a_generation"]
