from __future__ import annotations

import json
import random

import pytest

from pipelines.errors import BadInputError, CountsDoNotBalanceError
from pipelines.logs import canonicalising, landing, loading, receipts


def lines(records):
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def mixed(ailib):
    """Calls with ids, without ids, some of those identical, and some that cannot be taken."""
    with_id = [ailib(request_id=f"r{n}", tenant=f"t{n % 3}") for n in range(20)]
    without = [ailib(request_id="", user_id=f"u{n % 4}") for n in range(10)]
    bad = [ailib(request_id="bad", usage={"prompt_tokens": -1}), {"x": 1}]
    return [*with_id, *without, *bad]


def test_order_splits_overlaps_and_repeats_change_nothing(logs, new_logs, mixed):
    receipt = logs.load(mixed)
    assert (receipt.read_count, receipt.accepted_count, receipt.quarantined_count) == (32, 30, 2)
    expected = logs.content()
    shuffled = random.Random(7).sample(mixed, len(mixed))
    # Identical records within one file are several calls; between files they are the same ones. So a split
    # keeps a group of identical ones together, as an export of a window does.
    groups = sorted(mixed, key=lambda record: str(record.get("user_id")))
    arrangements = {
        "shuffled": [shuffled],
        "twice": [mixed, mixed, [*mixed, {"x": 2}]],
        "split": [groups[:22], groups[22:25], groups[25:]],
        "overlapping": [groups[:25], groups[20:], groups[22:28]],
    }
    for name, parts in arrangements.items():
        other = new_logs()
        for turn, records in enumerate(parts):
            part = other.load(records, f"{turn}.jsonl")
            assert part.accepted_count + part.duplicate_count + part.quarantined_count == part.read_count
        if name == "split":
            bounds = [record.get("user_id") for record in (groups[21], groups[22], groups[24], groups[25])]
            assert bounds[0] != bounds[1], "the fixture no longer splits between groups"
        assert other.content() == expected, name


def test_identical_records_without_ids_merge_by_the_most_in_any_file(logs, ailib):
    record = ailib(request_id="")
    counts = [2, 3, 1]
    for turn, count in enumerate(counts):
        logs.load([record] * count + [ailib(request_id=f"only{turn}")], f"{turn}.jsonl")
    assert sum(call["request_id"] is None for call in logs.calls()) == 3
    assert {call["occurrence"] for call in logs.calls()} == {None, 1, 2, 3}


def test_copies_with_different_content_have_one_winner_in_any_order(logs, new_logs, ailib):
    copies = [ailib(tenant="a"), ailib(tenant="b"), ailib(tenant="c")]
    logs.load(copies)
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        other = new_logs()
        receipts = other.ingest(*(other.file(f"{n}.jsonl", [copies[n]]) for n in order))
        assert other.content() == logs.content()
        assert sum(r.accepted_count - r.replaced_count for r in receipts) == len(other.calls()) == 1


def test_a_load_that_fails_leaves_nothing_and_is_taken_up_again(logs, new_logs, mixed, monkeypatch):
    whole = new_logs()
    whole.load(mixed)
    for place, step in ((loading, "quarantine"), (loading, "_settle"), (receipts, "receive")):
        broken = new_logs()
        with monkeypatch.context() as patch:
            real = getattr(place, step)

            def stop(*given, real=real, **named):
                real(*given, **named)
                raise KeyboardInterrupt

            patch.setattr(place, step, stop)
            with pytest.raises(KeyboardInterrupt):
                broken.load(mixed)
        assert broken.calls() == []
        assert broken.quarantine() == []
        (receipt,) = loading.load_pending(broken.settings)
        assert receipt.accepted_count == 30
        assert loading.load_pending(broken.settings) == []
        assert broken.content() == whole.content()


def test_a_landing_cut_short_is_no_segment(logs, mixed, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(landing, "_write_note", stop)
        with pytest.raises(KeyboardInterrupt):
            logs.load(mixed)
    assert loading.load_pending(logs.settings) == []
    assert logs.load(mixed).accepted_count == 30


def test_with_nothing_landed_the_tables_are_there_all_the_same(logs):
    assert loading.load_pending(logs.settings) == []
    assert logs.calls() == []
    assert loading.receipts(logs.settings) == []


def test_counts_that_do_not_balance_load_nothing(logs, mixed, monkeypatch):
    monkeypatch.setattr(loading, "_settle", lambda *_: (1, 0))
    with pytest.raises(CountsDoNotBalanceError, match="read 32"):
        logs.load(mixed)
    assert logs.calls() == []


def test_what_cannot_be_read_is_kept_with_its_line(logs, ailib):
    good = json.dumps(ailib())
    content = b"\n".join(
        [
            b"",
            good.encode(),
            good.encode()[:60],
            b"   ",
            b'{"a": "\xff"}',
            b"[1, 2]",
            b'"text"',
            b"null",
            b'{"a": "x\x00y"}',
            b"\x0b",
        ]
    )
    receipt = logs.load(content)
    assert (receipt.read_count, receipt.accepted_count, receipt.quarantined_count) == (7, 1, 6)
    kept = [(row["line_number"], row["reason"]) for row in logs.quarantine()]
    assert kept == [
        (3, "malformed_json"),
        (5, "malformed_json"),
        (6, "not_an_object"),
        (7, "not_an_object"),
        (8, "not_an_object"),
        (9, "malformed_json"),
    ]
    assert logs.quarantine()[0]["raw"] == good[:60]


def test_a_byte_order_mark_loses_no_line(logs, ailib):
    receipt = logs.load(b"\xef\xbb\xbf" + lines([ailib(), ailib(request_id="r2")]).encode())
    assert receipt.accepted_count == 2


def test_quarantine_keeps_no_content_and_no_secrets(logs, ailib):
    secret = "sk-ant-" + "Zz9" * 10
    bad = {"usage": {"prompt_tokens": -1}}
    whole = ailib(messages=[{"role": "user", "content": "my diagnosis"}], note=f"{secret} ann@example.com", **bad)
    deep = ailib(request={"prompt": "my diagnosis", "after": 1}, **bad)
    escaped = ailib(body=json.dumps({"messages": "my diagnosis"}), **bad)
    cut = lines([ailib(messages="my diagnosis, which is long")])[:-9]
    logs.load(lines([whole, deep, escaped]) + cut)
    raws = [row["raw"] for row in logs.quarantine()]
    assert len(raws) == 4
    assert all("diagnosis" not in raw and "Zz9" not in raw and "ann@" not in raw for raw in raws)
    assert "<key> <email>" in raws[0]
    assert "prompt_tokens" in raws[0]


def test_replay_reads_anew_what_an_importer_took_wrongly(logs, ailib, monkeypatch):
    both = ailib(request_id="both")
    (first, second) = logs.ingest(
        logs.file("1.jsonl", [both, ailib(request_id="one")]), logs.file("2.jsonl", [both, ailib(request_id="two")])
    )
    before = logs.content()
    assert (first.accepted_count, second.duplicate_count) == (2, 1)
    with monkeypatch.context() as patch:
        patch.setattr(canonicalising, "canonical_calls", _rejecting(canonicalising.canonical_calls, first.segment_id))
        replayed = {receipt.segment_id: receipt for receipt in loading.replay(logs.settings, first.segment_id)}
    assert replayed[first.segment_id].quarantined_count == 2
    assert replayed[second.segment_id].accepted_count == 2, "the copy it had lost is the one now"
    loading.replay(logs.settings, first.segment_id)
    assert logs.content() == before
    assert logs.quarantine() == []
    with pytest.raises(BadInputError, match=r"no landed segment .*ratehouse ingest status --json"):
        loading.replay(logs.settings, "nothing")


def _rejecting(real, segment_id):
    """An importer that takes nothing of one segment."""

    def calls(records, form, source, segment, keep=()):
        sql = real(records, form, source, segment, keep)
        if segment != segment_id:
            return sql
        return f"select * replace (null::uuid as event_id, 'broken' as reject_reason) from ({sql})"

    return calls


def test_receipts_before_the_first_load(logs):
    assert loading.receipts(logs.settings) == []


def test_a_damaged_document_keeps_its_first_elements(logs, ailib):
    document = json.dumps([ailib(request_id=str(n)) for n in range(5)], indent=1)
    receipt = logs.load(document[:-200], "log.json")
    assert (receipt.read_count, receipt.accepted_count, receipt.quarantined_count) == (5, 4, 1)
    assert logs.quarantine()[0]["reason"] == "malformed_json"


def test_a_segment_that_cannot_be_read_does_not_keep_the_others_waiting(logs, ailib, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(loading, "_load_all", lambda *_: [])
        for number in (1, 2, 3):
            logs.ingest(logs.file(f"{number}.jsonl", [ailib(request_id=str(number))]))
    broken = landing.landed(logs.settings)[1]
    kept = broken.path(logs.settings).read_bytes()
    broken.path(logs.settings).unlink()
    receipts = loading.load_pending(logs.settings)
    assert [(one.file_name, one.accepted_count, one.loaded_at is None) for one in receipts] == [
        ("1.jsonl", 1, False),
        ("2.jsonl", 0, True),
        ("3.jsonl", 1, False),
    ]
    assert "2.jsonl cannot be read" in receipts[1].damage
    (again,) = loading.load_pending(logs.settings)
    assert again.loaded_at is None
    assert len(loading.receipts(logs.settings)) == 3
    broken.path(logs.settings).write_bytes(kept)
    (mended,) = loading.load_pending(logs.settings)
    assert (mended.accepted_count, mended.damage) == (1, None)
    assert loading.load_pending(logs.settings) == []
    assert len(loading.receipts(logs.settings)) == 3
