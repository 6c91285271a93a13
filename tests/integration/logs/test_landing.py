from __future__ import annotations

import gzip
import json

import pytest
import zstandard

from pipelines.errors import BadInputError, UnknownFormatError
from pipelines.logs import landing


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b" \n\n ", "is empty"),
        (bytes(range(256)) * 40, "binary"),
        ("{}".encode("utf-16"), "UTF-16"),
        (gzip.compress(b""), "damaged at the start"),
        (gzip.compress(b"x" * 100)[:12], "damaged at the start"),
        (b"PAR1 and then nothing of the kind", "not a whole one"),
    ],
)
def test_inputs_that_cannot_be_taken(logs, content, told):
    with pytest.raises(BadInputError, match=told):
        logs.load(content)
    assert landing.landed(logs.settings) == []


def test_paths_that_cannot_be_taken(logs, tmp_path):
    with pytest.raises(BadInputError, match=r"does not exist; check the path"):
        logs.ingest(tmp_path / "missing.jsonl")
    with pytest.raises(BadInputError, match=r"is a directory; name the files"):
        logs.ingest(tmp_path)


def test_an_unknown_format_says_what_it_saw_and_takes_nothing(logs, ailib):
    good = logs.file("good.jsonl", [ailib()])
    with pytest.raises(UnknownFormatError, match=r"jsonl with fields a, b.*--format \(ailib, litellm_spend, "):
        logs.ingest(good, logs.file("odd.jsonl", [{"a": 1, "b": 2}]))
    assert landing.landed(logs.settings) == []
    with pytest.raises(UnknownFormatError, match="no log format 'nothing'"):
        logs.ingest(good, format_name="nothing")


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_compressed_files_are_kept_as_they_are(logs, new_logs, ailib, compress):
    records = [ailib(request_id=str(n)) for n in range(50)]
    text = "".join(json.dumps(record) + "\n" for record in records).encode()
    packed = compress(text)  # once: gzip writes the clock into its header
    receipt = logs.load(packed, "log.anything")
    assert (receipt.read_count, receipt.damage) == (50, None)
    (segment,) = landing.landed(logs.settings)
    assert segment.path(logs.settings).read_bytes() == packed
    plain = new_logs()
    plain.load(records)
    assert plain.content() == logs.content()


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_a_cut_stream_keeps_what_precedes_the_cut(logs, ailib, compress):
    records = [ailib(request_id=f"{n * 7919 % 100003:x}-{n * n}") for n in range(2000)]
    whole = compress("".join(json.dumps(record) + "\n" for record in records).encode())
    receipt = logs.load(whole[: len(whole) * 2 // 3])
    assert receipt.damage is not None
    assert receipt.accepted_count > 100
    assert receipt.accepted_count + receipt.quarantined_count == receipt.read_count < 2000
    assert {kept["reason"] for kept in logs.quarantine()} <= {"malformed_json"}
    assert {call["request_id"] for call in logs.calls()} <= {record["request_id"] for record in records}


def test_the_same_content_lands_once(logs, ailib):
    first = logs.load([ailib()], "a.jsonl")
    again = logs.load([ailib()], "b.jsonl")
    assert again == first
    assert again.file_name == "a.jsonl"
    assert len(landing.landed(logs.settings)) == 1
    assert sorted(path.suffix for path in logs.settings.segments.iterdir()) == [".json", ".jsonl"]


def test_progress_reaches_its_end(logs, ailib):
    seen = []
    logs.load([ailib()], on_progress=lambda *step: seen.append(step))
    size = landing.landed(logs.settings)[0].size_bytes
    assert ("landing", size, size) in seen
    assert seen[-1] == ("loading", 1, 1)
