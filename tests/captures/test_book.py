"""The book over real captures: replayed in any order, through announcements, beside what other lists say."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.pricing import readings, tables
from pipelines.pricing.book import in_force
from scrapers.prices import Capture

MARTS = ("price_history", "prices_current", "prices_upcoming", "price_changes", "price_discrepancies", "price_coverage")
START = datetime(2026, 8, 16, 16, tzinfo=UTC)
HISTORY = "select * from marts.price_history order by all"
CHANGES = "select * from marts.price_changes order by all"


def at(day: str, hour: int = 0) -> datetime:
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC)


class Book:
    """The models over captures, each read by the present reader of its source; `seconds` is what building took."""

    seconds = 0.0

    def __init__(self, models: Any, connection: duckdb.DuckDBPyConnection) -> None:
        self.models = models
        self.connection = connection

    def add(self, source: str, path: Path, captured_at: datetime, *, status: str | None = None) -> str:
        """Put one capture in; gives what came of reading it."""
        reader, where = readings.sources()[source]
        capture = Capture(source, where.url, captured_at, path.read_bytes())
        outcome, rows = readings.read(capture, reader, where)
        values = readings._capture_values(outcome, reader, where, capture)
        tables.insert(self.connection, "raw.price_captures", [values | {"status": status or outcome.status}])
        tables.insert(self.connection, "raw.price_observations", rows)
        tables.insert(self.connection, "raw.price_skips", readings.skips(capture, reader, outcome))
        return outcome.status

    def build(self, *names: str) -> Book:
        self.models.build(self.connection, *(names or MARTS))
        return self

    def ask(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, list(arguments)).fetchall()


@pytest.fixture
def book(price_models: Any) -> Iterator[Book]:
    with price_models.memory() as connection:
        yield Book(price_models, connection)


def dated(captures: Path, folder: str, pattern: str = "*.md") -> list[tuple[Path, datetime]]:
    return [(path, at(path.name[:10])) for path in sorted((captures / "pages" / folder).glob(pattern))]


@pytest.fixture
def deepseek(captures: Path, book: Book) -> Book:
    for path, day in dated(captures, "deepseek/md_history", "*_en_*"):
        assert book.add("deepseek/pricing_md", path, day) == "accepted"
    return book


def test_captures_in_any_order_make_the_same_book(captures: Path, book: Book) -> None:
    pages = dated(captures, "anthropic/md_history")
    assert len(pages) == 30
    answers = []
    for seed in (None, 1, 2):
        for table in ("captures", "observations", "skips"):
            book.ask(f"delete from raw.price_{table}")
        for path, day in random.Random(seed).sample(pages, len(pages)) if seed else pages:
            assert book.add("anthropic/docs_markdown", path, day) == "accepted"
        book.build("price_history", "price_changes")
        answers.append((book.ask(HISTORY), book.ask(CHANGES)))
    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0][0]) > 100


def test_only_a_capture_whose_rows_differ_tells_of_a_change(captures: Path, book: Book) -> None:
    pages = dated(captures, "anthropic/md_history")
    for path, day in pages:
        book.add("anthropic/docs_markdown", path, day)
    book.build("price_changes")
    facts: dict[datetime, set[tuple[Any, ...]]] = {day: set() for _, day in pages}
    for day, *fact in book.ask(
        """select captured_at, model, meter, service_tier, region, context_from, context_inclusive, window_definition,
            currency, applies_to, unit_amount, status from raw.price_observations"""
    ):
        facts[day].add(tuple(fact))
    days = sorted(facts)
    differing = {day for before, day in itertools.pairwise(days) if facts[before] != facts[day]}
    told = {day for (day,) in book.ask("select distinct known_at from marts.price_changes where not is_baseline")}
    assert told == differing
    assert 0 < len(differing) < len(days) - 1


def test_three_captures_of_one_morning_agree(captures: Path, book: Book) -> None:
    for hour, letter in enumerate("abc", start=1):
        path = captures / f"pages/google-gemini/2026-04-27{letter}_full_page.html"
        assert book.add("google/pricing", path, at("2026-04-27", hour)) == "accepted"
    book.build("price_changes")
    assert len(book.ask("select distinct sha256 from raw.price_captures")) == 3
    assert book.ask("select * from marts.price_changes where not is_baseline") == []
    assert len(book.ask("from marts.price_changes")) > 100


def test_a_notice_is_no_price_and_a_dated_table_is_announced(deepseek: Book) -> None:
    deepseek.build("price_history", "price_changes")
    told = deepseek.ask("select known_at, what, count(*) from marts.price_changes where not is_baseline group by all")
    assert told == [(at("2026-08-14"), "announced", 12)]
    rows = deepseek.ask(
        """select distinct window_name, status, valid_from, valid_to, window_definition is not null
        from marts.price_history where known_to is null order by all"""
    )
    assert [(row[0], *row[1:]) for row in rows] == [
        ("off_peak", "announced", START, None, True),
        ("peak", "announced", START, None, True),
        (None, "active", at("2026-08-02"), START, False),
    ]


def test_it_goes_live_as_the_row_that_was_announced(captures: Path, deepseek: Book) -> None:
    announced = "select price_id from marts.price_history where window_name is not null order by all"
    before = deepseek.build("price_history").ask(announced)
    page = captures / "pages/deepseek/md_history/2026-08-14_en_pricing.md"
    deepseek.add("deepseek/pricing_md", page, at("2026-08-17"))
    deepseek.build("price_history", "price_changes")
    assert deepseek.ask(announced) == before
    assert len(before) == 12
    told = deepseek.ask(
        "select what, count(*) from marts.price_changes where known_at = $1 group by what", at("2026-08-17")
    )
    assert told == [("started", 12)]
    assert deepseek.ask("select count(*) from marts.price_history where valid_from > $1", START) == [(0,)]


def test_called_off_the_old_price_goes_on(captures: Path, deepseek: Book) -> None:
    page = captures / "pages/deepseek/md_history/2026-08-13_en_pricing.md"
    deepseek.add("deepseek/pricing_md", page, at("2026-08-18"))
    deepseek.build("price_history", "price_changes")
    told = deepseek.ask(
        "select what, count(*) from marts.price_changes where known_at = $1 group by what", at("2026-08-18")
    )
    assert told == [("cancelled", 12)]
    for known, amounts in ((at("2026-08-15"), {"1.98", "3.96"}), (at("2026-08-18"), {"0.87"})):
        found = in_force(deepseek.connection, "deepseek", "deepseek-v4-pro", at=at("2026-08-17"), known_at=known)
        assert {f"{row['amount'].normalize()}" for row in found if row["meter"] == "output"} == amounts


@pytest.mark.parametrize("status", ["failed", "quarantined", "rejected"])
def test_a_page_that_is_not_believed_withdraws_nothing(captures: Path, deepseek: Book, status: str) -> None:
    facts = (HISTORY, CHANGES, "select * from marts.prices_current order by all")
    before = [deepseek.build().ask(query) for query in facts]
    page = captures / "pages/deepseek/2026-07-27_updates_changelog.html"
    if status == "failed":
        assert deepseek.add("deepseek/pricing_md", page, at("2026-08-20")) == "failed"
    else:
        one = captures / "pages/deepseek/md_history/2026-08-02_en_pricing.md"
        deepseek.add("deepseek/pricing_md", one, at("2026-08-20"), status=status)
    assert [deepseek.build().ask(query) for query in facts] == before
    (age,) = deepseek.ask("select distinct last_seen_at from marts.price_coverage")
    assert age == (at("2026-08-14"),)


@pytest.fixture(scope="module")
def lists(captures: Path, price_models: Any) -> Iterator[Book]:
    """Pages of makers and resellers beside four lists at every date there is."""
    with price_models.memory() as connection:
        book = Book(price_models, connection)
        found = captures / "price_lists"
        for path in sorted((found / "litellm").glob("*.json")):
            book.add("litellm/map", path, at(path.stem[-10:]))
        for path in sorted((found / "genai-prices").glob("history_*.json")):
            book.add("genai_prices/data", path, at(path.stem[-10:]))
        for path in sorted((found / "models.dev").glob("*.json")):
            book.add("models_dev/api", path, at(path.stem[4:14]))
        pages = captures / "pages"
        book.add("openrouter/models", pages / "openrouter/2026-05-22_models.json", at("2026-05-22"))
        book.add("xai/models", pages / "xai/2026-07-27_docs.x.ai_models.html", at("2026-07-27"))
        for name in ("docs.together.ai_serverless-models", "together.ai_pricing"):
            source = "together/docs" if name.startswith("docs") else "together/pricing"
            book.add(source, pages / f"together/2026-07-27_{name}.html", at("2026-07-27"))
        for path, day in dated(captures, "openai/md_history"):
            book.add("openai/pricing_markdown", path, day)
        for path, day in dated(captures, "anthropic/md_history"):
            book.add("anthropic/docs_markdown", path, day)
        begun = time.process_time()
        book.build()
        book.seconds = time.process_time() - begun
        yield book


def test_tens_of_thousands_of_rows_take_seconds(lists: Book) -> None:
    ((rows,),) = lists.ask("select count(*) from raw.price_observations")
    assert rows > 25_000
    assert lists.seconds < 15


def test_lists_are_held_against_the_makers_pages(lists: Book) -> None:
    found = lists.ask(
        """select provider, model, meter, context_from, deciding_source, deciding_unit_amount * 1000000, other_source,
            other_unit_amount * 1000000, known_since from marts.price_discrepancies"""
    )
    cached = {row[3]: row[4:] for row in found if row[:3] == ("xai", "grok-4.5", "cache_read")}
    assert cached == {
        0: ("xai/models", Decimal("0.3"), "models_dev/api", Decimal("0.5"), at("2026-07-27")),
        200_000: ("xai/models", Decimal("0.6"), "models_dev/api", Decimal(1), at("2026-07-27")),
    }
    llama = {
        (row[2], row[5], row[6], row[7])
        for row in found
        if row[:2] == ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo")
    }
    assert llama == {
        (meter, Decimal("1.04"), source, Decimal("0.88"))
        for meter in ("input", "output")
        for source in ("litellm/map", "genai_prices/data")
    }


def test_a_reseller_never_speaks_against_the_maker(lists: Book) -> None:
    """OpenRouter sells makers' models at other prices; only other lists of its own prices are compared with it."""
    assert len(lists.ask("from marts.price_discrepancies where deciding_source = 'openrouter/models'")) > 50
    assert (
        lists.ask(
            """select * from marts.price_discrepancies
        where 'openrouter/models' in (deciding_source, other_source) and provider <> 'openrouter'"""
        )
        == []
    )
    assert (
        lists.ask("select distinct deciding_kind from marts.price_discrepancies where deciding_kind = 'aggregator'")
        == []
    )
    assert lists.ask("select * from marts.prices_current where evidence_kind = 'aggregator'") == []


def test_what_a_list_set_aside_is_not_withdrawn(lists: Book) -> None:
    """Entries of an earlier date that a later one holds and could not be read keep their last good price."""
    kept = lists.ask(
        """select distinct source, entry from staging.stg_prices__skips as skips
        where exists (
            select 1 from intermediate.int_prices__stated as stated
            where stated.is_carried and stated.source = skips.source and stated.capture_number = skips.capture_number
        )"""
    )
    assert kept != []
    assert lists.ask(
        """select withdrawn.model, skips.entry
        from marts.price_changes as withdrawn
        inner join intermediate.int_prices__readings as readings
            on withdrawn.source = readings.source and withdrawn.fetched_at = readings.captured_at
        inner join staging.stg_prices__skips as skips
            on readings.source = skips.source and readings.capture_number = skips.capture_number
                and skips.entry in (withdrawn.model, withdrawn.provider || '/' || withdrawn.model)
        where withdrawn.what = 'withdrawn'"""
    ) == []  # fmt: skip


def test_every_row_names_a_stored_body(lists: Book) -> None:
    assert (
        lists.ask(
            """select price_id from marts.price_history
        where sha256 not in (select sha256 from raw.price_captures) or evidence_where is null or evidence_text is null"""
        )
        == []
    )
    assert (
        lists.ask(
            "select change_id from marts.price_changes where sha256 not in (select sha256 from raw.price_captures)"
        )
        == []
    )
