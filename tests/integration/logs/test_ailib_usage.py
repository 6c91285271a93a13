from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest


def post(name="a", **changes):
    return {"id": name, "user_id": "velaclaw-local", "provider_id": "deepseek", "model_id": "deepseek-chat",
            "prompt_tokens": 120, "completion_tokens": 45, "cost_usd": 0.0, "timestamp": 1793527200, **changes}  # fmt: skip


def test_a_post_becomes_a_call(logs):
    receipt = logs.load([post()])
    call = logs.call()
    assert receipt.format == "ailib_usage"
    assert call["occurred_at"] == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert (call["provider"], call["model_served"], call["user_id"]) == ("deepseek", "deepseek-chat", "velaclaw-local")
    assert (call["input_tokens"], call["output_tokens"], call["reasoning_tokens"]) == (120, 45, None)
    assert (call["cost_reported"], call["cost_reported_currency"]) == (None, None)


def test_reasoning_and_the_routers_exact_cost(logs):
    logs.load([post(reasoning_tokens=40, cost_micro_usd=1234567)])
    call = logs.call()
    assert (call["output_tokens"], call["reasoning_tokens"]) == (5, 40)
    assert call["cost_reported"] == Decimal("1.234567")


def test_zeros_say_that_nothing_is_known(logs):
    logs.load([post(prompt_tokens=0, completion_tokens=0)])
    assert (logs.call()["usage_status"], logs.call()["input_tokens"]) == ("missing", None)


@pytest.mark.parametrize("wrapped", [{"data": [post("a"), post("b")]}, [post("a"), post("b")]])
def test_posts_in_an_array_or_in_data(logs, wrapped):
    receipt = logs.load(json.dumps(wrapped), "posts.json")
    assert (receipt.format, receipt.read_count, receipt.accepted_count) == ("ailib_usage", 2, 2)


def test_an_execution_record_with_a_cost_is_not_a_post(logs, ailib):
    flat = {**ailib(), **ailib()["execution_metadata"], "id": "x", "cost_usd": 0.1,
            "prompt_tokens": 1, "completion_tokens": 1}  # fmt: skip
    assert logs.load([flat]).format == "ailib"
