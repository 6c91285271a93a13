from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal


def test_a_nested_record_becomes_a_call(logs, ailib):
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "reasoning_tokens": 5,
             "cache_read_tokens": 40, "cache_creation_tokens": 10}  # fmt: skip
    receipt = logs.load([ailib(usage=usage, tenant="acme", user_id="u1", region="eu", http_status=200, stream=True)])
    call = logs.call()
    assert receipt.format == "ailib"
    assert "ExecutionMetadata" in receipt.detected_because
    assert call["occurred_at"] == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert (call["tenant"], call["user_id"], call["region"], call["is_stream"]) == ("acme", "u1", "eu", True)
    assert (call["provider"], call["model_served"], call["latency_ms"]) == ("openai", "gpt-4o-mini", 800)
    assert (call["status"], call["error_class"], call["usage_status"]) == ("ok", None, "final")
    assert (call["input_tokens"], call["cache_read_tokens"], call["cache_write_5m_tokens"]) == (50, 40, 10)
    assert (call["output_tokens"], call["reasoning_tokens"]) == (15, 5)
    assert call["cost_reported"] is None


def test_a_flat_record_and_one_under_metadata_say_the_same(logs, new_logs, ailib):
    nested = ailib()
    metadata = nested.pop("execution_metadata")
    logs.load([ailib()])
    for record in ({**nested, **metadata}, {**nested, "metadata": metadata}):
        other = new_logs()
        other.load([record])
        assert other.content() == logs.content()


def test_every_spelling_of_an_instant(logs, ailib):
    spellings = ["2026-11-01T10:00:00Z", "2026-11-01 10:00:00", "2026-11-01T12:00:00+02:00", 1793527200, 1793527200.0,
                 1793527200000, 1793527200000000, 1793527200000000000, "1793527200"]  # fmt: skip
    untimed = {name: value for name, value in ailib().items() if name != "timestamp"}
    by_spelling = [{**untimed, "request_id": f"s{n}", "ts": time} for n, time in enumerate(spellings)]
    by_field = [{**untimed, "request_id": name, name: spellings[0]} for name in ("timestamp", "time", "occurred_at")]
    assert logs.load([*by_spelling, *by_field]).accepted_count == len(spellings) + 3
    assert {call["occurred_at"] for call in logs.calls()} == {datetime(2026, 11, 1, 10, tzinfo=UTC)}


def test_without_time_is_quarantined(logs, ailib):
    record = ailib()
    del record["timestamp"]
    receipt = logs.load([record, ailib()])
    assert (receipt.read_count, receipt.accepted_count, receipt.quarantined_count) == (2, 1, 1)
    (kept,) = logs.quarantine()
    assert (kept["reason"], kept["line_number"]) == ("missing_time", 1)


def test_anthropic_counts_its_cache_beside_the_prompt(logs, ailib):
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "cache_read_tokens": 900,
             "cache_creation_tokens": 90}  # fmt: skip
    logs.load([ailib(metadata={"provider_id": "anthropic", "model_id": "claude-sonnet-4-5", "usage": usage})])
    call = logs.call()
    assert (call["input_tokens"], call["cache_read_tokens"], call["cache_write_5m_tokens"]) == (10, 900, 90)


def test_geminis_larger_total_is_its_thinking(logs, ailib):
    usage = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 130}
    logs.load([ailib(metadata={"provider_id": "gemini", "model_id": "gemini-2.5-pro", "usage": usage})])
    call = logs.call()
    assert (call["input_tokens"], call["output_tokens"], call["reasoning_tokens"]) == (10, 20, 100)
    assert (call["provider"], call["usage_status"]) == ("google", "estimated")


def test_reasoning_beside_the_completion_is_told_by_the_total(logs, ailib):
    usage = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 80, "reasoning_tokens": 50}
    logs.load([ailib(metadata={"provider_id": "xai", "model_id": "grok-4", "usage": usage})])
    call = logs.call()
    assert (call["input_tokens"], call["output_tokens"], call["reasoning_tokens"]) == (10, 20, 50)


def test_counts_that_cannot_be_taken(logs, ailib):
    cases = [
        ({"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 31}, "counts_do_not_add_up"),
        ({"prompt_tokens": 10, "completion_tokens": 20, "cache_read_tokens": 11}, "counts_do_not_add_up"),
        ({"prompt_tokens": 10, "completion_tokens": 20, "reasoning_tokens": 21}, "counts_do_not_add_up"),
        ({"prompt_tokens": "many", "completion_tokens": 20}, "bad_type: prompt_tokens"),
        ({"prompt_tokens": 10.5, "completion_tokens": 20}, "bad_type: prompt_tokens"),
        ({"prompt_tokens": {"n": 1}, "completion_tokens": 20}, "bad_type: prompt_tokens"),
        ({"prompt_tokens": True, "completion_tokens": 20}, "bad_type: prompt_tokens"),
        ({"prompt_tokens": float("nan"), "completion_tokens": 20}, "bad_type: prompt_tokens"),
        ({"prompt_tokens": float("inf"), "completion_tokens": 20}, "bad_type: prompt_tokens"),
        ({"prompt_tokens": -1, "completion_tokens": 20}, "out_of_range: prompt_tokens"),
        ({"prompt_tokens": 10**30, "completion_tokens": 20}, "out_of_range: prompt_tokens"),
        ({"prompt_tokens": 1, "completion_tokens": 1e300}, "out_of_range: completion_tokens"),
        (5, "bad_type: usage"),
        ([1], "bad_type: usage"),
    ]
    receipt = logs.load([ailib(usage=usage) for usage, _ in cases])
    assert (receipt.accepted_count, receipt.quarantined_count) == (0, len(cases))
    assert [row["reason"] for row in logs.quarantine()] == [reason for _, reason in cases]


def test_other_fields_that_cannot_be_taken(logs, ailib):
    cases = [
        ({"timestamp": "soon"}, "bad_type: occurred_at"),
        ({"timestamp": "infinity"}, "bad_type: occurred_at"),
        ({"timestamp": "294247-01-10"}, "out_of_range: occurred_at"),
        ({"timestamp": -5}, "bad_type: occurred_at"),
        ({"timestamp": 1e300}, "bad_type: occurred_at"),
        ({"timestamp": 10**28}, "bad_type: occurred_at"),
        ({"timestamp": 5}, "out_of_range: occurred_at"),
        ({"attempt": 10**9}, "out_of_range: attempt"),
        ({"cost_usd": "free"}, "bad_type: cost_reported"),
        ({"cost_usd": -1}, "out_of_range: cost_reported"),
        ({"metadata": {"execution_latency_ms": "slow"}}, "bad_type: latency_ms"),
    ]
    logs.load([ailib(**changes) for changes, _ in cases])
    assert [row["reason"] for row in logs.quarantine()] == [reason for _, reason in cases]


def test_unknown_usage_is_null_and_never_zero(logs, ailib):
    cases = [
        ({"usage": None}, "missing"),
        ({"usage": {}}, "missing"),
        ({"usage": {"prompt_tokens": "***REDACTED***", "completion_tokens": "***REDACTED***"}}, "missing"),
        ({"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}}, "missing"),
        (
            {"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, "usage_status": "unsupported"},
            "unsupported",
        ),
        ({"usage_status": "pending"}, "missing"),
    ]
    logs.load([ailib(request_id=str(n), **changes) for n, (changes, _) in enumerate(cases)])
    calls = {call["request_id"]: call for call in logs.calls()}
    assert [calls[str(n)]["usage_status"] for n in range(len(cases))] == [status for _, status in cases]
    assert {value for call in calls.values() for name, value in call.items() if name.endswith("_tokens")} == {None}


def test_error_classes(logs, ailib):
    cases = [
        ({"metadata": {"error_code": "E2001"}}, ("error", "rate_limited")),
        ({"metadata": {"error_code": "E4002"}}, ("cancelled", "cancelled")),
        ({"metadata": {"error_code": "E7777"}, "http_status": 529}, ("error", "overloaded")),
        ({"http_status": 429}, ("error", "rate_limited")),
        ({"http_status": 402}, ("error", "quota_exhausted")),
        ({"http_status": 418}, ("error", "invalid_request")),
        ({"http_status": 502}, ("error", "server_error")),
        ({"http_status": 499}, ("cancelled", "cancelled")),
        ({"error_class": "RATE_LIMIT"}, ("error", "rate_limited")),
        ({"error_class": "CONTEXT_TOO_LONG"}, ("error", "context_length")),
        ({"error_class": "insufficient_quota", "http_status": 429}, ("error", "quota_exhausted")),
        ({"error_class": "http_error", "http_status": 503}, ("error", "overloaded")),
        ({"error_class": "mystery"}, ("error", "unknown")),
        ({"http_status": 200}, ("ok", None)),
    ]
    logs.load([ailib(request_id=str(n), **changes) for n, (changes, _) in enumerate(cases)])
    found = {call["request_id"]: (call["status"], call["error_class"]) for call in logs.calls()}
    assert [found[str(n)] for n in range(len(cases))] == [expected for _, expected in cases]


def test_providers_and_prefixes(logs, ailib):
    cases = [
        ("gemini", "gemini-2.5-pro", ("google", "gemini", "gemini-2.5-pro")),
        ("generic", "deepseek-chat", (None, "generic", "deepseek-chat")),
        ("generic", "deepseek/deepseek-chat", ("deepseek", "generic", "deepseek-chat")),
        ("openrouter", "anthropic/claude-3.5-sonnet", ("openrouter", "openrouter", "anthropic/claude-3.5-sonnet")),
        ("nvidia", "nvidia/deepseek-ai/deepseek-v4", ("nvidia", "nvidia", "deepseek-ai/deepseek-v4")),
        ("acme", "acme/gpt-4o", (None, "acme", "acme/gpt-4o")),
    ]
    logs.load([ailib(request_id=str(n), metadata={"provider_id": provider, "model_id": model})
               for n, (provider, model, _) in enumerate(cases)])  # fmt: skip
    found = {c["request_id"]: (c["provider"], c["provider_reported"], c["model_served"]) for c in logs.calls()}
    assert [found[str(n)] for n in range(len(cases))] == [expected for *_, expected in cases]


def test_a_cost_of_zero_was_not_computed(logs, ailib):
    logs.load([ailib(cost_usd=0.0), ailib(request_id="r2", cost_usd=0.00022500000000000002)])
    assert [call["cost_reported"] for call in logs.calls()].count(None) == 1
    assert Decimal("0.000225000000000000") in [call["cost_reported"] for call in logs.calls()]


def test_colliding_gemini_ids_and_empty_ids_are_not_identities(logs, ailib):
    same = [
        ailib(request_id=name, metadata={"execution_latency_ms": n}) for name in ("gemini-1793", "") for n in (1, 2)
    ]
    receipt = logs.load(same)
    assert receipt.accepted_count == 4


def test_attempts_of_one_request_stay_apart(logs, ailib):
    start = datetime(2026, 11, 1, tzinfo=UTC)
    tries = [ailib(timestamp=(start + timedelta(seconds=n)).isoformat()) for n in range(2)]
    numbered = [ailib(request_id="r2", attempt=n) for n in (1, 2)]
    assert logs.load([*tries, *numbered]).accepted_count == 4
    assert sorted(call["attempt"] for call in logs.calls()) == [1, 1, 1, 2]


def test_secrets_are_masked_before_anything_is_written(logs, ailib):
    key = "sk-proj-" + "a1B2" * 8
    logs.load([ailib(user_id="Ann.Lee@example.com", session_id=f"call with {key}", tags=["x", "bob@example.org asked"],
                     api_key_id=key)])  # fmt: skip
    call = logs.call()
    assert call["user_id"].startswith("email:")
    assert call["session_id"] == "call with <key>"
    assert call["tags"] == ["x", "<email> asked"]
    assert call["api_key_id"].startswith("key:")
    everything = logs.settings.database.read_bytes()
    assert b"example.com" not in everything
    assert key.encode() not in everything
