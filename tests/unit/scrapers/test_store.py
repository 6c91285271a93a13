"""The page store: nothing lost, nothing changed, nothing secret."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from scrapers.errors import StoreDamaged
from scrapers.store import CaptureRecord, Hop, PageStore, kept_headers

NOON = datetime(2026, 7, 27, 12, 0, tzinfo=UTC)


def add(store: PageStore, body: bytes = b"page", minutes: int = 0, source: str = "acme/pricing") -> CaptureRecord:
    return store.add(
        body,
        source=source,
        url="https://acme.example/pricing",
        fetched_at=NOON + timedelta(minutes=minutes),
        headers={"Content-Type": "text/html", "ETag": '"1"'},
    )


def files(store: PageStore) -> list[str]:
    return sorted(str(p.relative_to(store.root)) for p in store.root.rglob("*") if p.is_file())


def test_a_capture_comes_back_as_it_was_put_in(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    record = add(store)
    assert store.records() == [record]
    capture = store.capture(record)
    assert capture.body == b"page"
    assert capture.sha256 == record.sha256 == hashlib.sha256(b"page").hexdigest()
    assert (capture.source, capture.url, capture.captured_at) == ("acme/pricing", "https://acme.example/pricing", NOON)
    assert (capture.content_type, capture.status_code) == ("text/html", 200)


def test_the_same_content_is_stored_once_and_recorded_twice(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    first, again = add(store), add(store, minutes=1)
    sha = first.sha256
    assert again.sha256 == sha
    assert files(store) == [
        f"captures/acme-pricing/20260727T120000.000000Z-acme-pricing-{sha[:16]}.json",
        f"captures/acme-pricing/20260727T120100.000000Z-acme-pricing-{sha[:16]}.json",
        f"pages/{sha[:2]}/{sha}.body",
    ]


def test_captures_of_one_source_in_the_order_of_time(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    assert store.latest("acme/pricing") is None
    late, early = add(store, b"new", minutes=5), add(store, b"old")
    other = add(store, b"other", minutes=9, source="acme.pricing")
    assert store.records("acme/pricing") == [early, late]
    assert store.latest("acme/pricing") == late
    assert store.records() == [early, late, other]


def test_sources_whose_names_share_a_folder_are_told_apart(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    one, two = add(store, b"1", source="a/b"), add(store, b"2", minutes=1, source="a b")
    assert store.latest("a/b") == one
    assert store.latest("a b") == two
    assert store.records("a/b") == [one]


def test_instants_are_recorded_in_utc(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    local = NOON.astimezone(timezone(timedelta(hours=8)))
    record = store.add(b"x", source="s", url="https://a.example/", fetched_at=local)
    assert record.fetched_at == NOON
    assert any("20260727T120000" in name for name in files(store))
    with pytest.raises(ValueError, match="zone"):
        store.add(b"x", source="s", url="https://a.example/", fetched_at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_unchanged_is_a_record_with_the_body_of_before(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    before = add(store)
    later = store.add_unchanged(before, fetched_at=NOON + timedelta(days=1), redirects=(), headers={"etag": '"2"'})
    assert (later.status, later.outcome, later.sha256) == (304, "unchanged", before.sha256)
    assert later.headers == {"content-type": "text/html", "etag": '"2"'}
    assert store.latest("acme/pricing") == later
    assert store.capture(later).body == b"page"
    assert store.capture(later).captured_at == NOON + timedelta(days=1)
    assert store.capture(later).status_code == 200


def test_no_secret_is_recorded(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    store.add(
        b"x",
        source="s",
        url="https://me:hunter2@a.example/p?token=hunter2",
        final_url="https://a.example/p?signature=hunter2",
        redirects=(Hop(url="https://a.example/?session=hunter2", status=302),),
        fetched_at=NOON,
        headers={
            "Set-Cookie": "id=hunter2",
            "X-Amz-Security-Token": "hunter2",
            "Authorization": "hunter2",
            "ETag": "e",
        },
    )
    text = b"".join((store.root / name).read_bytes() for name in files(store))
    assert b"hunter2" not in text
    assert b"REDACTED" in text
    assert kept_headers({"Set-Cookie": "a", "DATE": "today"}) == {"date": "today"}


def test_a_damaged_body_is_noticed_and_put_back(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    record = add(store)
    path = store.body_path(record.sha256)
    path.write_bytes(b"pagX")
    with pytest.raises(StoreDamaged, match="hash differs"):
        store.capture(record)
    add(store, minutes=1)
    assert store.body(record.sha256) == b"page"
    path.unlink()
    assert not store.has(record.sha256)
    with pytest.raises(StoreDamaged, match="cannot be read"):
        store.body(record.sha256)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"source": "s"}', b"\xff"])
def test_a_damaged_record_is_named(tmp_path: Path, content: bytes) -> None:
    store = PageStore(tmp_path)
    add(store)
    path = tmp_path / "captures" / "acme-pricing" / "29990101T000000.000000Z-acme-pricing-0.json"
    path.write_bytes(content)
    with pytest.raises(StoreDamaged, match="29990101T"):
        store.records()
    with pytest.raises(StoreDamaged, match="29990101T"):
        store.latest("acme/pricing")


def test_an_unfinished_file_is_not_read(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    record = add(store)
    (tmp_path / "captures" / "acme-pricing" / ".tmp-0123").write_bytes(b'{"half')
    assert store.records() == [record]


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PageStore(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        add(store)
    assert files(store) == []


def test_a_process_killed_while_storing_leaves_a_whole_store(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import sys
        from datetime import UTC, datetime
        from pathlib import Path
        from scrapers.store import PageStore
        store = PageStore(Path(sys.argv[1]))
        number = 0
        while True:
            number += 1
            store.add(b"page %d" % number * 5000, source="s", url="https://a.example/", fetched_at=datetime.now(UTC))
            print(number, flush=True)
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert process.stdout is not None
    for _ in range(10):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    store = PageStore(tmp_path)
    records = store.records("s")
    assert len(records) >= 10
    for record in records:
        assert store.capture(record).body.startswith(b"page ")


def test_a_record_is_plain_json(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    add(store)
    (path,) = (tmp_path / "captures").rglob("*.json")
    content = json.loads(path.read_text())
    assert content["fetched_at"] == "2026-07-27T12:00:00Z"
    assert sorted(content) == [
        "fetched_at", "final_url", "headers", "outcome", "redirects", "sha256", "size", "source", "status", "url",
    ]  # fmt: skip


def test_two_captures_at_one_instant_are_two_records_and_one_taken_in_twice_is_one(tmp_path: Path) -> None:
    store = PageStore(tmp_path)
    before = add(store)
    again = store.add_unchanged(before, fetched_at=NOON, redirects=(), headers={})
    assert add(store) == before
    assert sorted(record.outcome for record in store.records()) == ["fetched", "unchanged"]
    assert again in store.records()
