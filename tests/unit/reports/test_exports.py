from __future__ import annotations

import csv
import hashlib
import io
import json

import pytest

from reports import exports
from reports.errors import BadDestinationError, UnknownTableError

TEXTS = ["plain", "a, comma", 'a "quote"', "two\nlines", "", "ünïcode"]


@pytest.fixture
def odd(connection):
    connection.execute(
        "create table marts.odd (n integer, words varchar, exact decimal(38, 18), whole decimal(9, 0),"
        " happened_at timestamptz, tags varchar[])"
    )
    connection.executemany(
        "insert into marts.odd values (?, ?, '0.225000000000000000', 100, '2026-10-01 02:00:00+02', ['x', 'y'])",
        [[number, text] for number, text in enumerate(TEXTS)],
    )
    connection.execute(
        "insert into marts.odd values (6, null, '12345678901234567890.000000000000000001', 0, null, null)"
    )
    connection.execute("insert into marts.odd values (7, null, '100', 100, null, [])")
    return connection


def test_csv_is_quoted_as_rfc_4180_says(odd, tmp_path):
    file = tmp_path / "odd.csv"
    made = exports.export(odd, "odd", "csv", file)
    text = file.read_text(encoding="utf-8")
    assert '"a ""quote"""' in text
    assert '"two\nlines"' in text
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert [row["words"] for row in rows[:6]] == TEXTS
    assert [row["exact"] for row in rows[5:]] == ["0.225", "12345678901234567890.000000000000000001", "100"]
    assert (rows[0]["whole"], rows[0]["happened_at"], rows[0]["tags"]) == ("100", "2026-10-01T00:00:00.000000Z", "x;y")
    assert (made.table, made.row_count, made.byte_count) == ("odd", 8, file.stat().st_size)
    assert made.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_empty_text_and_nothing_differ_in_csv(odd, tmp_path):
    exports.export(odd, "odd", "csv", tmp_path / "odd.csv")
    lines = (tmp_path / "odd.csv").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith('4,"",') for line in lines)
    assert any(line.startswith("6,,") for line in lines)


def test_json_lines_carry_exact_decimals_as_text(odd, tmp_path):
    file = tmp_path / "odd.json"
    exports.export(odd, "marts.odd", "json", file)
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [row["words"] for row in rows[:6]] == TEXTS
    assert rows[6]["exact"] == "12345678901234567890.000000000000000001"
    assert (rows[0]["exact"], rows[0]["happened_at"], rows[0]["tags"]) == (
        "0.225",
        "2026-10-01T00:00:00.000000Z",
        ["x", "y"],
    )


def test_parquet_keeps_types(odd, tmp_path):
    file = tmp_path / "odd.parquet"
    exports.export(odd, "odd", "parquet", file)
    assert (
        odd.execute(f"select * from '{file}' order by n").fetchall()
        == odd.execute("select * from marts.odd order by n").fetchall()
    )


def test_the_same_content_is_the_same_bytes(odd, tmp_path):
    first = exports.export(odd, "odd", "csv", tmp_path / "a.csv")
    odd.execute("create table t as select * from marts.odd order by n desc")
    odd.execute("delete from marts.odd")
    odd.execute("insert into marts.odd select * from t")
    assert exports.export(odd, "odd", "csv", tmp_path / "b.csv").sha256 == first.sha256


@pytest.mark.parametrize("table", ["nothing", "raw.calls", "odd; drop table marts.odd", 'odd"'])
def test_an_unknown_table_is_named_with_those_there_are(odd, tmp_path, table):
    with pytest.raises(UnknownTableError, match="there are: odd, price_history, prices_current"):
        exports.export(odd, table, "csv", tmp_path / "x.csv")
    assert not (tmp_path / "x.csv").exists()


def test_a_destination_that_cannot_be_is_named(odd, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder" / "x.csv").mkdir(parents=True)
    for file in (tmp_path / "file" / "x.csv", tmp_path / "folder" / "x.csv"):
        with pytest.raises(BadDestinationError, match="--out"):
            exports.export(odd, "odd", "csv", file)
    assert (tmp_path / "file").read_text() == "mine"
    assert not list(tmp_path.rglob(".tmp-*"))


def test_a_folder_gets_every_mart_and_a_manifest_of_whole_files(odd, tmp_path):
    odd.execute("create table marts.cost_calls as select 'e' as event_id, timestamptz '2026-10-01' as occurred_at")
    folder = tmp_path / "it's here"
    told = []
    made = exports.export_all(odd, folder, on_progress=told.append)
    files = json.loads((folder / "manifest.json").read_text())["files"]
    assert told == [one.file for one in made] == [one["file"] for one in files]
    assert sorted(path.name for path in folder.iterdir()) == sorted(["manifest.json", *told])
    assert [name for name in told if name.startswith("cost_calls")] == ["cost_calls.parquet"]
    for one in files:
        assert hashlib.sha256((folder / one["file"]).read_bytes()).hexdigest() == one["sha256"]
