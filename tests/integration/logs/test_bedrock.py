from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

SONNET = "anthropic.claude-sonnet-4-20250514-v1:0"
METRICS = "amazon-bedrock-invocationMetrics"


def invocation(**changes):
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": "2026-01-15T12:00:00Z",
        "accountId": "123456789012",
        "region": "us-east-1",
        "requestId": "q1",
        "operation": "Converse",
        "modelId": SONNET,
        "identity": {"arn": "arn:aws:sts::123456789012:assumed-role/Role/ann@example.com"},
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": {"messages": [{"content": [{"text": "a secret question"}]}]},
            "inputTokenCount": 100,
            "cacheReadInputTokenCount": 900,
            "cacheWriteInputTokenCount": 50,
        },
        "output": {
            "outputBodyJson": {
                "output": {"message": {"content": [{"text": "hush"}]}},
                "metrics": {"latencyMs": 3640},
                "usage": {"inputTokens": 100, "outputTokens": 40, "totalTokens": 1090},
            },
            "outputTokenCount": 40,
        },
        **changes,
    }


def test_the_real_samples(logs, captures):
    (receipt,) = logs.ingest(captures / "log_formats/aws/bedrock_invocation_log.jsonl")
    assert (receipt.format, receipt.read_count, receipt.accepted_count) == ("bedrock", 2, 2)
    found = {call["status"]: call for call in logs.calls()}
    assert (found["ok"]["input_tokens"], found["ok"]["output_tokens"], found["ok"]["is_stream"]) == (1500, 500, True)
    assert (found["ok"]["region"], found["ok"]["team"]) == ("ap-southeast-2", "engineering")
    assert (found["error"]["model_served"], found["error"]["error_class"]) == (SONNET, "rate_limited")


def test_input_leaves_the_cache_out_and_no_content_is_kept(logs):
    logs.load([invocation()])
    call = logs.call()
    assert call["occurred_at"] == datetime(2026, 1, 15, 12, tzinfo=UTC)
    assert (call["input_tokens"], call["cache_read_tokens"], call["cache_write_5m_tokens"]) == (100, 900, 50)
    assert (call["output_tokens"], call["usage_status"], call["latency_ms"]) == (40, "final", 3640)
    assert (call["provider"], call["project"]) == ("bedrock", "123456789012")
    assert call["user_id"].startswith("email:")
    written = logs.settings.database.read_bytes()
    for content in (b"secret question", b"hush", b"ann@example.com"):
        assert content not in written


def test_models_and_the_region_that_bills(logs):
    profile, here = "arn:aws:bedrock:us-east-1:123456789012:inference-profile", "us-east-1"
    cases = [
        (SONNET, SONNET, here),
        (f"us.{SONNET}", SONNET, here),
        (f"apac.{SONNET}", SONNET, here),
        (f"global.{SONNET}", SONNET, "global"),
        (f"{profile}/eu.{SONNET}", SONNET, here),
        (f"{profile}/global.{SONNET}", SONNET, "global"),
        (f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET}", SONNET, here),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/ab12cd", "ab12cd", here),
        ("deepseek.v3.2", "deepseek.v3.2", here),
        ("us.meta.llama4-scout-17b-instruct-v1:0", "meta.llama4-scout-17b-instruct-v1:0", here),
    ]
    logs.load([invocation(requestId=str(n), modelId=model, inferenceRegion="us-west-2")
               for n, (model, *_) in enumerate(cases)])  # fmt: skip
    found = {call["request_id"]: (call["model_served"], call["region"]) for call in logs.calls()}
    assert [found[str(n)] for n in range(len(cases))] == [(model, region) for _, model, region in cases]
    assert {call["provider"] for call in logs.calls()} == {"bedrock"}


def test_the_region_of_an_arn_where_the_record_has_none(logs):
    arn = f"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.{SONNET}"
    record = invocation(modelId=arn)
    del record["region"]
    logs.load([record])
    assert logs.call()["region"] == "eu-west-1"


def test_identity_may_be_a_list(logs):
    logs.load([invocation(identity=[{"arn": "arn:aws:iam::123456789012:user/svc"}])])
    assert logs.call()["user_id"] == "svc"


def test_a_streams_events_give_durations_and_lifetimes(logs):
    usage = {"input_tokens": 100, "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30}}
    events = [
        {"type": "message_start", "message": {"usage": usage}},
        {"type": "content_block_delta", "delta": {"text": "hush"}},
        {"type": "message_stop", METRICS: {"invocationLatency": 3037, "firstByteLatency": 263}},
    ]
    output = {"outputBodyJson": events, "outputTokenCount": 40}
    logs.load([invocation(operation="InvokeModelWithResponseStream", output=output)])
    call = logs.call()
    assert (call["is_stream"], call["latency_ms"], call["ttft_ms"]) == (True, 3037, 263)
    assert (call["cache_write_5m_tokens"], call["cache_write_1h_tokens"]) == (20, 30)


def test_errors(logs):
    cases = {
        "ThrottlingException": "rate_limited", "ModelTimeoutException": "timeout", "ValidationException":
        "invalid_request", "AccessDeniedException": "permission", "ServiceUnavailableException": "overloaded",
        "ModelErrorException": "server_error", "InternalServerException": "server_error",
        "ResourceNotFoundException": "not_found", "ServiceQuotaExceededException": "quota_exhausted",
    }  # fmt: skip
    failed = {"input": {"inputTokenCount": 0}, "output": None}
    logs.load([invocation(requestId=code, errorCode=code, **failed) for code in cases])
    assert {call["request_id"]: call["error_class"] for call in logs.calls()} == cases
    assert {call["status"] for call in logs.calls()} == {"error"}


def test_metadata_of_the_caller(logs):
    logs.load([invocation(requestMetadata={"tenant": "acme", "team": "search", "environment": "prod", "cost": "7"})])
    call = logs.call()
    assert (call["tenant"], call["team"], call["environment"]) == ("acme", "search", "prod")
    assert "cost=7" in call["tags"]


def test_other_operations_and_tiers(logs):
    embedded = {"modelId": "amazon.titan-embed-text-v2:0", "input": {"inputTokenCount": 9}, "output": {}}
    logs.load(
        [
            invocation(requestId="embedding", **embedded),
            invocation(requestId="fast", performanceConfig={"latency": "optimized"}),
            invocation(requestId="flex", serviceTier="flex"),
        ]
    )
    calls = {call["request_id"]: call for call in logs.calls()}
    assert (calls["embedding"]["operation"], calls["embedding"]["embedding_tokens"]) == ("embedding", 9)
    assert (calls["fast"]["service_tier"], calls["flex"]["service_tier"]) == ("latency_optimized", "flex")


@pytest.mark.parametrize("name", ["events", "logEvents"])
def test_an_export_of_the_log_group(logs, name):
    events = [{"timestamp": 1, "message": json.dumps(invocation(requestId=str(n)))} for n in range(3)]
    receipt = logs.load(json.dumps({name: events}), "events.json")
    assert (receipt.format, receipt.read_count, receipt.accepted_count) == ("bedrock", 3, 3)


def test_what_cannot_be_taken(logs):
    wrong = invocation()
    wrong["output"]["outputBodyJson"]["usage"]["totalTokens"] = 5
    receipt = logs.load([wrong, invocation(timestamp=None), {"schemaVersion": "1.0"}, invocation(), invocation()])
    reasons = [row["reason"] for row in logs.quarantine()]
    assert reasons == ["counts_do_not_add_up", "missing_time", "not_an_invocation"]
    assert (receipt.accepted_count, receipt.duplicate_count) == (1, 1)
