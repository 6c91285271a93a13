from __future__ import annotations

import hashlib
import json

import pytest

from reports import publication


@pytest.fixture
def root(tmp_path):
    made = tmp_path / "published"
    made.mkdir()
    return made


def test_there_is_nothing_before_the_first(root):
    assert publication.current(root) is None


def test_the_same_content_is_the_same_publication(connection, root):
    first = publication.publish(connection, root)
    pointer = (root / publication.POINTER).read_bytes()
    connection.execute("create table t as select * from marts.price_history order by meter desc")
    connection.execute("delete from marts.price_history")
    connection.execute("insert into marts.price_history select * from t")
    assert publication.publish(connection, root) == first
    assert (root / publication.POINTER).read_bytes() == pointer
    assert sorted(path.name for path in root.rglob("*")) == sorted(
        ["v1", first.snapshot_id, "current.json", "manifest.json", "prices.json", "prices_history.json"]
    )


def test_the_manifest_tells_what_is_there(connection, root):
    made = publication.publish(connection, root)
    assert publication.current(root) == made
    for name, digest in made.manifest["files"].items():
        assert hashlib.sha256((made.folder / name).read_bytes()).hexdigest() == digest
    assert made.manifest["row_counts"] == {"prices": 2, "upcoming": 0, "prices_history": 2}
    assert made.manifest["data_watermark_at"] == "2026-11-01T08:30:00Z"


def test_amounts_are_exact_text_and_instants_are_utc(connection, root):
    prices = json.loads((publication.publish(connection, root).folder / "prices.json").read_bytes())["prices"]
    assert [row["amount"] for row in prices] == ["0.15", "0.600000000000000001"]
    assert {row["valid_from"] for row in prices} == {"2026-10-01T00:00:00Z"}


def test_new_content_moves_the_pointer_and_leaves_the_old_as_it_was(connection, root):
    first = publication.publish(connection, root)
    before = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    connection.execute("update marts.price_history set amount = 0.2 where meter = 'input'")
    second = publication.publish(connection, root)
    assert second.snapshot_id != first.snapshot_id
    assert second.manifest["price_book_version"] != first.manifest["price_book_version"]
    assert publication.current(root) == second
    assert {path.name: path.read_bytes() for path in first.folder.iterdir()} == before
    connection.execute("update marts.price_history set amount = 0.15 where meter = 'input'")
    assert publication.publish(connection, root) == first
    assert publication.current(root) == first


def test_an_announced_price_is_upcoming_and_not_current(connection, root):
    connection.execute(
        "insert into marts.price_history select * replace ('id-new' as price_id, 'announced' as status,"
        " current_timestamp + interval 9 days as valid_from) from marts.price_history where meter = 'input'"
    )
    document = json.loads((publication.publish(connection, root).folder / "prices.json").read_bytes())
    assert [row["price_id"] for row in document["upcoming"]] == ["id-new"]
    assert [row["price_id"] for row in document["prices"]] == ["id-input", "id-output"]


def test_a_failure_before_the_pointer_leaves_the_previous_current(connection, root, monkeypatch):
    first = publication.publish(connection, root)
    connection.execute("update marts.price_history set amount = 0.2")
    with monkeypatch.context() as patch:
        patch.setattr(publication, "_sync", lambda _: (_ for _ in ()).throw(OSError("the disk is full")))
        with pytest.raises(OSError, match="full"):
            publication.publish(connection, root)
    assert publication.current(root) == first
    assert not list(root.rglob(".tmp-*"))
    assert publication.publish(connection, root) != first
