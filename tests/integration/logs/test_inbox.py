from __future__ import annotations

import gzip
import json

import pytest

from pipelines.errors import RatehouseError
from pipelines.logs import inbox, loading


@pytest.fixture
def box(logs):
    logs.settings.create_home()
    return logs.settings.inbox


def write(box, name, *records):
    (box / name).write_text("".join(json.dumps(record) + "\n" for record in records))


def left(box):
    return sorted(str(path.relative_to(box)) for path in box.rglob("*") if path.is_file())


def test_a_home_without_an_inbox_gets_an_empty_one(logs):
    assert inbox.empty(logs.settings) == inbox.Emptied((), ())
    assert logs.settings.inbox.is_dir()


def test_files_are_loaded_in_the_order_of_their_names_and_leave(logs, box, ailib):
    write(box, "b.jsonl", ailib(request_id="2"), ailib(request_id="3"))
    (box / "a.gz").write_bytes(gzip.compress(json.dumps(ailib()).encode()))
    emptied = inbox.empty(logs.settings)
    assert [(receipt.file_name, receipt.accepted_count) for receipt in emptied.receipts] == [
        ("a.gz", 1),
        ("b.jsonl", 2),
    ]
    assert emptied.set_aside == ()
    assert left(box) == []
    assert sorted(call["request_id"] for call in logs.calls()) == ["2", "3", "r1"]
    assert inbox.empty(logs.settings) == inbox.Emptied((), ())


def test_what_no_importer_takes_is_set_aside_with_why_and_stops_nobody(logs, box, ailib):
    (box / "empty.jsonl").write_bytes(b"")
    write(box, "odd.jsonl", {"colour": "red"})
    write(box, "plain.jsonl", ailib())
    emptied = inbox.empty(logs.settings)
    assert [receipt.file_name for receipt in emptied.receipts] == ["plain.jsonl"]
    assert [name for name, _ in emptied.set_aside] == ["empty.jsonl", "odd.jsonl"]
    assert left(box) == [
        "set-aside/empty.jsonl",
        "set-aside/empty.jsonl.why.txt",
        "set-aside/odd.jsonl",
        "set-aside/odd.jsonl.why.txt",
    ]
    for name, reason in emptied.set_aside:
        assert (box / "set-aside" / f"{name}.why.txt").read_text() == reason + "\n"
    assert "is empty" in emptied.set_aside[0][1]
    assert "colour" in emptied.set_aside[1][1]
    assert inbox.empty(logs.settings) == inbox.Emptied((), ())


def test_a_file_still_being_copied_and_folders_are_left_alone(logs, box, ailib):
    write(box, ".half.jsonl", ailib())
    (box / "folder").mkdir()
    write(box / "folder", "inner.jsonl", ailib())
    assert inbox.empty(logs.settings) == inbox.Emptied((), ())
    assert left(box) == [".half.jsonl", "folder/inner.jsonl"]


def test_a_file_whose_load_failed_stays_and_the_next_pass_takes_it(logs, box, ailib, monkeypatch):
    write(box, "a.jsonl", ailib())
    with monkeypatch.context() as patch:
        patch.setattr(loading, "_load", lambda *_: (_ for _ in ()).throw(RatehouseError("the disk is full")))
        with pytest.raises(RatehouseError, match="full"):
            inbox.empty(logs.settings)
    assert left(box) == ["a.jsonl"]
    (receipt,) = inbox.empty(logs.settings).receipts
    assert receipt.accepted_count == 1
    assert left(box) == []


def test_the_same_content_again_leaves_and_counts_once(logs, box, ailib):
    write(box, "a.jsonl", ailib())
    first = inbox.empty(logs.settings).receipts
    write(box, "again.jsonl", ailib())
    assert inbox.empty(logs.settings).receipts == first
    assert left(box) == []
    assert len(logs.calls()) == 1
