"""Burn rates, alerts and budgets against the recording rules Sloth writes, evaluated over the same counters.

The oracle keeps two counters as Prometheus scrapes them and evaluates, at the end of every five minutes,

    slo:sli_error:ratio_rate<w>  = sum(rate(errors[w])) / sum(rate(total[w]))
    slo:current_burn_rate:ratio  = slo:sli_error:ratio_rate5m / slo:error_budget:ratio
    page    = (5m > 14.4 x budget and 1h > 14.4 x budget) or (30m > 6 x budget and 6h > 6 x budget)
    ticket  = (2h > 3 x budget and 1d > 3 x budget) or (6h > 1 x budget and 3d > 1 x budget)
    slo:period_error_budget_remaining:ratio = 1 - slo:sli_error:ratio_rate<period> / slo:error_budget:ratio

with the period's ratio by the same division (Sloth's unoptimised rule). Before the first scrape counters are 0.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from pipelines.slo.documents import OBJECTIVE_COLUMNS

START = datetime(2026, 3, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)
WINDOWS = {"5m": 1, "30m": 6, "1h": 12, "2h": 24, "6h": 72, "1d": 288, "3d": 864}
TARGET, PERIOD_DAYS = Fraction(99, 100), 7


def series(kind, steps):
    """(total, errors) of each five minutes."""
    draw = random.Random(kind)
    for n in range(steps):
        total = draw.choice([0, 0, 3, 10, 40]) if kind == "gaps" else draw.randrange(20, 60)
        broken = kind in ("outages", "gaps") and (200 <= n < 212 or 700 <= n < 1_000)
        chance = 0.6 if broken else 0.004 if kind == "quiet" else 0.03 if kind == "slow burn" else 0.01
        yield total, sum(draw.random() < chance for _ in range(total))


class Sloth:
    """Recording and alert rules over two counters."""

    def __init__(self, events):
        self.total, self.errors = [0], [0]
        for total, errors in events:
            self.total.append(self.total[-1] + total)
            self.errors.append(self.errors[-1] + errors)

    def ratio(self, at, steps):
        """errors / total over the window that ends with step `at`; nothing over nothing is no number."""
        since = max(at + 1 - steps, 0)
        total = self.total[at + 1] - self.total[since]
        return Fraction(self.errors[at + 1] - self.errors[since], total) if total else None

    def above(self, at, factor, *windows):
        limit = Fraction(factor) * (1 - TARGET)
        ratios = [self.ratio(at, WINDOWS[window]) for window in windows]
        return all(ratio is not None and ratio > limit for ratio in ratios)

    def page(self, at):
        return self.above(at, "14.4", "5m", "1h") or self.above(at, "6", "30m", "6h")

    def ticket(self, at):
        return self.above(at, "3", "2h", "1d") or self.above(at, "1", "6h", "3d")


@pytest.fixture
def load(engine, renderer):
    def load(events, **objective):
        columns = ", ".join(f"{name} {kind}" for name, kind in OBJECTIVE_COLUMNS.items())
        engine.execute(f"create table raw.slo_objectives ({columns})")
        given = {"slo_name": "f", "indicator": "availability", "target": "0.99", "window_days": PERIOD_DAYS,
                 "budgeting_method": "Occurrences", "minimum_events": 1} | objective  # fmt: skip
        engine.execute(
            f"insert into raw.slo_objectives ({', '.join(given)}) values ({', '.join('?' * len(given))})",
            list(given.values()),
        )
        engine.execute(
            "create table intermediate.int_slo__events as select 'f' as slo_name, unnest($at::timestamptz[]) as"
            " starts_at, unnest($total::bigint[]) as total_count, unnest($bad::bigint[]) as bad_count",
            {"at": [START + n * STEP for n in range(len(events))], "total": [total for total, _ in events],
             "bad": [bad for _, bad in events]},
        )  # fmt: skip
        engine.execute("alter table intermediate.int_slo__events add column good_count bigint")
        engine.execute("update intermediate.int_slo__events set good_count = total_count - bad_count")
        engine.execute("delete from intermediate.int_slo__events where total_count = 0")
        for model in ("slo_attainment_daily", "error_budget_daily", "burn_rate_5m", "slo_incidents"):
            renderer.create(engine, model)
        return engine

    return load


@pytest.mark.parametrize("kind", ["steady", "quiet", "slow burn", "outages", "gaps"])
def test_every_window_and_alert_is_what_sloth_records(load, kind):
    events = [(40, 0), *series(kind, 1_500)]
    sloth, connection = Sloth(events), load(events)
    names = ", ".join(f"burn_rate_{window}" for window in WINDOWS)
    rows = connection.execute(f"select starts_at, is_page, is_ticket, {names} from marts.burn_rate_5m").fetchall()
    assert len(rows) >= len(events) - 20
    for starts_at, is_page, is_ticket, *rates in rows:
        at = (starts_at - START) // STEP
        for rate, steps in zip(rates, WINDOWS.values(), strict=True):
            ratio = sloth.ratio(at, steps)
            assert rate == (None if ratio is None else pytest.approx(float(ratio / (1 - TARGET)), rel=1e-12))
        assert (is_page, is_ticket) == (sloth.page(at), sloth.ticket(at)), starts_at
    assert any(row[1] for row in rows) == (kind in ("outages", "gaps"))


def test_what_is_left_of_the_budget_is_what_sloth_records(load):
    events = list(series("outages", 288 * 12))
    sloth, connection = Sloth(events), load(events)
    rows = connection.execute("select occurred_on, budget_left_ratio from marts.error_budget_daily").fetchall()
    assert len(rows) == 12
    for on, left in rows:
        end = ((on - date(2026, 3, 1)).days + 1) * 288 - 1
        assert left == pytest.approx(float(1 - sloth.ratio(end, PERIOD_DAYS * 288) / (1 - TARGET)), rel=1e-9)


def test_incidents_are_the_pages_and_nothing_else(load):
    events = [(40, 0), *series("outages", 1_500)]
    sloth, connection = Sloth(events), load(events)
    pages = [n for n in range(len(events)) if sloth.page(n)]
    runs = [n for n in pages if n - 1 not in pages]
    rows = connection.execute("select started_at, duration_minutes from marts.slo_incidents order by 1").fetchall()
    assert [started for started, _ in rows] == [START + n * STEP for n in runs]
    assert sum(minutes for _, minutes in rows) == 5 * len(pages)


def test_one_failure_in_a_quiet_hour_wakes_nobody(load):
    connection = load([(1, 0), (1, 1), (2, 0)], minimum_events=30)
    rows = connection.execute("select is_page, is_low_traffic from marts.burn_rate_5m order by starts_at").fetchall()
    assert rows == [(False, False), (False, True), (False, True)]


@pytest.mark.parametrize(("bad", "is_page"), [(143, False), (144, False), (145, True)])
def test_an_hour_pages_above_fourteen_point_four_times_and_not_at_it(load, bad, is_page):
    connection = load([(1_000, 0)] * 72 + [(1_000, bad)] * 12)
    (page,) = connection.execute("select is_page from marts.burn_rate_5m order by starts_at desc limit 1").fetchone()
    assert page is is_page
