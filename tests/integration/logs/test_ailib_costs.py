from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal


def cost(name="a", **changes):
    usage = {"model": "anthropic/claude-sonnet-4", "input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500,
             "cost_usd": 0.0105, "timestamp": "2026-03-24T08:00:00Z", **changes}  # fmt: skip
    return {"id": name, "usage": usage, "session_id": "s1"}


def test_a_record_becomes_a_call(logs):
    receipt = logs.load([cost()], "costs.jsonl")
    call = logs.call()
    assert receipt.format == "ailib_costs"
    assert call["occurred_at"] == datetime(2026, 3, 24, 8, tzinfo=UTC)
    assert (call["provider"], call["model_served"], call["session_id"]) == ("anthropic", "claude-sonnet-4", "s1")
    assert (call["input_tokens"], call["output_tokens"], call["usage_status"]) == (1000, 500, "final")
    assert (call["cost_reported"], call["status"], call["latency_ms"]) == (Decimal("0.0105"), "ok", None)


def test_zeros_say_that_nothing_is_known(logs):
    logs.load([cost(cost_usd=0.0, input_tokens=0, output_tokens=0, total_tokens=0)])
    call = logs.call()
    assert (call["cost_reported"], call["input_tokens"], call["usage_status"]) == (None, None, "missing")


def test_bad_records_are_quarantined_by_name(logs):
    receipt = logs.load([cost("ok"), cost("off", total_tokens=1), cost("late", timestamp="soon"), {"note": 1}])
    assert (receipt.accepted_count, receipt.quarantined_count) == (1, 3)
    reasons = [row["reason"] for row in logs.quarantine()]
    assert reasons == ["counts_do_not_add_up", "bad_type: occurred_at", "not_a_cost_record"]


def test_the_same_record_twice_is_one(logs):
    assert logs.load([cost(), cost()]).duplicate_count == 1
