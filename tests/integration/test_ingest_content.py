"""Nothing of what was said, no key and no address is on the disk after an ingest, whatever the format or container."""

from __future__ import annotations

import csv
import gzip
import io
import json

import pytest

from pipelines.logs import loading
from pipelines.settings import Settings

SAID = "zebra-marker-4711"
KEY = "sk-proj-" + "Zq7" * 10
ADDRESS = "marker.person@example.com"
MARKERS = (SAID, KEY, ADDRESS, "marker.person")
AT = "2026-10-01T10:00:00Z"


def ailib(number):
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    metadata = {"provider_id": "openai", "model_id": "gpt-5", "execution_latency_ms": 9, "usage": usage}
    return {
        "timestamp": AT, "request_id": f"r{number}", "user_id": ADDRESS, "tags": [KEY], "execution_metadata": metadata,
        "messages": [{"role": "user", "content": SAID}], "extra": {"deep": [{"prompt": SAID, "note": f"by {ADDRESS}"}]},
    }  # fmt: skip


def litellm_payload(number):
    said = [{"role": "user", "content": SAID}]
    return {
        "id": f"c{number}", "trace_id": f"t{number}", "call_type": "acompletion", "response_cost": 0.1, "status": "success",
        "startTime": 1790848800.5, "endTime": 1790848801.5, "model": "gpt-5", "custom_llm_provider": "openai",
        "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "hidden_params": {"api_base": "x"}, "messages": said,
        "response": {"model": "gpt-5", "choices": [{"message": {"content": SAID}}], "usage": {"prompt_tokens": 10}},
        "metadata": {"user_api_key_user_id": ADDRESS, "requester_metadata": {"prompt": SAID, "api_key": KEY}},
        "model_parameters": {"tools": [{"function": {"arguments": SAID}}]}, "error_str": f"{SAID} {KEY}",
    }  # fmt: skip


def litellm_spend(number):
    metadata = {"user_api_key_alias": ADDRESS, "prompt": SAID, "usage_object": {"prompt_tokens": 10}}
    return {
        "request_id": f"r{number}", "call_type": "acompletion", "startTime": AT, "endTime": AT, "model": "gpt-5",
        "custom_llm_provider": "openai", "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "spend": 0.1,
        "api_key": KEY, "user": ADDRESS, "metadata": json.dumps(metadata), "messages": json.dumps([{"content": SAID}]),
        "response": json.dumps({"choices": [SAID]}), "proxy_server_request": json.dumps({"body": {"prompt": SAID}}),
    }  # fmt: skip


def langfuse(number):
    return {
        "id": f"o{number}", "traceId": "t", "type": "GENERATION", "startTime": AT, "model": "gpt-5", "userId": ADDRESS,
        "input": [{"role": "user", "content": SAID}], "output": SAID, "usageDetails": {"input": 10, "output": 5},
        "metadata": {"prompt": SAID, "api_key": KEY}, "statusMessage": f"{KEY} {ADDRESS}",
    }  # fmt: skip


def bedrock(number):
    body = {"messages": [{"content": SAID}], "system": SAID}
    answer = {"content": [{"text": SAID}], "usage": {"input_tokens": 10, "output_tokens": 5}}
    return {
        "schemaType": "ModelInvocationLog", "timestamp": AT, "accountId": "1", "region": "us-east-1", "operation": "Converse",
        "requestId": f"b{number}", "modelId": "anthropic.claude-opus-5-v1:0",
        "identity": {"arn": f"arn:aws:sts::1:assumed-role/App/{ADDRESS}"}, "requestMetadata": {"note": KEY},
        "input": {"inputBodyJson": body, "inputTokenCount": 10}, "output": {"outputBodyJson": answer, "outputTokenCount": 5},
    }  # fmt: skip


def helicone(number):
    return {
        "request_id": f"h{number}", "request_created_at": AT, "delay_ms": 10, "provider": "OPENAI", "prompt_tokens": 10,
        "completion_tokens": 5, "total_tokens": 15, "response_status": 200, "request_model": "gpt-5",
        "request_user_id": ADDRESS, "request_body": {"messages": [{"content": SAID}]}, "response_body": {"choices": [SAID]},
        "request_properties": {"prompt": SAID, "note": KEY},
    }  # fmt: skip


def otlp(number):
    texts = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.prompt": SAID,
             "gen_ai.input.messages": json.dumps([{"content": SAID}]), "llm.input_messages.0.message.content": SAID,
             "user.id": ADDRESS, "http.request.header.authorization": KEY}  # fmt: skip
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in texts.items()]
    attributes.append({"key": "gen_ai.usage.input_tokens", "value": {"intValue": "10"}})
    events = [{"name": "gen_ai.content.prompt", "attributes": [{"key": "content", "value": {"stringValue": SAID}}]}]
    span = {"traceId": f"{number + 1:032x}", "spanId": f"{number + 1:016x}", "attributes": attributes, "events": events,
            "startTimeUnixNano": "1790848800000000000"}  # fmt: skip
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


FORMATS = (ailib, litellm_payload, litellm_spend, langfuse, bedrock, helicone, otlp)


def lines(records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def damaged(records):
    """Lines cut in the middle of what was said, and one that never was JSON."""
    whole = lines(records)
    return whole + lines(records[:1])[:-4] + b"\n" + f'{{"prompt": "{SAID}\n{KEY} {ADDRESS}\n'.encode()


def table(records):
    """The records' scalar fields and JSON of the others, as an export to a table has them."""
    cells = [{k: v if isinstance(v, str | int | float) else json.dumps(v) for k, v in one.items()} for one in records]
    target = io.StringIO()
    writer = csv.DictWriter(target, list(cells[0]))
    writer.writeheader()
    writer.writerows(cells)
    return target.getvalue().encode()


def parquet(records):
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records), target)
    return target.getvalue()


CONTAINERS = {
    "lines": lines, "array": lambda records: json.dumps(records, indent=1).encode(), "damaged lines": damaged,
    "damaged array": lambda records: json.dumps(records, indent=1).encode()[:-30],
    "page": lambda records: json.dumps({"data": records}).encode(), "gz": lambda records: gzip.compress(lines(records)),
    "cut gz": lambda records: gzip.compress(lines(records))[:-12], "mark": lambda records: b"\xef\xbb\xbf" + lines(records),
    "escaped": lambda records: lines(records).replace(b'"prompt"', b'"\\u0070rompt"'),
}  # fmt: skip
TABLES = {
    "csv": table,
    "damaged csv": lambda records: table(records) + f"x,{SAID},{KEY}\n".encode(),
    "parquet": parquet,
}


def left(home):
    """What of the markers is in any file of a home."""
    return [
        (file.relative_to(home), marker)
        for file in home.rglob("*")
        if file.is_file()
        for marker in MARKERS
        if marker.encode() in file.read_bytes()
    ]


def cases():
    for write in FORMATS:
        for name, contain in CONTAINERS.items():
            yield write, name, contain
    for write in (litellm_spend, langfuse, helicone):
        for name, contain in TABLES.items():
            if not (write is langfuse and "csv" in name):  # its tables are in snake case
                yield write, name, contain


@pytest.mark.parametrize("write", FORMATS, ids=lambda write: write.__name__)
def test_nothing_said_is_left(tmp_path, write):
    settings = Settings(home=tmp_path / "home", threads=2, memory_limit="1GB")
    paths = []
    for one, name, contain in cases():
        if one is write:
            paths.append(tmp_path / name)
            paths[-1].write_bytes(contain([write(number) for number in range(20)]))
            assert SAID.encode() in paths[-1].read_bytes() or "gz" in name or name == "parquet"
    receipts = loading.ingest(settings, paths, format_name=write.__name__)
    assert left(settings.root) == []
    for receipt, path in zip(receipts, paths, strict=True):
        whole = {"damaged array": 19, "cut gz": 10}.get(path.name, 20)
        if path.name != "page" or write in (litellm_payload, langfuse, helicone):
            assert receipt.accepted_count + receipt.duplicate_count >= whole, path.name
    for receipt in loading.replay(settings, receipts[0].segment_id):
        assert receipt.loaded_at
    assert left(settings.root) == []


def test_a_clean_file_is_kept_byte_for_byte_and_one_said_word_changes_one_line(tmp_path):
    settings = Settings(home=tmp_path / "home", threads=2, memory_limit="1GB")
    record = {key: value for key, value in ailib(0).items() if key not in ("messages", "extra", "user_id", "tags")}
    records = [record | {"request_id": f"r{number}"} for number in range(3000)]
    clean, said = tmp_path / "clean.jsonl", tmp_path / "said.jsonl"
    clean.write_bytes(lines(records))
    records[1500]["note"] = {"prompt": SAID}
    said.write_bytes(lines(records))
    kept, rewritten = (settings.segments / f"{r.segment_id}.jsonl" for r in loading.ingest(settings, [clean, said]))
    assert kept.read_bytes() == clean.read_bytes()
    pairs = zip(rewritten.read_bytes().split(b"\n"), said.read_bytes().split(b"\n"), strict=True)
    assert [number for number, (after, before) in enumerate(pairs) if after != before] == [1500]
