from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import json
import os
import threading
import zlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient

from pipelines import settings as settings_module
from pipelines.logs import collected, inbox
from pipelines.logs.formats import formats, otlp
from serving import api, decoding, privacy, spool
from serving.collector import Collecting

SAID = "the patient's name is Ada"
KEY = "sk-" + "a1" * 12
LINES = {"content-type": "application/x-ndjson"}


def client_of(folder, **limits):
    published = folder / "published"
    published.mkdir(exist_ok=True)
    return TestClient(api.create(published, Collecting(folder / "spool", **limits)), raise_server_exceptions=False)


@pytest.fixture
def client(tmp_path):
    with client_of(tmp_path) as made:
        yield made


@pytest.fixture
def written(tmp_path):
    """What is in the spool, as lines; nothing but finished files may be there."""

    def read():
        lines = []
        for file in sorted((tmp_path / "spool").iterdir()):
            content = file.read_bytes()
            assert file.name.endswith(f"-{hashlib.sha256(content).hexdigest()}.jsonl")
            lines.extend(content.splitlines())
        return lines

    return read


def body(*records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["status"] == status
    return answer.json()["detail"]


def span(**changes):
    return {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "startTimeUnixNano": "1793534400000000000",
        "endTimeUnixNano": "1793534401000000000",
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
            {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}},
            {"key": "gen_ai.input.messages", "value": {"stringValue": SAID}},
        ],
        **changes,
    }


def request_of(*spans):
    return {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"scope": {}, "spans": list(spans)}]}]}


# answers and files


def test_an_accepted_post_is_on_the_disk_with_a_receipt(client, written):
    answer = client.post("/v1/logs", content=body({"a": 1}, {"a": 2}), headers=LINES)
    assert answer.status_code == 202
    assert answer.json() == {"receipt_id": answer.headers["receipt-id"], "accepted": 2}
    assert written() == [b'{"a":1}', b'{"a":2}']


def test_an_identical_retry_is_the_same_file_and_the_same_receipt(client, written):
    answers = [client.post("/v1/logs", content=body({"a": 1}), headers=LINES) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert written() == [b'{"a":1}']


def test_numbers_stay_as_they_were_written(client, written):
    raw = b'{"cost":0.1000000000000000055511151231257827,"count":123456789012345678901234567890,"small":1e-7}'
    client.post("/v1/logs", content=raw, headers=LINES)
    assert written() == [raw]


@pytest.mark.parametrize(
    "content",
    [b'{"a":1}\n{"a":2}\n', b'\xef\xbb\xbf{"a":1}\r\n\n{"a":2}', b'[{"a":1},{"a":2}]', b'[{"a":1}]\n{"a":2}'],
)
@pytest.mark.parametrize("coding", ["", "identity", "gzip", "deflate"])
@pytest.mark.parametrize("kind", ["logs", "litellm"])
def test_lines_arrays_and_codings_say_the_same(kind, content, coding):
    packed = {"gzip": gzip.compress, "deflate": zlib.compress}.get(coding, bytes)(content)
    # LiteLLM calls its lines JSON too.
    content_type = "application/json" if kind == "litellm" else LINES["content-type"]
    batch = decoding.batch_of(kind, packed, content_type, coding, 1000)
    assert batch.lines == (b'{"a":1}\n', b'{"a":2}\n')
    assert batch.records == 2


def test_a_litellm_post_is_kept(client, written):
    answer = client.post(
        "/v1/litellm", content=b'[{"id":"a"},{"id":"b"}]', headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)
    assert written() == [b'{"id":"a"}', b'{"id":"b"}']


def test_a_document_over_several_lines_is_one(client, written):
    content = json.dumps([{"a": 1}, {"a": 2}], indent=2)
    assert client.post("/v1/logs", content=content, headers={"content-type": "application/json"}).status_code == 202
    assert written() == [b'{"a":1}', b'{"a":2}']


def test_gzip_in_several_members_is_read_to_its_end(client, written):
    content = gzip.compress(body({"a": 1})) + gzip.compress(body({"a": 2}))
    assert client.post("/v1/logs", content=content, headers=LINES | {"content-encoding": "gzip"}).status_code == 202
    assert written() == [b'{"a":1}', b'{"a":2}']


@pytest.mark.parametrize("path", ["/v1/logs", "/v1/litellm", "/v1/traces"])
def test_nothing_to_keep_is_accepted_and_writes_nothing(client, written, path):
    content = "{}" if path == "/v1/traces" else "[]"
    answer = client.post(path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code in (200, 202)
    assert written() == []


def test_without_a_folder_nothing_is_collected(tmp_path):
    with TestClient(api.create(tmp_path), raise_server_exceptions=False) as client:
        problem(client.post("/v1/logs", content=b"{}", headers=LINES), 404)


# refusals


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a":1}\n\n{"a":\n', "line 3 is not JSON at character 6"),
        (b'{"a":1}\n"text"\n', "line 2 is no JSON object"),
        (b'{"a":1}\n[1]\n', "line 2 is no JSON object"),
        (b'{"a":1}\n{"a":"\xff"}\n', "line 2 is not UTF-8 at byte 7"),
        (b'{"a":NaN}\n', "line 1 is not JSON"),
        (b'{"a":"\\ud800"}\n', "line 1 holds text that is not Unicode"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "line 1 is nested too deep"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "line 1 "),
        (b"\x00\x01", "line 1 is not JSON"),
    ],
)
def test_a_damaged_line_is_named(content, said):
    with pytest.raises(decoding.RefusedError) as refused:
        decoding.batch_of("logs", content, LINES["content-type"], "", 10**6)
    assert refused.value.status == 400
    assert said in refused.value.detail


def test_of_a_post_with_a_damaged_line_nothing_is_kept(client, written):
    assert "line 2" in problem(client.post("/v1/logs", content=b'{"a":1}\n{', headers=LINES), 400)
    assert written() == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no gzip", "is not gzip"),
        (gzip.compress(b'{"a":1}')[:-9], "ends too early"),
        (gzip.compress(b'{"a":1}') + b"more", "is not gzip"),
    ],
)
def test_a_damaged_stream(content, said):
    with pytest.raises(decoding.RefusedError, match=said) as refused:
        decoding.batch_of("logs", content, LINES["content-type"], "gzip", 1000)
    assert refused.value.status == 400


def test_other_types_and_codings(client):
    for path in ("/v1/logs", "/v1/litellm", "/v1/traces"):
        for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
            assert "application/json" in problem(client.post(path, content=b"{}", headers={"content-type": kind}), 415)
    problem(client.post("/v1/logs", content=b"{}", headers=LINES | {"content-encoding": "br"}), 415)
    problem(client.get("/v1/logs"), 405)


def test_a_body_too_long_and_one_that_unpacks_to_too_much(tmp_path, written):
    with client_of(tmp_path, body=10_000, text=20_000) as client:
        problem(client.post("/v1/logs", content=body({"a": "x" * 10_000}), headers=LINES), 413)
        bomb = gzip.compress(b"\n" * 5_000_000)
        assert len(bomb) < 10_000
        answer = client.post("/v1/logs", content=bomb, headers=LINES | {"content-encoding": "gzip"})
        assert "decompressed" in problem(answer, 413)
        assert client.post("/v1/logs", content=body({"a": 1}), headers=LINES).status_code == 202
    assert written() == [b'{"a":1}']


def test_a_refusal_quotes_nothing(client):
    for content in (SAID.encode(), b'{"prompt": "' + SAID.encode() + b'"', b'"' + SAID.encode() + b'"'):
        answer = client.post("/v1/logs", content=content, headers=LINES)
        assert answer.status_code == 400
        assert "Ada" not in answer.text


# back-pressure


@pytest.mark.parametrize(("path", "status"), [("/v1/logs", 429), ("/v1/traces", 429), ("/v1/litellm", 503)])
def test_a_full_spool_says_when_to_come_again(tmp_path, path, status):
    with client_of(tmp_path, spool=1000) as client:
        content = json.dumps(request_of(span()) if path == "/v1/traces" else {"a": 1})
        headers = {"content-type": "application/json"}
        assert client.post("/v1/logs", content=body({"a": "x" * 900}), headers=LINES).status_code == 202
        for number in range(20):
            answer = client.post(path, content=content.replace("1", str(number + 1)), headers=headers)
            if answer.status_code > 299:
                break
        assert "ratehouse run" in problem(answer, status)
        assert int(answer.headers["retry-after"]) > 0
        for file in (tmp_path / "spool").iterdir():  # a pass
            file.unlink()
        assert client.post("/v1/logs", content=body({"a": 1}), headers=LINES).status_code == 202


def test_memory_is_bounded_over_all_posts(tmp_path, written):
    with client_of(tmp_path, memory=1000) as client:
        answer = client.post("/v1/logs", content=body({"a": "x" * 2000}), headers=LINES)
        assert "waiting" in problem(answer, 429)
        assert answer.headers["retry-after"] == "1"
        # What one post held is given back, refused or not.
        for _ in range(20):
            assert client.post("/v1/logs", content=body({"a": "x" * 100}), headers=LINES).status_code == 202
    assert len(written()) == 1


def test_a_disk_that_takes_nothing_is_told_and_recovered_from(client, written, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        answer = client.post("/v1/logs", content=body({"a": 1}), headers=LINES)
        assert "disk" in problem(answer, 503)
        assert int(answer.headers["retry-after"]) > 0
    assert client.post("/v1/logs", content=body({"a": 2}), headers=LINES).status_code == 202
    assert written() == [b'{"a":2}']


# the group commit


def test_posts_that_wait_share_one_write(tmp_path, monkeypatch, written):
    groups = []
    write = spool.Spool.write
    monkeypatch.setattr(spool.Spool, "write", lambda self, batches: (groups.append(len(batches)), write(self, batches)))
    with client_of(tmp_path) as client:
        threads = [
            threading.Thread(
                target=client.post, args=("/v1/logs",), kwargs={"content": body({"a": n}), "headers": LINES}
            )
            for n in range(30)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(groups) == 30
    assert len(groups) < 30
    assert sorted(written()) == sorted(b'{"a":%d}' % n for n in range(30))


def test_nothing_is_acknowledged_before_it_is_synced(client, tmp_path, monkeypatch):
    events = []
    fsync, rename = os.fsync, type(tmp_path).rename
    monkeypatch.setattr(os, "fsync", lambda handle: (events.append("fsync"), fsync(handle)))
    monkeypatch.setattr(type(tmp_path), "rename", lambda one, other: (events.append("rename"), rename(one, other)))
    client.post("/v1/logs", content=body({"a": 1}), headers=LINES)
    assert events == ["fsync", "rename", "fsync"]  # the file, then its name, then the folder


BATCHES = st.lists(st.lists(st.sampled_from([b"x", b"y", b"z"]), max_size=4), min_size=1, max_size=5)


@given(BATCHES, st.data())
def test_how_batches_are_grouped_changes_nothing(batches, data):
    whole = sorted(spool.union(batches))
    cut = data.draw(st.integers(0, len(batches)))
    parts = [spool.union(part) for part in (batches[:cut], batches[cut:]) if part]
    assert sorted(spool.union(parts)) == whole
    assert sorted(spool.union([*batches, batches[0]])) == whole  # a retry
    for line in (b"x", b"y", b"z"):
        assert whole.count(line) == max(batch.count(line) for batch in batches)


def test_batches_of_different_fields_do_not_share_a_file(tmp_path):
    made = spool.Spool(tmp_path, 10**6)
    batches = [
        decoding.batch_of("logs", body(record), LINES["content-type"], "", 1000)
        for record in ({"a": 1}, {"b": 1}, {"a": 2})
    ]
    made.write(batches)
    assert sorted(file.read_bytes() for file in tmp_path.iterdir()) == [b'{"a":1}\n{"a":2}\n', b'{"b":1}\n']


def test_what_a_killed_server_left_half_written_goes(tmp_path):
    (tmp_path / ".1.part").write_bytes(b"half")
    os.utime(tmp_path / ".1.part", (0, 0))
    spool.Spool(tmp_path, 10**6)
    assert list(tmp_path.iterdir()) == []


# privacy


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": SAID, "gen_ai.completion": SAID, "Prompt": SAID, "userPrompt": SAID, "chat_message": SAID},
        {"messages": [{"role": "user", "content": SAID}], "response": {"choices": [{"message": {"content": SAID}}]}},
        {"messages": json.dumps([{"content": SAID}]), "metadata": json.dumps({"deep": {"input": SAID}})},
        {"metadata": "{'messages': ['" + SAID + "']}"},
        {"input": {"inputBodyJson": {"system": SAID, "usage": SAID}}, "output": [SAID, {"usage": {"note": SAID}}]},
        {"response": {"usage": {SAID: 1}, "model": SAID}, "prompt": {"patient": {"Ada": 1}}},
        {"nested": [{"list": [{"completion": SAID}]}], "unknown": SAID * 60},
        {"error_information": {"error_message": SAID, "traceback": SAID}, "status": {"message": SAID}},
        request_of(
            span(events=[{"name": "x", "attributes": [{"key": "gen_ai.prompt", "value": {"stringValue": SAID}}]}])
        ),
        request_of(span(attributes=[{"key": "llm.input_messages.0.message.content", "value": {"stringValue": SAID}}])),
        request_of(
            span(attributes=[{"key": "input.value", "value": {"arrayValue": {"values": [{"stringValue": SAID}]}}}])
        ),
        request_of(span(attributes=[{"key": "blob", "value": {"bytesValue": SAID}}], status={"message": SAID})),
    ],
)
def test_nothing_said_is_kept(record):
    kind = "traces" if "resourceSpans" in record else "logs"
    (line,) = decoding.batch_of(kind, json.dumps(record).encode(), "application/json", "", 10**6).lines
    assert b"Ada" not in line
    assert b"patient" not in line


def test_secrets_become_words_or_hashes(client, written):
    hashed = hashlib.sha256(b"any").hexdigest()
    record = {"user": "Ada@Example.com", "note": f"a@b.co with {KEY}", "api_key_id": KEY, "api_key": "plain", KEY: 1,
              "user_api_key": hashed, "headers": {"Authorization": "Basic eA==", "cookie": "s=1"}}  # fmt: skip
    client.post("/v1/logs", content=body(record), headers=LINES)
    (line,) = map(json.loads, written())
    assert line["note"] == "<email> with <key>"
    assert line["user"] == "email:" + hashlib.sha256(b"ada@example.com").hexdigest()[:16]
    assert line["api_key_id"] == "key:" + hashlib.sha256(KEY.encode()).hexdigest()[:16]
    assert line["api_key"].startswith("key:")
    assert line["user_api_key"] == hashed
    assert not {"Basic eA==", "s=1"} & set(line["headers"].values())
    assert KEY not in json.dumps(line)


def test_counts_and_what_is_measured_stay():
    record = {
        "usage": {"input": 12, "output": "5", "total": 17},
        "llm.token_count.prompt": 12,
        "input": {"inputTokenCount": 3, "inputBodyJson": {"max_tokens": 5}},
        "output": {"outputTokenCount": 4, "outputBodyJson": [{"x": 1}, {"message": {"usage": {"input_tokens": 9}}}]},
        "response": {"id": "r", "model": "gpt-4o", "usage": {"prompt_tokens": 1, "service_tier": "flex"}},
        "tokens_prompt": "7",
        "message": SAID,
    }
    cleaned = orjson.loads(orjson.dumps(privacy.without_content(record)))
    assert cleaned == {
        "usage": {"input": 12, "output": "5", "total": 17},
        "llm.token_count.prompt": 12,
        "input": {"inputTokenCount": 3},
        "output": {"outputTokenCount": 4, "outputBodyJson": [{"message": {"usage": {"input_tokens": 9}}}]},
        "response": {"model": "gpt-4o", "usage": {"prompt_tokens": 1, "service_tier": "flex"}},
        "tokens_prompt": "7",
        "message": None,
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from([KEY, "a@b.co", f"x {KEY}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["prompt", "usage", "input", "key", "value", "model", "n", "metadata"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_cleaning_what_is_clean_changes_nothing(value):
    once = orjson.dumps(privacy.without_content(privacy.exact(json.dumps(value))))
    assert orjson.dumps(privacy.without_content(privacy.exact(once))) == once
    assert KEY.encode() not in once
    assert b"a@b.co" not in once


def names_of(structure):
    if isinstance(structure, dict):
        for name, inner in structure.items():
            yield name
            yield from names_of(inner)
    if isinstance(structure, list):
        for inner in structure:
            yield from names_of(inner)


def test_no_field_an_importer_reads_is_taken_for_content():
    read = {
        name
        for form in formats().values()
        if form is not otlp.FORMAT  # its structure is of its own making, out of the aliases
        for structure in (form.structure, *(inner for _, inner in form.within.values()))
        for name in names_of(structure)
    } | {alias for aliases in otlp._ALIASES.values() for alias in aliases}
    counts = {"input", "output"}  # objects with counts in them, or counts
    assert {name for name in read if privacy.is_content(name) and name not in counts
            and not name.startswith(("input_", "output_", "prompt_details", "completion_details"))} == set()  # fmt: skip


# traces


def test_spans_without_ids_are_refused_and_the_others_kept(client, written):
    content = json.dumps(request_of(span(), span(spanId=""), {"name": "no ids"}, "no span"))
    answer = client.post("/v1/traces", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    partial = answer.json()["partialSuccess"]
    assert partial["rejectedSpans"] == "3"
    assert "spanId" in partial["errorMessage"]
    (line,) = map(json.loads, written())
    (only,) = line["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert only["spanId"] == span()["spanId"]
    assert [a["key"] for a in only["attributes"]] == ["gen_ai.operation.name", "gen_ai.usage.input_tokens"]


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        '{"resourceSpans": {}}',
        '{"resourceSpans": [1]}',
        '{"resourceSpans": [{"scopeSpans": [{"spans": 1}]}]}',
        "x",
    ],
)
def test_what_is_no_export_request(content):
    with pytest.raises(decoding.RefusedError) as refused:
        decoding.batch_of("traces", content.encode(), "application/json", "", 1000)
    assert refused.value.status == 400


def test_protobuf_is_the_same_request_and_answered_in_protobuf(client, written):
    messages = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    from google.protobuf.json_format import ParseDict

    packed = {"content-type": "application/x-protobuf"}
    plain = request_of(span(), span(traceId="", spanId=""))
    as_base64 = json.loads(json.dumps(plain))
    for one in as_base64["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for name in ("traceId", "spanId"):
            one[name] = base64.b64encode(bytes.fromhex(one[name])).decode()
    content = ParseDict(as_base64, messages.ExportTraceServiceRequest()).SerializeToString()
    answer = client.post("/v1/traces", content=gzip.compress(content), headers=packed | {"content-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-protobuf"
    assert messages.ExportTraceServiceResponse.FromString(answer.content).partial_success.rejected_spans == 1
    (line,) = map(json.loads, written())
    (found,) = line["resourceSpans"][0]["scopeSpans"][0]["spans"]
    (sent,) = json.loads(orjson.dumps(privacy.without_content(request_of(span()))))["resourceSpans"][0]["scopeSpans"][
        0
    ]["spans"]
    assert found == sent
    problem(client.post("/v1/traces", content=b"\xff\xff", headers=packed), 400)


def test_without_the_decoder_protobuf_is_refused_with_the_way_out(client, monkeypatch):
    monkeypatch.setattr(decoding, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    answer = client.post("/v1/traces", content=b"", headers={"content-type": "application/x-protobuf"})
    assert "application/json" in problem(answer, 415)


# the pass that takes the files


@pytest.fixture
def home(tmp_path):
    made = settings_module.Settings(home=tmp_path / "home", threads=2, memory_limit="1GB")
    made.create_home()
    return made


def put(home, *groups):
    """Each group is a list of batches (lists of records) that waited together."""
    made = spool.Spool(home.collected, 10**9)
    for group in groups:
        made.write([decoding.batch_of("logs", body(*records), LINES["content-type"], "", 10**6) for records in group])


def call(number, **changes):
    return {"timestamp": f"2026-11-01T10:00:{number % 60:02}Z", "request_id": f"r{number}",
            "provider_id": "openai", "model_id": "gpt-4o", "execution_latency_ms": 5, "translation_latency_ms": 0,
            "micro_retry_count": 0, "usage": {"prompt_tokens": number, "completion_tokens": 1}, **changes}  # fmt: skip


def counts(home):
    from pipelines import warehouse

    with warehouse.reading(home) as connection:
        return connection.execute("select count(*), count(distinct event_id) from raw.calls").fetchone()


def test_a_pass_joins_the_files_of_a_format_and_removes_them(home, monkeypatch):
    monkeypatch.setattr(collected, "SEGMENT_FILES", 3)
    nameless = {name: value for name, value in call(99).items() if name != "request_id"}
    put(
        home,
        [[call(1), call(2)], [call(3, tenant="acme")]],
        [[call(1), call(2)]],
        [[call(4)]],
        [[nameless], [nameless]],
    )
    emptied = inbox.empty(home)
    assert sum(receipt.read_count for receipt in emptied.receipts) >= 5
    assert all(receipt.quarantined_count == 0 for receipt in emptied.receipts)
    assert counts(home) == (5, 5)
    assert list(home.collected.iterdir()) == []
    put(home, [[call(2), call(5)]], [[nameless]])  # again, with something new
    inbox.empty(home)
    assert counts(home) == (6, 6)


def test_a_pass_killed_before_removing_loses_and_doubles_nothing(home, monkeypatch):
    put(home, [[call(1)]], [[call(2)]])
    kept = {file: file.read_bytes() for file in home.collected.iterdir()}
    inbox.empty(home)
    for file, content in kept.items():
        file.write_bytes(content)
    put(home, [[call(3)]])
    inbox.empty(home)
    assert counts(home) == (3, 3)
    assert list(home.collected.iterdir()) == []


def test_what_no_importer_takes_is_set_aside_and_keeps_nobody_waiting(home):
    put(home, [[{"colour": "red"}]], [[call(1)]])
    emptied = inbox.empty(home)
    ((name, reason),) = emptied.set_aside
    assert "colour" in reason
    assert (home.inbox / "set-aside" / name).read_bytes() == b'{"colour":"red"}\n'
    assert counts(home) == (1, 1)


def test_the_collector_keeps_serving_while_a_client_goes_away(tmp_path, written):
    """A post cancelled while it waits takes nobody with it."""
    from serving.collector import Collector

    async def scene():
        collector = Collector(Collecting(tmp_path / "spool"))
        batches = [decoding.batch_of("logs", body({"a": n}), LINES["content-type"], "", 1000) for n in range(3)]
        tasks = [asyncio.create_task(collector._keep(batch)) for batch in batches]
        await asyncio.sleep(0)
        tasks[1].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third = asyncio.run(scene())
    assert (first, third) == (None, None)
    assert isinstance(second, asyncio.CancelledError)
    assert b'{"a":0}' in written()
    assert b'{"a":2}' in written()
