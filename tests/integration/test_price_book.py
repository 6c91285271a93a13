"""The book over random captures: dbt's own SQL against a replay of the captures in plain Python.

The oracle knows nothing of islands or versions. It asks, for one instant on each axis, what the captures
known by then say, reading them one after the other; the last word on an instant counts.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.pricing import tables
from pipelines.pricing.book import PRECEDENCE, in_force

BASE = datetime(2026, 1, 1, tzinfo=UTC)
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
SOURCE = "maker/page"
MARTS = ("price_history", "prices_current", "prices_upcoming", "price_changes", "price_discrepancies", "price_coverage")
EXAMPLES = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FEWER = settings(EXAMPLES, max_examples=15)


def day(number: float) -> datetime:
    return BASE + timedelta(days=number)


@dataclass(frozen=True)
class Line:
    """One price as a page states it: live with or without its start and end, or announced for a day."""

    amount: int
    is_announced: bool = False
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class Page:
    """A capture: at a day, per model its lines, and the models whose entries could not be read."""

    at: float  # a part of a day where two captures share one
    lines: tuple[tuple[str, Line], ...]
    skipped: tuple[str, ...] = ()
    status: str = "accepted"
    version: int = 1
    source: str = SOURCE

    def of(self, model: str) -> list[Line]:
        return [line for name, line in self.lines if name == model]


@st.composite
def pages(draw: st.DrawFn, *, kinds: tuple[str, ...] = ("accepted", "failed", "quarantined")) -> list[Page]:
    days = draw(st.lists(st.integers(0, 12), min_size=1, max_size=6, unique=True))
    found = []
    for at in sorted(days):
        lines = []
        skipped = []
        for model in ("one", "two"):
            what = draw(st.sampled_from(["live", "live", "live", "none", "skipped"]))
            amount = st.sampled_from([1, 2, 3])
            if what == "skipped":
                skipped.append(model)
                continue
            if what == "live":
                start = draw(st.sampled_from([None, None, None, -1, -3, -6]))
                end = draw(st.sampled_from([None, None, None, 1, 3]))
                lines.append((model, Line(draw(amount), start=None if start is None else at + start,
                                          end=None if end is None else at + end)))  # fmt: skip
            coming = draw(st.sets(st.sampled_from([1, 2, 4]), max_size=2))
            lines += [(model, Line(draw(amount), is_announced=True, start=at + start)) for start in coming]
        found.append(Page(at, tuple(lines), tuple(skipped), draw(st.sampled_from(kinds + ("accepted",) * 3))))
    return found


def rows_of(found: Iterable[Page]) -> dict[str, list[dict[str, Any]]]:
    """The raw tables such captures make."""
    raw: dict[str, list[dict[str, Any]]] = {"captures": [], "observations": [], "skips": []}
    for page in found:
        reading = f"{page.source}-{page.at}-{page.version}"
        captured = day(page.at)
        read_at = captured + timedelta(minutes=1) if page.version == 1 else day(100)
        raw["captures"].append(
            {"reading_id": reading, "source": page.source, "reader": "maker", "reader_version": page.version,
             "kind": "official_page", "source_url": "https://maker.example/prices", "captured_at": captured,
             "sha256": f"hash of {page.at}", "read_at": read_at, "status": page.status}
        )  # fmt: skip
        raw["skips"] += [{"reading_id": reading, "entry": model, "reason": "unreadable"} for model in page.skipped]
        for number, (model, line) in enumerate(page.lines):
            raw["observations"].append(
                {"observation_id": f"{reading}-{number}", "reading_id": reading, "reader_version": page.version,
                 "captured_at": captured, "source": page.source, "provider": "openai", "model": model,
                 "model_label": model, "meter": "input", "service_tier": "standard", "region": "global",
                 "context_from": 0, "context_inclusive": False, "context_mode": "whole", "currency": "USD",
                 "amount": Decimal(line.amount), "per_quantity": Decimal(1), "per_unit": "tokens",
                 "unit_amount": Decimal(line.amount),
                 "valid_from": None if line.start is None else day(line.start),
                 "valid_to": None if line.end is None else day(line.end),
                 "valid_from_basis": "first_observed" if line.start is None else "stated",
                 "status": "announced" if line.is_announced else "active", "kind": "official_page",
                 "source_url": "https://maker.example/prices", "sha256": f"hash of {page.at}",
                 "evidence_where": f"{model} / input", "evidence_text": str(line.amount)}
            )  # fmt: skip
    return raw


class Book:
    """The models over some captures, loaded in an order of its own."""

    def __init__(self, models: Any, connection: duckdb.DuckDBPyConnection) -> None:
        self.models = models
        self.connection = connection

    def load(self, found: Iterable[Page], *names: str, order: random.Random | None = None) -> Book:
        raw = rows_of(found)
        for name, rows in raw.items():
            table = f"raw.price_{name}"
            self.connection.execute(f"delete from {table}")
            if order:
                order.shuffle(rows)
            tables.insert(self.connection, table, rows)
        self.models.build(self.connection, *(names or MARTS))
        return self

    def ask(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, list(arguments)).fetchall()

    def everything(self) -> list[list[tuple[Any, ...]]]:
        return [self.ask(f"select * from marts.{name} order by all") for name in MARTS]

    def beliefs(self) -> list[Belief]:
        found = self.ask(
            """
            select source, model, unit_amount, valid_from, coalesce(valid_to, '9999-12-31'),
                known_from, coalesce(known_to, '9999-12-31')
            from marts.price_history where status <> 'cancelled'
            """
        )
        return [Belief(*row) for row in found]


@dataclass(frozen=True)
class Belief:
    source: str
    model: str
    amount: Decimal
    valid_from: datetime
    valid_to: datetime
    known_from: datetime
    known_to: datetime

    def holds(self, model: str, valid: datetime, known: datetime) -> bool:
        return (
            self.model == model
            and self.valid_from <= valid < self.valid_to
            and self.known_from <= known < self.known_to
        )


@pytest.fixture(scope="module")
def book(price_models):
    with price_models.memory() as connection:
        yield Book(price_models, connection)


def oracle(found: list[Page], model: str, valid: datetime, known: datetime) -> int | None:
    """What the captures known by then say of that instant, read one after the other."""
    told = _informed(found, model, known)
    # What each page claims is in force from some day on; a later page's word on a day replaces an earlier one's.
    answer: int | None = None
    live: dict[int, float] = {}  # amount in force at the page before -> since when
    notices: list[Line] = []  # of the page before
    for number, (at, lines) in enumerate(told):
        claims: list[tuple[float, float, int | None]] = [(at, 10**6, None)]
        now: dict[int, float] = {}
        for line in (one for one in lines if not one.is_announced):
            if line.start is not None:
                start: float = line.start
            elif line.amount in live:
                start = live[line.amount]
            else:
                came = [n.start for n in notices if n.amount == line.amount and n.start is not None and n.start <= at]
                start = max(came, default=at)
            now[line.amount] = start
            claims.append((start, 10**6 if line.end is None else line.end, line.amount))
            if line.end is not None:
                claims.append((line.end, 10**6, None))
        coming = sorted((one for one in lines if one.is_announced), key=lambda one: one.start or 0)
        is_last = number + 1 == len(told)
        if is_last:  # a notice the next page does not bear out was never a price
            claims += [(one.start or 0, 10**6, one.amount) for one in coming]
        for begin, until, amount in claims:
            if day(begin) <= valid < (FOREVER if until == 10**6 else day(until)):
                answer = amount
        live, notices = now, coming
    return answer


def _informed(found: list[Page], model: str, known: datetime) -> list[tuple[int, list[Line]]]:
    """The good captures known by then, a model that could not be read standing as it stood."""
    told: list[tuple[int, list[Line]]] = []
    for page in sorted(found, key=lambda one: one.at):
        if page.status != "accepted" or day(page.at) > known:
            continue
        lines = page.of(model)
        if model in page.skipped:
            lines = told[-1][1] if told else []
        told.append((page.at, lines))
    return told


INSTANTS = [day(half / 2) for half in range(-16, 46)]


@EXAMPLES
@given(found=pages())
def test_both_axes_agree_with_a_replay_of_the_captures(book, found):
    beliefs = book.load(found, "price_history").beliefs()
    for model in ("one", "two"):
        for known in (day(-1), *(day(page.at) for page in found), day(1000)):
            for valid in INSTANTS:
                want = oracle(found, model, valid, known)
                told = [int(one.amount) for one in beliefs if one.holds(model, valid, known)]
                assert told == ([] if want is None else [want]), (model, valid, known)


@FEWER
@given(found=pages(), seed=st.randoms(use_true_random=False))
def test_the_order_of_loading_changes_nothing(book, found, seed):
    in_order = book.load(found).everything()
    assert book.load(seed.sample(found, len(found)), order=seed).everything() == in_order


@FEWER
@given(found=pages())
def test_readings_that_failed_or_wait_say_nothing(book, found):
    with_them = book.load(found).everything()
    assert book.load([page for page in found if page.status == "accepted"]).everything() == with_them


@FEWER
@given(found=pages(kinds=("accepted",)))
def test_the_same_page_again_changes_no_price(book, found):
    columns = "select * exclude (last_seen_at) from marts.price_history order by all"
    book.load(found, *MARTS)
    history, changes = book.ask(columns), book.ask("select * from marts.price_changes order by all")
    book.load([*found, replace(found[-1], at=found[-1].at + 0.25)], *MARTS)
    assert book.ask("select * from marts.price_changes order by all") == changes
    assert book.ask(columns) == history


@EXAMPLES
@given(first=pages(kinds=("accepted",)), second=pages(kinds=("accepted",)))
def test_a_mended_reader_is_believed_from_when_it_spoke(book, first, second):
    again = [replace(page, version=2) for page in second]
    beliefs = book.load([*first, *again], "price_history").beliefs()
    for known, told in ((day(50), first), (day(100), second), (day(1000), second)):
        for valid in INSTANTS:
            want = oracle(told, "one", valid, known)
            assert [int(one.amount) for one in beliefs if one.holds("one", valid, known)] == ([want] if want else [])


@EXAMPLES
@given(found=pages(kinds=("accepted",)))
def test_of_one_price_no_two_rows_share_an_instant_on_both_axes(book, found):
    beliefs = [one for one in book.load(found, "price_history").beliefs() if one.model == "one"]
    for number, one in enumerate(beliefs):
        for other in beliefs[number + 1 :]:
            apart_in_valid = one.valid_to <= other.valid_from or other.valid_to <= one.valid_from
            assert apart_in_valid or one.known_to <= other.known_from or other.known_to <= one.known_from


@EXAMPLES
@given(found=pages())
def test_withdrawn_is_said_only_after_a_good_reading_without_the_price(book, found):
    book.load(found, "price_changes", "price_history")
    good = {day(page.at): page for page in found if page.status == "accepted"}
    for model, known in book.ask("select model, known_at from marts.price_changes where what = 'withdrawn'"):
        assert not [line for line in good[known].of(model) if not line.is_announced]
        assert model not in good[known].skipped
    for model, known in book.ask("select model, known_from from marts.price_history where status = 'withdrawn'"):
        assert not [line for line in good[known].of(model) if not line.is_announced]


@FEWER
@given(
    found=pages(kinds=("accepted",)),
    other=pages(kinds=("accepted",)),
    list_days=st.lists(st.integers(0, 12), unique=True, max_size=2),
)
def test_the_price_in_force_is_the_same_asked_of_the_book_and_of_the_model(book, found, other, list_days):
    lists = [Page(at, (("one", Line(9)),), source="list/map") for at in list_days]
    book.load([*found, *(replace(page, source="maker/other") for page in other), *lists], "int_prices__effective")
    for valid in INSTANTS[::3]:
        asked = [(row["model"], row["price_id"]) for row in in_force(book.connection, at=valid, known_at=day(1000))]
        built = book.ask(
            """select model, price_id from intermediate.int_prices__effective
            where valid_from <= $1 and (valid_to is null or valid_to > $1) order by all""",
            valid,
        )
        assert sorted(asked) == built


def told(book: Book) -> list[tuple[Any, ...]]:
    """Changes of model one: the day known, what, old, new, the day it takes effect, whether each side has a row."""
    found = book.ask(
        """
        select date_diff('day', $1, known_at), what, old_unit_amount::int, new_unit_amount::int,
            date_diff('day', $1, effective_at), old_price_id is not null, new_price_id is not null
        from marts.price_changes where model = 'one' order by known_at, effective_at, what
        """,
        BASE,
    )
    return [row[:5] for row in found if row[5] == (row[2] is not None) and row[6] == (row[3] is not None)]


def series(*lines: tuple[Line, ...] | None, days: tuple[int, ...] = (), version: int = 1) -> list[Page]:
    """A page a day, each with these lines of model one and a model that never changes; None could not be read."""
    return [
        Page(at, (("two", Line(5)), *(("one", line) for line in lines_of or ())), () if lines_of is not None else ("one",),
             version=version)
        for at, lines_of in zip(days or range(len(lines)), lines, strict=True)
    ]  # fmt: skip


SOON = Line(2, is_announced=True, start=3)
EVENTS = {
    "back to an old amount": (
        series((Line(1),), (Line(2),), (Line(1),)),
        [(0, "new", None, 1, 0), (1, "changed", 1, 2, 1), (2, "changed", 2, 1, 2)],
    ),
    "withdrawn and back": (
        series((Line(1),), (), (Line(1),)),
        [(0, "new", None, 1, 0), (1, "withdrawn", 1, None, 1), (2, "new", None, 1, 2)],
    ),
    "an entry that could not be read": (series((Line(1),), None, (Line(1),)), [(0, "new", None, 1, 0)]),
    "announced, then live": (
        series((Line(1),), (Line(1), SOON), (Line(2),), days=(0, 1, 4)),
        [(0, "new", None, 1, 0), (1, "announced", 1, 2, 3), (4, "started", 1, 2, 3)],
    ),
    "announced, then called off": (
        series((Line(1),), (Line(1), SOON), (Line(1),), days=(0, 1, 4)),
        [(0, "new", None, 1, 0), (1, "announced", 1, 2, 3), (4, "cancelled", 2, 1, 3)],
    ),
    "announced, then early": (
        series((Line(1),), (Line(1), SOON), (Line(2),)),
        [(0, "new", None, 1, 0), (1, "announced", 1, 2, 3), (2, "changed", 1, 2, 2)],
    ),
    "ended on the day it said": (
        series((Line(1, end=2),), (), days=(0, 3)),
        [(0, "new", None, 1, 0)],
    ),
    "a price said to be older than it was seen": (
        series((Line(1),), (Line(2, start=-3),)),
        [(0, "new", None, 1, 0), (1, "changed", 1, 2, -3)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EVENTS)
def test_each_change_is_told_once(book, name):
    found, want = EVENTS[name]
    assert told(book.load(found, "price_changes")) == want
    assert len(book.ask("from marts.price_changes where model = 'one'")) == len(want)
    assert {
        (what, first) for what, first in book.ask("select what, is_baseline from marts.price_changes where is_baseline")
    } == {("new", True)}


def test_a_price_that_goes_live_is_the_row_that_was_announced(book):
    found, _ = EVENTS["announced, then live"]
    ids = []
    for pages_read in (found[:2], found):
        book.load(pages_read, "price_history")
        ids.append(book.ask("select price_id, valid_from, known_from from marts.price_history where unit_amount = 2"))
    assert ids[0] == ids[1] != []
    assert ids[0][0][1:] == (day(3), day(1))


def test_a_price_called_off_stays_on_the_record_and_the_old_one_goes_on(book):
    found, _ = EVENTS["announced, then called off"]
    beliefs = book.load(found, "price_history").beliefs()
    assert [int(one.amount) for one in beliefs if one.holds("one", day(9), day(2))] == [2]
    assert [int(one.amount) for one in beliefs if one.holds("one", day(9), day(4))] == [1]
    assert book.ask(
        "select unit_amount::int, status, known_from from marts.price_history where status = 'cancelled'"
    ) == [(2, "cancelled", day(4))]


def test_a_misreading_set_right_is_no_change_by_the_vendor(book):
    first = series((Line(7),), (Line(7),))
    again = series((Line(1),), (Line(1),), version=2)
    later = series((Line(2),), days=(101,), version=2)
    changes = told(book.load([*first, *again, *later], "price_changes"))
    assert changes == [(0, "new", None, 7, 0), (100, "reread", 7, 1, 0), (101, "changed", 1, 2, 101)]


def test_a_page_captured_once_more_for_a_mended_reader_is_still_the_vendors_change(book):
    found = [*series((Line(1),)), *series((Line(1),), (Line(2),), version=2)]
    assert told(book.load(found, "price_changes")) == [(0, "new", None, 1, 0), (100, "changed", 1, 2, 1)]


def test_a_reading_let_in_by_a_person_is_believed_from_then(book):
    book.load(series((Line(1),), (Line(2),)), "price_history")
    book.connection.execute("update raw.price_captures set decided_at = $1 where captured_at = $2", [day(8), day(1)])
    book.models.build(book.connection, "price_history")
    held = [one for one in book.beliefs() if one.model == "one"]
    assert [int(one.amount) for one in held if one.holds("one", day(2), day(7))] == [1]
    assert [int(one.amount) for one in held if one.holds("one", day(2), day(8))] == [2]


def test_sources_that_disagree_are_told_and_a_list_only_warns(book):
    found = [
        *series((Line(1),)),
        Page(1, (("one", Line(3)),), source="maker/other"),
        Page(2, (("one", Line(9)),), source="list/map"),
        Page(2, (("two", Line(5)),), source="list/other"),
    ]
    book.load(found, *MARTS)
    book.connection.execute("update raw.price_observations set kind = 'aggregator' where source like 'list/%'")
    book.models.build(book.connection, *MARTS)
    rows = book.ask(
        """select model, deciding_source, deciding_unit_amount::int, other_source, other_unit_amount::int, known_since
        from marts.price_discrepancies order by all"""
    )
    assert rows == [
        ("one", "maker/other", 3, "list/map", 9, day(2)),
        ("one", "maker/other", 3, SOURCE, 1, day(1)),
    ]
    coverage = book.ask(
        "select model, source, is_deciding, current_prices from marts.price_coverage where model = 'one' order by all"
    )
    assert coverage == [("one", "list/map", False, 1), ("one", "maker/other", True, 1), ("one", SOURCE, True, 1)]


def test_an_old_capture_of_a_second_page_does_not_bring_an_ended_price_back(book):
    found = [Page(0, (("one", Line(1)),), source="maker/other"), *series((Line(1, end=4),), days=(1,))]
    book.load(found, *MARTS)
    assert [
        row["source"] for row in in_force(book.connection, at=day(3), known_at=day(9)) if row["model"] == "one"
    ] == [SOURCE]
    assert [row for row in in_force(book.connection, at=day(5), known_at=day(9)) if row["model"] == "one"] == []
    assert book.ask("select source from marts.prices_current where model = 'one'") == []


def test_the_book_asks_by_the_precedence_the_models_use(price_models):
    macro = (price_models.settings.dbt_project / "macros" / "prices.sql").read_text()
    (text,) = re.findall(r"macro precedence\(\) -%\}(.*?)\{%- endmacro", macro, re.S)
    assert text.split() == PRECEDENCE.split()
