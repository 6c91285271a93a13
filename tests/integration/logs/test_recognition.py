"""Every sample is recognised as itself, with a reason, and by no other format."""

from __future__ import annotations

import json

import pytest

from pipelines.logs.formats import formats
from pipelines.logs.sampling import look_at

SAMPLES = {
    "litellm/spend_logs_payload.json": "litellm_spend",
    "litellm/standard_logging_payload.json": "litellm_payload",
    "helicone/request_row_constructed.json": "helicone",
    "aws/bedrock_invocation_log.jsonl": "bedrock",
    "openrouter/api_generation.json": "openrouter",
}
USAGE = {"model": "m", "input_tokens": 1, "output_tokens": 1, "total_tokens": 2, "cost_usd": 0, "timestamp": "2026"}
COUNTS = {"prompt_tokens": 1, "completion_tokens": 1}
RECORDS = {
    "ailib": {"provider_id": "openai", "model_id": "m", "execution_latency_ms": 1, "usage": COUNTS},
    "ailib_callstats": {"client_request_id": "c", "retry_count": 0, "model": "m", "duration_ms": 1, "usage": COUNTS},
    "ailib_logger": {"level": "INFO", "logger": "ai_lib_python.client", "message": "x", "context": {}, **COUNTS},
    "ailib_costs": {"id": "a", "session_id": "s", "usage": USAGE},
    "ailib_usage": {"id": "a", "provider_id": "p", "model_id": "m", "cost_usd": 0, "timestamp": 1, **COUNTS},
    "litellm_spend": {"request_id": "r", "call_type": "c", "spend": 0, "startTime": "", "custom_llm_provider": "", **COUNTS},
    "litellm_payload": {"id": "r", "call_type": "c", "response_cost": 0, "startTime": 0, "hidden_params": {}, **COUNTS},
    "helicone": {"request_id": "r", "request_created_at": "", "delay_ms": 1, "provider": "OPENAI", **COUNTS},
    "bedrock": {"modelId": "m", "requestId": "r", "accountId": "1", "operation": "Converse", "input": {}},
    "azure_apim": {"CorrelationId": "c", "SequenceNumber": 0, "PromptTokens": 1, "CompletionTokens": 1},
    "openrouter": {"id": "g", "created_at": "", "native_tokens_prompt": 1, "native_tokens_completion": 1},
}  # fmt: skip


def recognised(path):
    sample = look_at(path)
    return {name: reason for name, form in formats().items() if (reason := form.detect(sample))}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_recognised_as_itself_alone(logs, name):
    (only,) = recognised(logs.file("one.jsonl", [RECORDS[name]])).items()
    assert only[0] == name
    assert len(only[1]) > 20


@pytest.mark.parametrize("name", RECORDS)
def test_and_so_is_an_array_of_it(logs, name):
    assert list(recognised(logs.file("many.json", json.dumps([RECORDS[name]] * 2, indent=1)))) == [name]


def test_what_is_recognised_is_read(logs):
    for name, record in RECORDS.items():
        receipt = logs.load([record], f"{name}.jsonl")
        assert (receipt.format, receipt.read_count) == (name, 1)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_real_sample_is_recognised_as_itself_alone(captures, sample):
    assert list(recognised(captures / "log_formats" / sample)) == [SAMPLES[sample]]


def test_no_real_sample_is_recognised_twice(captures):
    for path in sorted((captures / "log_formats").rglob("*.*")):
        assert len(recognised(path)) <= 1, path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("helicone", {"data": []}),
        ("openrouter", {"data": []}),
        ("azure_apim", {"records": []}),
        ("bedrock", {"events": []}),
    ],
)
def test_an_empty_page_is_sound(logs, name, content):
    receipt = logs.load(json.dumps(content), "empty.json", format_name=name)
    assert (receipt.read_count, receipt.quarantined_count) == (0, 0)


def test_arrays_per_line_are_lines(logs):
    path = logs.file("batches.jsonl", "[{}]\n[{}]\n")
    assert (look_at(path).container, len(look_at(path).records)) == ("jsonl", 2)
    assert look_at(logs.file("one.json", "[{}]\n")).container == "json"
