from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from pipelines import warehouse
from pipelines.pricing import readings, tables
from pipelines.settings import Settings
from scrapers.store import PageStore

SOURCE = "cohere/pricing"
FIRST = datetime(2026, 10, 1, 8, tzinfo=UTC)
CARD = (
    '<div data-component="ModelCard"><p>{name}</p><p>About it.</p><div><p>Input</p><div><p>${input}</p><p>/ 1M tokens</p>'
    "</div></div><div><p>Output</p><div><p>${output}</p><p>/ 1M tokens</p></div></div></div>"
)


def page(*cards):
    body = "".join(CARD.format(name=name, input=cost, output=out) for name, cost, out in cards)
    return f"<!doctype html><html><body><h2>Generative models</h2>{body}</body></html>".encode()


GOOD = page(("Command R", "0.15", "0.60"), ("Command A", "2.50", "10.00"))
SHELL = b'<!doctype html><html><body><div id="root"></div><script src="/app.js"></script></body></html>'


class Book:
    def __init__(self, folder):
        self.settings = Settings(home=folder / "home", threads=2, memory_limit="1GB")
        self.settings.create_home()

    def add(self, body, fetched_at=FIRST, source=SOURCE):
        PageStore(self.settings.pages).add(body, source=source, url="https://cohere.com/pricing", fetched_at=fetched_at)

    def read(self):
        return readings.read_stored_pages(self.settings)

    def query(self, sql):
        with warehouse.reading(self.settings) as connection:
            return connection.execute(sql).fetchall()

    def content(self):
        return [
            self.query(f"select * from {table} order by all")
            for table in ("raw.price_captures", "raw.price_observations")
        ]


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path)


@pytest.fixture
def mended(monkeypatch):
    """Gives the reader its next version."""

    def mend():
        reader, source = readings.sources()[SOURCE]
        newer = {**readings.sources(), SOURCE: (replace(reader, version=reader.version + 1), source)}
        monkeypatch.setattr(readings, "sources", lambda: newer)
        return reader.version

    return mend


def test_there_is_nothing_to_read_in_an_empty_store(book):
    assert book.read() == []
    assert book.content() == [[], []]


def test_a_page_is_read_once(book):
    book.add(GOOD)
    (outcome,) = book.read()
    assert (outcome.source, outcome.captured_at, outcome.row_count, outcome.error_name) == (SOURCE, FIRST, 4, None)
    once = book.content()
    assert book.read() == []
    assert book.content() == once
    book.add(GOOD)  # the same capture, stored again
    assert book.read() == []
    assert book.content() == once


def test_the_same_page_of_another_day_is_another_reading(book):
    book.add(GOOD)
    book.read()
    book.add(GOOD, FIRST + timedelta(days=1))
    (outcome,) = book.read()
    assert outcome.captured_at == FIRST + timedelta(days=1)
    assert book.query("select count(*), count(distinct observation_id) from raw.price_observations") == [(8, 8)]


def test_a_mended_reader_reads_every_page_again_and_its_rows_stand_beside_the_old(book, mended):
    book.add(GOOD)
    book.add(SHELL, FIRST + timedelta(days=1))
    book.read()
    before = book.content()
    version = mended()
    assert [outcome.captured_at for outcome in book.read()] == [FIRST, FIRST + timedelta(days=1)]
    for table, old in zip(book.content(), before, strict=True):
        assert set(old) < set(table)
        assert len(table) == 2 * len(old)
    assert book.query("select reader_version, count(*) from raw.price_observations group by all order by all") == [
        (version, 4),
        (version + 1, 4),
    ]
    assert book.read() == []


def test_a_failure_is_recorded_and_stops_nobody(book):
    book.add(SHELL)
    book.add(GOOD, FIRST + timedelta(hours=1))
    failed, read = book.read()
    assert (failed.status, failed.error_name, failed.row_count) == ("failed", "no_prices", 0)
    assert "https://cohere.com/pricing" in failed.error_message
    assert (read.error_name, read.row_count) == (None, 4)
    assert book.query(
        "select status, error_name, error_message, row_count from raw.price_captures where status = 'failed'"
    ) == [("failed", "no_prices", failed.error_message, 0)]
    assert book.query("select distinct captured_at from raw.price_observations") == [(FIRST + timedelta(hours=1),)]
    assert book.read() == []  # the same reader would fail the same way


def test_every_row_carries_its_reading_and_what_it_was_read_from(book):
    book.add(GOOD)
    book.add(page(("Command R", "0.10", "0.40")), FIRST + timedelta(days=1))
    outcomes = book.read()
    found = book.query(
        "select reading_id, captured_at, sha256, source, reader_version, count(*) from raw.price_observations"
        " group by all order by captured_at"
    )
    wanted = "reading_id, captured_at, sha256, source, reader_version, row_count"
    assert found == book.query(f"select {wanted} from raw.price_captures order by captured_at")
    assert [row[0] for row in found] == [outcome.reading_id for outcome in outcomes]
    assert found[0][2] == hashlib.sha256(GOOD).hexdigest()
    assert book.query(
        "select model, meter, amount, unit_amount from raw.price_observations where captured_at = '2026-10-02 08:00:00+00'"
        " order by meter"
    ) == [
        ("command-r-08-2024", "input", Decimal("0.10"), Decimal("0.0000001")),
        ("command-r-08-2024", "output", Decimal("0.40"), Decimal("0.0000004")),
    ]


def test_pages_of_a_source_nobody_reads_are_left_in_the_store(book):
    book.add(GOOD, source="nobody/pricing")
    assert book.read() == []
    assert book.query("select * from raw.price_captures") == []


def test_an_interrupted_pass_leaves_nothing_and_the_next_does_it_all(book, monkeypatch):
    book.add(GOOD)
    insert = tables.insert

    def full(connection, table, rows):
        if table == "raw.price_observations":
            raise OSError("the disk is full")
        insert(connection, table, rows)

    with monkeypatch.context() as patch:
        patch.setattr(tables, "insert", full)
        with pytest.raises(OSError, match="full"):
            book.read()
    assert book.content() == [[], []]
    assert len(book.read()) == 1


def test_a_reading_is_named_by_page_instant_and_reader_version():
    name = readings.reading_id(SOURCE, FIRST, "a" * 64, 1)
    assert readings.reading_id(SOURCE, FIRST.astimezone(timezone(timedelta(hours=5))), "a" * 64, 1) == name
    others = [
        ("cohere/other", FIRST, "a" * 64, 1),
        (SOURCE, FIRST + timedelta(seconds=1), "a" * 64, 1),
        (SOURCE, FIRST, "b" * 64, 1),
        (SOURCE, FIRST, "a" * 64, 2),
    ]
    assert len({name, *(readings.reading_id(*other) for other in others)}) == 5
