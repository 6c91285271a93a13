"""What the book believes of a series of captures, whatever order they come in and whatever is decided."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pipelines import settings as settings_module
from pipelines import warehouse
from pipelines.pricing import decisions, readings
from pipelines.pricing.decisions import Decision
from scrapers.store import PageStore

NAME = "groq/models"
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
PRICES = {"openai/gpt-oss-120b": ("0.15", "0.60"), "openai/gpt-oss-20b": ("0.10", "0.50"), "lab/three": ("1.00", "3.00"),
          "lab/four": ("0.20", "0.90"), "lab/five": ("0.30", "1.10")}  # fmt: skip
SLIP = {**PRICES, "lab/three": ("100.00", "3.00")}
HALF = dict(itertools.islice(PRICES.items(), 2))


def page(prices: dict[str, tuple[str, str]]) -> bytes:
    lines = ["| MODEL ID | PRICE PER 1M TOKENS |", "| --- | --- |"]
    lines += [f"| [{m}](/docs/model/{m}){m} | ${a} input${b} output |" for m, (a, b) in prices.items()]
    return "\n".join(lines).encode()


class Book:
    def __init__(self, home):
        self.settings = settings_module.load(home)
        self.settings.create_home()
        self.store = PageStore(self.settings.pages)

    def take(self, *captures: tuple[int, dict[str, tuple[str, str]]]) -> list[str]:
        for day, prices in captures:
            self.store.add(
                page(prices),
                source=NAME,
                url="https://console.groq.com/docs/models",
                fetched_at=FIRST + timedelta(days=day),
            )
        return [one.status for one in readings.read_stored_pages(self.settings)]

    def decide(self, verdict: str, gate: str) -> None:
        (found,) = {
            one[:3]
            for one in self.ask(
                f"select finding_id, source, message, status from raw.price_findings where gate = '{gate}'"
            )
        }
        decisions.write(
            self.settings,
            Decision(finding_id=found[0], verdict=verdict, reason="a test", decided_by="tester", decided_at=decisions.now(),
                     source=found[1], message=found[2]),
        )  # fmt: skip
        readings.read_stored_pages(self.settings)

    def ask(self, query: str) -> list[tuple]:
        with warehouse.reading(self.settings) as connection:
            return connection.execute(query).fetchall()

    def statuses(self) -> list[str]:
        return [status for (status,) in self.ask("select status from raw.price_captures order by captured_at")]

    def findings(self) -> list[tuple]:
        return self.ask(
            """select captured_at, gate, scope, message, status, observation_id, standing_observation_id
            from raw.price_findings order by all"""
        )


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path / "home")


def test_a_good_page_is_believed_and_a_shrunken_one_waits(book):
    assert book.take((0, PRICES), (1, HALF), (2, PRICES)) == ["accepted", "quarantined", "accepted"]


def test_a_slip_is_held_alone_and_its_page_believed(book):
    assert book.take((0, PRICES), (1, SLIP)) == ["accepted", "accepted"]
    ((held, standing, status),) = book.ask(
        """select new.amount, old.amount, findings.status from raw.price_findings as findings
        join raw.price_observations as new using (observation_id)
        join raw.price_observations as old on old.observation_id = standing_observation_id"""
    )
    assert (held, standing, status) == (Decimal(100), Decimal(1), "waiting")


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_order_of_loading_changes_nothing(tmp_path, order):
    captures = [(0, PRICES), (1, SLIP), (2, HALF), (3, PRICES)]
    together, apart = Book(tmp_path / "together"), Book(tmp_path / "apart")
    together.take(*captures)
    for index in order:
        apart.take(captures[index])
    assert apart.statuses() == together.statuses() == ["accepted", "accepted", "quarantined", "accepted"]
    assert apart.findings() == together.findings()


def test_an_accepted_page_is_what_the_next_is_held_against(book):
    book.take((0, PRICES), (1, HALF))
    for gate in ("shrinking", "too_few_rows"):
        book.decide("accepted", gate)
    book.take((2, HALF))
    assert book.statuses() == ["accepted", "accepted", "quarantined"]
    waiting = book.ask("select distinct gate from raw.price_findings where status = 'waiting'")
    assert waiting == [("too_few_rows",)]  # no longer shrinking


def test_an_accepted_price_enters_and_later_captures_need_no_word(book):
    book.take((0, PRICES), (1, SLIP))
    book.decide("accepted", "magnitude")
    book.take((2, SLIP))
    assert book.statuses() == ["accepted"] * 3
    assert book.ask("select status, count(*) from raw.price_findings group by all") == [("accepted", 1)]
    assert book.ask("select verdict, decided_by, reason from raw.price_decisions") == [("accepted", "tester", "a test")]


def test_a_rejected_price_stays_out_however_often_it_is_seen(book):
    book.take((0, PRICES), (1, SLIP))
    book.decide("rejected", "magnitude")
    book.take((2, SLIP), (3, PRICES))
    assert book.ask("select status, count(*) from raw.price_findings group by all") == [("rejected", 2)]
    assert book.statuses() == ["accepted"] * 4


def test_a_rejected_page_is_not_believed(book):
    book.take((0, PRICES), (1, HALF))
    for gate in ("shrinking", "too_few_rows"):
        book.decide("rejected", gate)
    assert book.statuses() == ["accepted", "rejected"]


def test_reading_again_changes_nothing(book):
    book.take((0, PRICES), (1, SLIP), (2, HALF))
    before = (book.statuses(), book.findings())
    assert book.take() == []
    assert (book.statuses(), book.findings()) == before
