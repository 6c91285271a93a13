from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

NOBODY = "00000000-0000-0000-0000-000000000000"


def request(**changes):
    return {
        "response_id": "0f6c",
        "response_created_at": "2026-05-04T10:00:02.345Z",
        "response_status": 200,
        "response_model": "gpt-4o-2024-08-06",
        "request_id": "r1",
        "request_created_at": "2026-05-04T10:00:00.000Z",
        "request_body": {"model": "gpt-4o", "stream": True, "messages": [{"content": "a secret question"}]},
        "request_path": "https://api.openai.com/v1/chat/completions",
        "request_user_id": "user-42",
        "request_properties": {"Team": "search", "Environment": "prod", "Helicone-Session-Id": "s1"},
        "request_model": "gpt-4o",
        "provider": "OPENAI",
        "delay_ms": 2345,
        "time_to_first_token": 310,
        "total_tokens": 1280,
        "prompt_tokens": 1200,
        "prompt_cache_write_tokens": 0,
        "prompt_cache_read_tokens": 0,
        "completion_tokens": 80,
        "costUSD": 0.00247,
        "cache_reference_id": NOBODY,
        "cache_enabled": False,
        **changes,
    }


def own_row(**changes):
    """A row of Helicone's own table, as its query export gives it."""
    return {
        "response_id": "0f6c", "request_id": "r1", "request_created_at": "2026-05-04 10:00:00.000", "status": 200,
        "latency": 2345, "model": "gpt-4o", "provider": "OPENAI", "user_id": "user-42", "prompt_tokens": 1200,
        "completion_tokens": 80, "prompt_cache_read_tokens": 0, "cost": 2470000, "properties": {"Team": "search"},
        "cache_reference_id": NOBODY, **changes,
    }  # fmt: skip


def test_the_real_sample(logs, captures):
    (receipt,) = logs.ingest(captures / "log_formats/helicone/request_row_constructed.json")
    call = logs.call()
    assert (receipt.format, receipt.read_count, receipt.accepted_count) == ("helicone", 1, 1)
    assert (call["input_tokens"], call["cache_read_tokens"], call["output_tokens"]) == (176, 1024, 80)
    assert (call["usage_status"], call["cost_reported"]) == ("final", Decimal("0.00247"))


def test_a_request_becomes_a_call_without_content(logs):
    logs.load([request()])
    call = logs.call()
    assert call["occurred_at"] == datetime(2026, 5, 4, 10, tzinfo=UTC)
    assert (call["latency_ms"], call["ttft_ms"], call["is_stream"]) == (2345, 310, True)
    assert (call["provider"], call["model_requested"], call["model_served"]) == (
        "openai", "gpt-4o", "gpt-4o-2024-08-06")  # fmt: skip
    assert (call["team"], call["environment"], call["session_id"]) == ("search", "prod", "s1")
    assert "Team=search" in call["tags"]
    assert b"secret question" not in logs.settings.database.read_bytes()


def test_its_own_table_counts_cost_in_billionths(logs):
    logs.load([own_row()])
    call = logs.call()
    assert (call["cost_reported"], call["latency_ms"], call["http_status"]) == (Decimal("0.00247"), 2345, 200)
    assert (call["user_id"], call["model_served"]) == ("user-42", "gpt-4o")


def test_the_apis_cost_is_in_dollars_and_zero_was_not_computed(logs):
    in_dollars = request(request_id="api", cost=0.00247)
    del in_dollars["costUSD"]
    logs.load([in_dollars, request(request_id="none", costUSD=0), request(request_id="tiny", costUSD=1e-06)])
    found = {call["request_id"]: call["cost_reported"] for call in logs.calls()}
    assert found == {"api": Decimal("0.00247"), "none": None, "tiny": Decimal("0.000001")}


def test_a_cached_answer_costs_nothing(logs):
    hit = request(request_id="hit", cache_reference_id="f3f1c7c5-2f6f-4c7b-8d86-1a2f1f8c5b01", cache_enabled=True)
    logs.load(
        [hit, request(request_id="enabled", cache_enabled=True), request(request_id="unset", cache_reference_id="")]
    )
    found = {call["request_id"]: (call["is_cache_hit"], call["cost_reported"]) for call in logs.calls()}
    assert found == {"hit": (True, Decimal(0)), "enabled": (False, Decimal("0.00247")),
                     "unset": (False, Decimal("0.00247"))}  # fmt: skip


def test_whether_the_prompt_counts_the_cache(logs):
    cached = {"prompt_cache_read_tokens": 1024}
    body = {"response_body": {"usage": {"prompt_tokens": 1200, "completion_tokens": 80}}}
    cases = {
        "body: within": (request(**cached, **body), (176, "final")),
        "body: beside": (request(**cached, **body, prompt_tokens=176, total_tokens=256), (176, "final")),
        "body as text": (request(**cached, response_body=json.dumps(body["response_body"])), (176, "final")),
        "larger than the prompt": (request(**cached, prompt_tokens=100, total_tokens=180), (100, "final")),
        "anthropic": (request(**cached, provider="ANTHROPIC"), (1200, "final")),
        "nothing tells": (request(**cached), (176, "estimated")),
        "no cache": (request(), (1200, "final")),
    }
    logs.load([{**record, "request_id": name} for name, (record, _) in cases.items()])
    assert logs.quarantine() == []
    found = {call["request_id"]: (call["input_tokens"], call["usage_status"]) for call in logs.calls()}
    assert found == {name: expected for name, (_, expected) in cases.items()}


def test_reasoning_beside_the_completion_is_told_by_the_total(logs):
    logs.load([request(reasoning_tokens=50, total_tokens=1330)])
    assert (logs.call()["output_tokens"], logs.call()["reasoning_tokens"]) == (80, 50)


def test_nobody_counted(logs):
    uncounted = {"prompt_tokens": -1, "completion_tokens": -1, "total_tokens": -1}
    zeros = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    logs.load([request(request_id="a", **uncounted), request(request_id="b", **zeros)])
    assert {(call["usage_status"], call["input_tokens"]) for call in logs.calls()} == {("missing", None)}


def test_statuses(logs):
    cases = {
        429: ("error", "rate_limited", 429),
        -3: ("cancelled", "cancelled", None),
        -4: ("error", "content_filter", None),
        -2: ("stream_broken", "network", None),
    }
    none = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    logs.load([request(request_id=str(status), response_status=status, **none) for status in cases])
    found = {int(c["request_id"]): (c["status"], c["error_class"], c["http_status"]) for c in logs.calls()}
    assert found == cases


def test_a_later_version_replaces_the_earlier(logs):
    pending = request(response_status=-2, updated_at="2026-05-04T10:00:01Z", prompt_tokens=0, completion_tokens=0,
                      total_tokens=0)  # fmt: skip
    done = request(updated_at="2026-05-04T10:00:03Z")
    receipt = logs.load([done, pending])
    assert (receipt.accepted_count, receipt.duplicate_count) == (1, 1)
    assert logs.call()["status"] == "ok"


def test_pages_of_the_api(logs):
    document = {"data": [request(request_id="1"), request(request_id="2")], "error": None}
    assert logs.load(json.dumps(document), "page.json").read_count == 2


def test_csv_of_the_export_tool(logs):
    columns = [name for name in request() if name not in ("request_body", "request_properties")]
    values = ["" if request()[name] is None else str(request()[name]) for name in columns]
    receipt = logs.load(",".join(columns) + "\n" + ",".join(values) + "\n", "export.csv")
    assert (receipt.format, receipt.accepted_count) == ("helicone", 1)
    assert (logs.call()["input_tokens"], logs.call()["latency_ms"]) == (1200, 2345)


def test_what_cannot_be_taken(logs):
    logs.load([request(total_tokens=5), request(prompt_tokens="x"), {"provider": "OPENAI"}])
    reasons = [row["reason"] for row in logs.quarantine()]
    assert reasons == ["counts_do_not_add_up", "bad_type: prompt_tokens", "not_a_request"]
