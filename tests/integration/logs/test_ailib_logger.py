from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipelines.errors import UnknownFormatError

HIDDEN = "***REDACTED***"


def line(**changes):
    return {
        "level": "INFO",
        "logger": "ai_lib_python.client",
        "message": "Request completed",
        "timestamp": "2026-11-23T07:00:11.398Z",
        "context": {"request_id": "req-1", "provider": "openai", "model": "gpt-4o"},
        "prompt_tokens": HIDDEN,
        "completion_tokens": HIDDEN,
        "latency_ms": 812.4,
        "status": "success",
        "cost_usd": 0.00075,
        "endpoint_key": HIDDEN,
        "author": HIDDEN,
        **changes,
    }


def test_redacted_counts_are_missing_and_never_zero(logs):
    receipt = logs.load([line()])
    call = logs.call()
    assert (receipt.format, receipt.accepted_count, receipt.quarantined_count) == ("ailib_logger", 1, 0)
    assert call["occurred_at"] == datetime(2026, 11, 23, 7, 0, 11, 398000, tzinfo=UTC)
    assert (call["provider"], call["model_served"], call["request_id"]) == ("openai", "gpt-4o", "req-1")
    assert (call["latency_ms"], call["status"], call["cost_reported"]) == (812.4, "ok", Decimal("0.00075"))
    assert call["usage_status"] == "missing"
    assert {value for name, value in call.items() if name.endswith("_tokens")} == {None}


def test_one_count_hidden_loses_them_all(logs):
    logs.load([line(prompt_tokens=10)])
    assert (logs.call()["usage_status"], logs.call()["input_tokens"]) == ("missing", None)


def test_counts_a_logger_was_let_write(logs):
    logs.load([line(prompt_tokens=10, completion_tokens=4)])
    call = logs.call()
    assert (call["input_tokens"], call["output_tokens"], call["usage_status"]) == (10, 4, "final")


def test_lines_that_are_no_calls_are_told_apart(logs):
    started = {name: line()[name] for name in ("level", "logger", "timestamp", "context")}
    receipt = logs.load([{**started, "message": "Request started"}, line()])
    assert (receipt.read_count, receipt.accepted_count, receipt.quarantined_count) == (2, 1, 1)
    assert [row["reason"] for row in logs.quarantine()] == ["not_a_call"]


def test_failures_and_a_cost_of_zero(logs):
    failed = line(level="ERROR", status="error", error_type="RateLimitError", cost_usd=0.0,
                  message="Request failed", exception="Traceback: secret words")  # fmt: skip
    logs.load([failed])
    call = logs.call()
    assert (call["status"], call["error_class"], call["cost_reported"]) == ("error", "rate_limited", None)
    assert b"secret words" not in logs.settings.database.read_bytes()


def test_attempts_of_one_request_stay_apart(logs):
    assert logs.load([line(), line(timestamp="2026-11-23T07:00:12.000Z")]).accepted_count == 2


def test_prose_is_refused_with_the_way_out(logs):
    prose = "2026-11-23 07:00:11 INFO ai_lib_python.client - Request completed\n"
    with pytest.raises(UnknownFormatError, match=r"prose.*format=\"json\""):
        logs.load(prose, "app.log")
