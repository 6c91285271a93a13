from __future__ import annotations

from datetime import UTC, datetime

import pytest


def rust(**changes):
    return {
        "timestamp": "2026-11-01T10:00:00.123Z",
        "model": "deepseek/deepseek-chat",
        "operation": "chat",
        "endpoint": "chat",
        "http_status": 200,
        "retry_count": 1,
        "duration_ms": 812,
        "first_event_ms": 210,
        "emitted_any": True,
        "client_request_id": "c1",
        "upstream_request_id": "u1",
        "error_class": None,
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        "signals": {"inflight": {"max": 8, "available": 7, "in_use": 1}},
        **changes,
    }


def test_rusts_record_becomes_a_call(logs):
    receipt = logs.load([rust()])
    call = logs.call()
    assert (receipt.format, receipt.accepted_count) == ("ailib_callstats", 1)
    assert "Rust" in receipt.detected_because
    assert call["occurred_at"] == datetime(2026, 11, 1, 10, 0, 0, 123000, tzinfo=UTC)
    assert (call["provider"], call["model_served"]) == ("deepseek", "deepseek-chat")
    assert (call["latency_ms"], call["ttft_ms"], call["is_stream"], call["retry_count"]) == (812, 210, True, 1)
    assert (call["input_tokens"], call["output_tokens"], call["status"]) == (100, 20, "ok")


@pytest.mark.parametrize("place", ["stats", "call_stats"])
def test_stats_within_an_envelope_say_the_same(logs, new_logs, place):
    logs.load([rust()])
    inner = rust()
    envelope = {"timestamp": inner.pop("timestamp"), place: inner}
    other = new_logs()
    other.load([envelope])
    same = ("input_tokens", "model_served", "latency_ms", "occurred_at", "event_id")
    assert [other.call()[name] for name in same] == [logs.call()[name] for name in same]


# usage object -> input, cache read, write 5m, write 1h, output, reasoning
USAGES = {
    "openai": (
        {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
         "prompt_tokens_details": {"cached_tokens": 40}, "completion_tokens_details": {"reasoning_tokens": 30}},
        (60, 40, None, None, 20, 30),
    ),
    "openai responses": (
        {"input_tokens": 100, "output_tokens": 50, "total_tokens": 150,
         "input_tokens_details": {"cached_tokens": 40}, "output_tokens_details": {"reasoning_tokens": 30}},
        (60, 40, None, None, 20, 30),
    ),
    "anthropic": (
        {"input_tokens": 10, "output_tokens": 50, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 100,
         "cache_creation": {"ephemeral_5m_input_tokens": 70, "ephemeral_1h_input_tokens": 30}},
        (10, 900, 70, 30, 50, None),
    ),
    "gemini": (
        {"promptTokenCount": 100, "candidatesTokenCount": 20, "thoughtsTokenCount": 30, "totalTokenCount": 150,
         "cachedContentTokenCount": 40},
        (60, 40, None, None, 20, 30),
    ),
    "deepseek": (
        {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "prompt_cache_hit_tokens": 64},
        (36, 64, None, None, 20, None),
    ),
    "cohere": ({"billed_units": {"input_tokens": 7, "output_tokens": 3}}, (7, None, None, None, 3, None)),
}  # fmt: skip


def test_every_makers_usage_is_taken_apart(logs):
    logs.load([rust(client_request_id=maker, usage=usage) for maker, (usage, _) in USAGES.items()])
    columns = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens",
               "reasoning_tokens")  # fmt: skip
    found = {call["request_id"]: tuple(call[name] for name in columns) for call in logs.calls()}
    assert found == {maker: expected for maker, (_, expected) in USAGES.items()}
    assert {call["usage_status"] for call in logs.calls()} == {"final"}


def test_unknown_usage_is_never_zero(logs):
    zero = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    logs.load([rust(client_request_id="none", usage=None), rust(client_request_id="zero", usage=zero)])
    assert {(call["usage_status"], call["input_tokens"]) for call in logs.calls()} == {("missing", None)}


def test_usage_that_contradicts_itself_or_is_none(logs):
    off = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 99}
    logs.load([rust(usage=off), rust(usage="none")])
    assert [row["reason"] for row in logs.quarantine()] == ["counts_do_not_add_up", "bad_type: usage"]


def test_failures_and_broken_streams(logs):
    failed = {"usage": None, "duration_ms": None}
    logs.load(
        [
            rust(client_request_id="before", http_status=429, error_class="rate_limited", emitted_any=False, **failed),
            rust(client_request_id="during", error_class="network", emitted_any=True, **failed),
        ]
    )
    found = {call["request_id"]: (call["status"], call["error_class"]) for call in logs.calls()}
    assert found == {"before": ("error", "rate_limited"), "during": ("stream_broken", "network")}


def test_retries_share_an_id_and_stay_apart(logs):
    tries = [rust(timestamp=f"2026-11-01T10:00:0{n}Z") for n in range(3)]
    receipt = logs.load([*tries, tries[0]])
    assert (receipt.accepted_count, receipt.duplicate_count) == (3, 1)
    assert {call["request_id"] for call in logs.calls()} == {"c1"}


def test_pythons_record(logs):
    record = {"timestamp": "2026-11-01T10:00:00Z", "client_request_id": "p1", "latency_ms": 700.5,
              "time_to_first_token_ms": None, "retry_count": 0, "model": "claude-sonnet-4-5", "provider": "anthropic",
              "endpoint": "chat", "prompt_tokens": None, "completion_tokens": None}  # fmt: skip
    counted = {**record, "client_request_id": "p2", "prompt_tokens": 12, "completion_tokens": 4}
    receipt = logs.load([record, counted])
    assert "Python" in receipt.detected_because
    calls = {call["request_id"]: call for call in logs.calls()}
    assert (calls["p1"]["provider"], calls["p1"]["latency_ms"]) == ("anthropic", 700.5)
    assert (calls["p1"]["usage_status"], calls["p1"]["input_tokens"]) == ("missing", None)
    assert (calls["p2"]["input_tokens"], calls["p2"]["output_tokens"]) == (12, 4)


def test_tracing_lines_of_failures(logs):
    def line(message, **fields):
        return {"timestamp": "2026-11-01T10:00:00Z", "level": "INFO", "target": "ai_lib_rust::client",
                "fields": {"message": message, **fields}}  # fmt: skip

    failed = line("ai-lib-rust request failed", http_status=503, error_class="overloaded", standard_code="E3002",
                  client_request_id="c9", endpoint="chat", duration_ms=31)  # fmt: skip
    receipt = logs.load([failed, line("loaded 3 manifests")])
    assert (receipt.format, receipt.accepted_count) == ("ailib_callstats", 1)
    call = logs.call()
    assert (call["error_class"], call["error_code"], call["http_status"]) == ("overloaded", "E3002", 503)
    assert (call["model_served"], call["usage_status"]) == (None, "missing")
    assert [row["reason"] for row in logs.quarantine()] == ["not_a_call"]


def test_without_a_time_it_cannot_be_placed(logs):
    record = rust()
    del record["timestamp"]
    logs.load([record])
    assert [row["reason"] for row in logs.quarantine()] == ["missing_time"]
