from __future__ import annotations

import base64
import json
import struct
from datetime import UTC, datetime
from decimal import Decimal

import pytest

TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"


def attributes(said):
    kinds = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}
    return [
        {"key": name, "value": {kinds[type(value)]: str(value) if type(value) is int else value}}
        for name, value in said.items()
    ]


CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.response.model": "gpt-5-2025-08-07",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
}


def span(said=CHAT, *, number=0, **changes):
    return {
        "traceId": TRACE,
        "spanId": f"{int(SPAN, 16) + number:016x}",
        "startTimeUnixNano": str(1782864000000000000 + number * 10**9),
        "endTimeUnixNano": str(1782864002345000000 + number * 10**9),
        "attributes": attributes(said),
        "status": {},
        **changes,
    }


def request(*spans, resource=None):
    scopes = [{"scope": {"name": "test"}, "spans": [one]} for one in spans]
    return {"resourceSpans": [{"resource": {"attributes": attributes(resource or {})}, "scopeSpans": scopes}]}


def test_the_constructed_sample(logs, captures):
    (receipt,) = logs.ingest(captures / "log_formats/otel/otlp_genai_constructed.json")
    assert (receipt.format, receipt.read_count, receipt.accepted_count) == ("otlp", 4, 4)
    openai, anthropic, limited, legacy = logs.calls()
    assert (openai["input_tokens"], openai["cache_read_tokens"]) == (3000, 9000)
    assert (openai["output_tokens"], openai["reasoning_tokens"]) == (288, 512)
    assert (openai["latency_ms"], openai["ttft_ms"], openai["service_tier"]) == (2345, 412, "flex")
    assert (openai["tenant"], openai["environment"], openai["user_id"]) == ("acme", "prod", "u-1")
    assert (anthropic["input_tokens"], anthropic["cache_read_tokens"]) == (200, 4000)
    assert (anthropic["cache_write_5m_tokens"], anthropic["output_tokens"]) == (2000, 350)
    assert (limited["status"], limited["error_class"], limited["http_status"]) == ("error", "rate_limited", 429)
    assert (legacy["provider"], legacy["input_tokens"], legacy["output_tokens"]) == ("openai", 100, 20)


def test_the_copilot_sample_counts_parts_beside_the_whole(logs, captures):
    (receipt,) = logs.ingest(captures / "log_formats/otel/otlp_copilot_span.json")
    assert (receipt.format, receipt.accepted_count) == ("otlp", 1)
    call = logs.call()
    assert (call["provider"], call["model_served"], call["session_id"]) == ("github", "gpt-5-resolved", "window-1")
    assert (call["input_tokens"], call["cache_read_tokens"], call["cache_write_5m_tokens"]) == (11, 17, 19)
    assert (call["output_tokens"], call["reasoning_tokens"]) == (13, 23)


@pytest.mark.parametrize(
    "said",
    [
        {
            "gen_ai.provider.name": "anthropic", "gen_ai.operation.name": "chat", "gen_ai.request.model": "claude",
            "gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 60,
            "gen_ai.usage.cache_creation.input_tokens": 30, "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.reasoning.output_tokens": 15,
        },
        {
            "gen_ai.system": "Anthropic", "llm.request.type": "chat", "gen_ai.request.model": "claude",
            "gen_ai.usage.prompt_tokens": 100, "gen_ai.usage.cache_read_tokens": 60,
            "gen_ai.usage.cache_creation_input_tokens": 30, "gen_ai.usage.completion_tokens": 20,
            "gen_ai.usage.reasoning_tokens": 15, "llm.usage.total_tokens": 120,
        },
        {
            "llm.system": "anthropic", "openinference.span.kind": "LLM", "llm.model_name": "claude",
            "llm.token_count.prompt": 100, "llm.token_count.prompt_details.cache_read": 60,
            "llm.token_count.prompt_details.cache_write": 30, "llm.token_count.completion": 20,
            "llm.token_count.completion_details.reasoning": 15, "llm.token_count.total": 120,
        },
    ],
    ids=["current", "older", "openinference"],
)  # fmt: skip
def test_three_conventions_say_the_same(logs, said):
    logs.load([request(span(said))])
    call = logs.call()
    assert (call["provider"], call["model_served"], call["operation"]) == ("anthropic", "claude", "chat")
    assert (call["input_tokens"], call["cache_read_tokens"], call["cache_write_5m_tokens"]) == (10, 60, 30)
    assert (call["output_tokens"], call["reasoning_tokens"], call["usage_status"]) == (5, 15, "final")
    assert call["occurred_at"] == datetime(2026, 7, 1, tzinfo=UTC)


def test_usage_repeated_by_parents_is_counted_once(logs):
    usage = {name: value for name, value in CHAT.items() if ".usage." in name}
    around = [
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "openai"} | usage,
        {"gen_ai.operation.name": "execute_tool"},
        {"openinference.span.kind": "AGENT", "llm.model_name": "gpt-5", "llm.token_count.prompt": 100},
        {"openinference.span.kind": "CHAIN", **CHAT},
        {"model_name": "gpt-5", "gen_ai.agent.name": "a summary without a provider", **usage},
        {"http.request.method": "POST", "server.address": "api.openai.com"},
    ]
    parents = [span(said, number=number) for number, said in enumerate(around, start=1)]
    wrapping = span(number=20, spanId="aa" * 8)
    wrapped = span(number=21, parentSpanId="aa" * 8)
    receipt = logs.load([request(*parents, span()), request(*parents), request(wrapping, wrapped)])
    assert (receipt.read_count, receipt.accepted_count, receipt.quarantined_count) == (2, 2, 0)
    assert "passed over" in receipt.detected_because
    calls = logs.calls()
    assert [call["input_tokens"] for call in calls] == [100, 100]
    assert calls[1]["occurred_at"] == datetime(2026, 7, 1, 0, 0, 21, tzinfo=UTC)


def test_a_collectors_whole_output_and_what_is_none(logs):
    receipt = logs.load(
        [
            {"resourceMetrics": []},
            {"resourceLogs": [{"scopeLogs": []}]},
            {"resourceSpans": []},
            request(span({"http.request.method": "GET"})),
            request(span()),
            request(),
            {"something": "else"},
            request(span(CHAT | {"gen_ai.operation.name": "dream"})),
            request(span(CHAT | {"gen_ai.usage.input_tokens": "many"})),
            request(span(startTimeUnixNano="0")),
        ]
    )
    assert (receipt.read_count, receipt.accepted_count) == (6, 1)
    assert [(row["line_number"], row["reason"]) for row in logs.quarantine()] == [
        (6, "no_records"),
        (7, "no_records"),
        (8, "unknown_operation"),
        (9, "bad_type: prompt_tokens"),
        (10, "out_of_range: occurred_at"),
    ]


def test_ids_in_either_writing_are_one_and_missing_ids_are_told_apart(logs):
    in_base64 = span(
        traceId=base64.b64encode(bytes.fromhex(TRACE)).decode(), spanId=base64.b64encode(bytes.fromhex(SPAN)).decode()
    )
    upper = span(traceId=TRACE.upper())
    without = span()
    del without["spanId"]
    receipt = logs.load([request(span()), request(in_base64), request(upper), request(without, without)])
    assert (receipt.read_count, receipt.accepted_count, receipt.duplicate_count) == (5, 3, 2)


def test_failures_hosts_costs_and_missing_usage(logs):
    spans = {
        "timeout": CHAT | {"error.type": "openai.APITimeoutError"},
        "status": CHAT,
        "cancelled": CHAT | {"error.type": "CancelledError"},
        "azure": CHAT | {"server.address": "mine.openai.azure.com"},
        "bedrock": CHAT
        | {"gen_ai.provider.name": "aws.bedrock", "server.address": "bedrock-runtime.eu-west-1.amazonaws.com"},
        "embedded": {**CHAT, "gen_ai.operation.name": "embeddings", "gen_ai.usage.output_tokens": 0},
        "zeros": CHAT | {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0},
        "cost": CHAT | {"operation.cost": 0.0004095, "gen_ai.conversation.id": "c", "gen_ai.response.id": "resp"},
    }
    made = [
        span(said | {"session.id": name}, number=number, status={"code": 2} if name == "status" else {})
        for number, (name, said) in enumerate(spans.items())
    ]
    logs.load([request(*made, resource={"service.name": "shop", "session.id": "of the resource"})])
    calls = {call["session_id"]: call for call in logs.calls()}
    assert (calls["timeout"]["status"], calls["timeout"]["error_class"]) == ("error", "timeout")
    assert (calls["status"]["status"], calls["status"]["error_class"]) == ("error", "unknown")
    assert calls["cancelled"]["status"] == "cancelled"
    assert (calls["azure"]["provider"], calls["azure"]["project"]) == ("azure", "shop")
    assert (calls["bedrock"]["provider"], calls["bedrock"]["region"]) == ("bedrock", "eu-west-1")
    assert (calls["embedded"]["operation"], calls["embedded"]["embedding_tokens"]) == ("embedding", 100)
    assert (calls["zeros"]["usage_status"], calls["zeros"]["input_tokens"]) == ("missing", None)
    assert (calls["c"]["cost_reported"], calls["c"]["request_id"]) == (Decimal("0.0004095"), "resp")


def test_what_was_said_is_not_kept(logs):
    said = {"gen_ai.input.messages": "my diagnosis", "input.value": "my diagnosis"}
    logs.load([request(span(CHAT | said | {"gen_ai.usage.input_tokens": "many"}))])
    assert "diagnosis" not in logs.quarantine()[0]["raw"]


def _varint(number):
    found = b""
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


@pytest.fixture
def encoded():
    """Requests in protobuf, in each framing."""
    service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    from google.protobuf.json_format import ParseDict

    def in_base64(one):
        for name in ("traceId", "spanId"):
            one[name] = base64.b64encode(bytes.fromhex(one[name])).decode()
        return one

    def encode(framing, *spans):
        messages = [
            ParseDict(request(in_base64(one)), service.ExportTraceServiceRequest()).SerializeToString() for one in spans
        ]
        if framing == "posted":  # requests one after another are one request
            return b"".join(messages)
        prefix = _varint if framing == "varint" else struct.Struct(">I").pack
        return b"".join(prefix(len(message)) + message for message in messages)

    return encode


@pytest.mark.parametrize("framing", ["posted", "varint", "fixed"])
def test_protobuf_says_what_json_says(logs, new_logs, encoded, framing):
    spans = [span(CHAT | {"note": "\n" * number}, number=number) for number in range(5)]
    logs.load([request(*spans)])
    other = new_logs()
    receipt = other.load(encoded(framing, *(dict(one) for one in spans)), "spans.bin")
    assert (receipt.format, receipt.read_count, receipt.accepted_count) == ("otlp", 5, 5)
    assert other.content() == logs.content()
    cut = new_logs()
    receipt = cut.load(encoded(framing, *(dict(one) for one in spans))[:-30], "spans.bin")
    assert (receipt.read_count, receipt.accepted_count, receipt.quarantined_count) == (5, 4, 1)
    assert cut.quarantine()[0]["reason"] == "malformed_json"


def test_text_is_not_taken_for_protobuf(logs):
    blanks = "\n\n\n" + json.dumps(request(span())) + "\n\n"
    assert logs.load(blanks).accepted_count == 1
