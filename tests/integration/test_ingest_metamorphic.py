"""However the same records come - permuted, split, repeated, overlapping, in other containers - the calls are the same.

Hundreds of small random cases are laid out at once in a few files: their ids keep them apart.
"""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest

from pipelines import warehouse
from pipelines.logs import loading
from pipelines.settings import Settings

CASES = 150


def ailib(call, version):
    at = f"2026-10-{1 + call['day']:02d}T10:00:{call['second']:02d}Z"
    usage = {"prompt_tokens": call["tokens"], "completion_tokens": 5, "total_tokens": call["tokens"] + 5}
    metadata = {"provider_id": "openai", "model_id": "gpt-5", "execution_latency_ms": 10 + version, "usage": usage}
    # Without an id, what tells two records apart is what they say.
    named = {"request_id": call["id"]} if call["has_id"] else {"tenant": call["id"]}
    return {"timestamp": at, "execution_metadata": metadata, **named}


def litellm_spend(call, version):
    at = f"2026-10-{1 + call['day']:02d} 10:00:{call['second']:02d}"
    return {
        "request_id": call["id"] if call["has_id"] else "", "call_type": "acompletion", "startTime": at, "endTime": at,
        "model": "gpt-5", "custom_llm_provider": "openai", "prompt_tokens": call["tokens"], "completion_tokens": version,
        "total_tokens": call["tokens"] + version, "spend": 0.1, "metadata": "{}", "team_id": call["id"],
    }  # fmt: skip


def otlp(call, version):
    said = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "tenant.id": call["id"]}
    counts = {"gen_ai.usage.input_tokens": call["tokens"], "gen_ai.usage.output_tokens": version}
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in said.items()]
    attributes += [{"key": key, "value": {"intValue": str(value)}} for key, value in counts.items()]
    span = {"traceId": f"{call['number']:032x}", "startTimeUnixNano": str(1790848800_000000000 + call["number"])}
    return span | {"attributes": attributes} | ({"spanId": f"{call['number']:016x}"} if call["has_id"] else {})


def langfuse(call, version):
    at = f"2026-10-{1 + call['day']:02d}T10:00:{call['second']:02d}.000Z"
    return {
        "id": call["id"], "traceId": "t", "type": "GENERATION", "startTime": at, "model": "gpt-5",
        "updatedAt": f"2026-11-{1 + version:02d}T00:00:00Z", "usageDetails": {"input": call["tokens"], "output": version},
    }  # fmt: skip


def lines(records, _):
    return "".join(json.dumps(record) + "\n" for record in records)


def array(records, _):
    return json.dumps(records, indent=1)


def batches(records, chance):
    """Spans in requests of some, one to a line."""
    found, rest = [], list(records)
    while rest:
        size = chance.randint(1, 40)
        found.append({"resourceSpans": [{"scopeSpans": [{"spans": rest[:size]}]}]})
        rest = rest[size:]
    return lines(found, chance)


def page(records, _):
    return json.dumps({"data": records, "meta": {"page": 1}})


FORMATS = {
    "ailib": (ailib, (lines, array)),
    "litellm_spend": (litellm_spend, (lines, array)),
    "otlp": (otlp, (batches,)),
    "langfuse": (langfuse, (lines, array, page)),
}


def cases(chance, write):
    """The records of every case: calls with an id in up to three versions, calls without one."""
    found = []
    for case in range(CASES):
        for place in range(chance.randint(1, 5)):
            call = {
                "id": f"{case}-{place}", "number": 1 + case * 10 + place, "day": chance.randint(0, 27),
                "second": chance.randint(0, 59), "tokens": chance.randint(1, 9999),
                "has_id": write is langfuse or chance.random() < 0.7,
            }  # fmt: skip
            versions = chance.randint(1, 3) if call["has_id"] else 1
            found.extend((call["has_id"], write(call, version)) for version in range(versions))
    return found


def load(folder, name, files):
    """Load files one after another into a new home: receipts, and the calls without where they were read."""
    settings = Settings(home=folder / name, threads=2, memory_limit="1GB")
    paths = []
    for number, content in enumerate(files):
        paths.append(folder / f"{name}-{number}.json")
        paths[-1].write_text(content, encoding="utf-8")
    receipts = loading.ingest(settings, paths)
    with warehouse.reading(settings) as connection:
        calls = connection.execute("select * exclude (segment_id) from raw.calls order by event_id").fetchall()
        quarantined = connection.execute("select count(*) from raw.call_quarantine").fetchone()[0]
    assert quarantined == 0
    return receipts, calls


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("seed", range(3))
def test_the_calls_do_not_depend_on_how_the_records_came(tmp_path, name, seed):
    chance = random.Random(f"{name} {seed}")
    write, containers = FORMATS[name]
    records = cases(chance, write)
    whole = [record for _, record in records]
    _, expected = load(tmp_path, "whole", [containers[0](whole, chance)])
    identities = {json.dumps(record.get("id") or record.get("request_id") or record) for record in whole}
    assert len(expected) == len(identities) if write in (langfuse, litellm_spend) else len(expected) <= len(identities)

    parts = [[] for _ in range(chance.randint(2, 4))]
    for has_id, record in records:
        for part in chance.sample(parts, chance.randint(1, len(parts))):
            part.extend([record] * (chance.randint(1, 2) if has_id else 1))
    for part in parts:
        chance.shuffle(part)
    files = [chance.choice(containers)(part, chance) for part in parts if part]
    receipts, calls = load(tmp_path, "parts", files)
    assert calls == expected
    assert [receipt.read_count for receipt in receipts] == [len(part) for part in parts if part]
    assert sum(receipt.accepted_count - receipt.replaced_count for receipt in receipts) == len(expected)
    assert Counter(receipt.format for receipt in receipts) == {name: len(files)}
