"""Documents that wrap their records: opened, counted and numbered by the records within."""

from __future__ import annotations

import json

import pytest

from pipelines.errors import BadInputError
from pipelines.logs import formats, loading, sampling
from pipelines.logs.formats import Format
from pipelines.logs.formats.ailib import FORMAT as AILIB
from pipelines.settings import Settings


@pytest.fixture(autouse=True)
def wrapped(monkeypatch):
    """ai-lib records within `{"owner", "pages": [{"data": […]}]}`, the owner their tenant."""
    form = Format(
        name="wrapped",
        structure=AILIB.structure,
        fields=AILIB.fields,
        within=AILIB.within,
        names=AILIB.names,
        rejects=AILIB.rejects,
        detect=lambda sample: "pages" if any("pages" in record for record in sample.records) else None,
        records="""list_transform(json_extract(record, '$.pages[*].data[*]'),
            lambda call: json_merge_patch(call, json_object('tenant', record ->> '$.owner')))""",
    )
    monkeypatch.setattr(formats, "formats", lambda: {"wrapped": form})


def document(owner, *pages):
    return {"owner": owner, "pages": [{"data": page} for page in pages]}


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("lines.jsonl", lambda documents: "".join(json.dumps(one) + "\n" for one in documents)),
        ("array.json", lambda documents: json.dumps(documents, indent=1)),
        ("spread.json", lambda documents: "".join(json.dumps(one, indent=1) + "\n" for one in documents)),
    ],
)
def test_records_are_counted_and_numbered_as_unwrapped(logs, ailib, name, write):
    bad = ailib(usage={"prompt_tokens": -1})
    documents = [
        document("a", [ailib(request_id="1"), ailib(request_id="2")], [bad]),
        document("b"),
        document("c", [ailib(request_id="3"), ailib(request_id="3"), bad]),
    ]
    receipt = logs.load(write(documents), name)
    assert (receipt.read_count, receipt.accepted_count) == (7, 3)
    assert (receipt.duplicate_count, receipt.quarantined_count) == (1, 3)
    assert sorted((call["request_id"], call["tenant"]) for call in logs.calls()) == [("1", "a"), ("2", "a"), ("3", "c")]
    kept = [(row["record_number"], row["line_number"], row["reason"]) for row in logs.quarantine()]
    lines = {3: 1, 4: 2, 7: 3} if name == "lines.jsonl" else {}
    assert kept == [
        (3, lines.get(3), "out_of_range: prompt_tokens"),
        (4, lines.get(4), "no_records"),
        (7, lines.get(7), "out_of_range: prompt_tokens"),
    ]


def test_what_is_no_document_is_one_record(logs, ailib):
    good = json.dumps(document("a", [ailib()]))
    receipt = logs.load("\n".join([good, "", good[:50], "[1]", "7", '{"pages": "none"}', '{"pages": [{"data": [5]}]}']))
    assert (receipt.read_count, receipt.accepted_count) == (6, 1)
    assert [(row["record_number"], row["line_number"], row["reason"]) for row in logs.quarantine()] == [
        (2, 3, "malformed_json"),
        (3, 4, "no_records"),
        (4, 5, "not_an_object"),
        (5, 6, "no_records"),
        (6, 7, "not_execution_metadata"),
    ]
    assert logs.quarantine()[0]["raw"] == good[:50]


@pytest.mark.parametrize("indent", [None, 1])
def test_a_document_longer_than_the_sample_is_recognised_and_read(logs, ailib, monkeypatch, indent):
    monkeypatch.setattr(sampling, "SAMPLE_BYTES", 1500)
    whole = document("a", [ailib(request_id=str(number), note='}"]{') for number in range(50)])
    receipt = logs.load(json.dumps(whole, indent=indent), "long.json")
    assert (receipt.read_count, receipt.accepted_count) == (50, 50)
    receipt = logs.load(json.dumps(document("b", [ailib(request_id="x")] * 50)) + "\n" + json.dumps(whole), "2.jsonl")
    assert (receipt.read_count, receipt.accepted_count, receipt.duplicate_count) == (100, 1, 99)


def test_a_document_too_large_for_the_memory_is_named(logs, ailib, monkeypatch):
    path = logs.file("large.jsonl", [document("a", [ailib(request_id=str(number)) for number in range(30_000)])])
    monkeypatch.setattr(logs, "settings", Settings(home=logs.settings.home, threads=1, memory_limit="100MB"))
    with pytest.raises(BadInputError, match=r"large\.jsonl .*(memory|Memory)"):
        logs.ingest(path)
    assert loading.load_pending(logs.settings)[0].loaded_at is None
