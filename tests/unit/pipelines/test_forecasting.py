"""What needs no model: the series of spend, the rules that make a series regular, intervals from errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import warehouse
from pipelines.errors import BadInputError
from pipelines.forecasting import daily, engine, intervals, series
from pipelines.settings import Settings


@pytest.mark.parametrize(("last_call", "days"), [("2026-10-04 23:30:00", 4), ("2026-10-04 11:00:00", 3)])
def test_a_day_without_calls_is_zero_and_a_day_not_over_is_left_out(tmp_path, last_call, days):
    home = Settings(home=tmp_path / "home", threads=2, memory_limit="1GB")
    with warehouse.writing(home) as connection:
        connection.execute(f"create table marts.cost_calls as select timestamptz '{last_call}+00' as occurred_at")
        connection.execute(
            "create table marts.cost_daily as select tenant, model, cast(day as date) as occurred_on, cost::decimal(38, 18) as cost_usd"
            " from (values ('a', 'm', '2026-10-01', 1.5), ('a', 'm', '2026-10-01', 2), ('a', 'm', '2026-10-03', 4), ('a', 'm', '2026-10-04', 8),"
            " ('a', 'late', '2026-10-03', 1), (null, 'm', '2026-10-01', 7), (null, 'm', '2026-10-02', null), ('b', null, '2026-10-03', 3))"
            " as t (tenant, model, day, cost)"
        )
    found = {pair: list(rows["y"]) for pair, rows in daily.spend_series(home).groupby(["tenant", "model"])}
    assert found == {
        ("a", "m"): [3.5, 0, 4, 8][:days],
        ("a", "late"): [1, 0][: days - 2],
        ("(none)", "m"): [7, 0, 0, 0][:days],
        ("b", "(none)"): [3, 0][: days - 2],
    }


def regular(ds, y, freq="d", keep=1000):
    frame = series.check(pd.DataFrame({"unique_id": "a", "ds": ds, "y": y}))
    (one,) = series.regular(frame, freq, 2, keep)
    return list(one.values), list(one.ahead)


DAYS = pd.date_range("2026-01-01", periods=5, freq="D")


def test_what_is_missing_is_drawn_between_its_neighbours():
    values, ahead = regular(DAYS[[0, 1, 4]], [1.0, 2.0, 8.0])
    assert values == [1, 2, 4, 6, 8]
    assert ahead == list(pd.date_range("2026-01-06", periods=2, freq="D"))
    assert regular(DAYS, [1, float("nan"), float("inf"), 7, 8])[0] == [1, 3, 5, 7, 8]


def test_nothing_is_made_up_before_the_first_value_and_the_last_season_repeats_after_the_last():
    nan = float("nan")
    assert regular(DAYS, [nan, nan, 3, 4, nan])[0] == [3, 4, 4]
    week = [1.0, 2, 3, 4, 5, 6, 7]
    assert regular(pd.date_range("2026-01-01", periods=9), [*week, nan, nan])[0] == [*week, 1, 2]


def test_rows_of_one_step_are_their_mean_in_any_order():
    assert regular(DAYS[[2, 0, 0, 1]], [5.0, 1, 3, 4])[0] == [2, 4, 5]


def test_the_grid_is_the_hour_the_day_or_the_week_of_the_last_row():
    at = pd.to_datetime(["2026-01-01 10:17", "2026-01-01 11:59", "2026-01-01 12:00"])
    assert regular(at, [1.0, 2, 3], "h") == ([1, 2, 3], list(pd.to_datetime(["2026-01-01 13:00", "2026-01-01 14:00"])))
    weeks = pd.to_datetime(["2026-01-07", "2026-01-14", "2026-01-21"])  # Wednesdays
    assert regular(weeks, [1.0, 2, 3], "w") == ([1, 2, 3], list(pd.to_datetime(["2026-01-28", "2026-02-04"])))
    assert regular([7, 8, 9], [1.0, 2, 3]) == ([1, 2, 3], [10, 11])


def test_days_of_a_zone_stay_its_days_over_the_clock_change():
    days = pd.date_range("2026-10-22", periods=3, freq="D", tz="Europe/Berlin")
    values, ahead = regular(days, [1.0, 2, 3])
    assert values == [1, 2, 3]
    assert ahead == list(pd.to_datetime(["2026-10-25", "2026-10-26"]).tz_localize("Europe/Berlin"))


def test_only_what_is_kept_is_kept_however_far_back_the_first_row_lies():
    assert regular(pd.to_datetime(["1901-01-01", "2026-01-01", "2026-01-02"]), [1.0, 2, 3], keep=5)[0] == [2, 3]


@given(st.permutations(range(12)), st.lists(st.floats(-1e300, 1e300), min_size=12, max_size=12))
@settings(max_examples=15, deadline=None)
def test_the_order_of_rows_changes_nothing(order, y):
    ds = pd.date_range("2026-01-01", periods=6).repeat(2)
    assert regular(ds, y)[0] == regular(ds[list(order)], [y[place] for place in order])[0]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({"unique_id": ["a"], "ds": [1]}, "no column y"),
        ({"unique_id": ["a", None], "ds": [1, 2], "y": [1.0, 2.0]}, "1 rows without unique_id"),
        ({"unique_id": ["a"], "ds": [None], "y": [1.0]}, "1 rows without ds"),
        ({"unique_id": ["a"], "ds": [1], "y": ["many"]}, "y is not a number"),
        ({"unique_id": ["a"], "ds": ["yesterday"], "y": [1.0]}, "ds is neither"),
    ],
)
def test_a_frame_that_holds_no_series_is_refused_by_name(frame, words):
    with pytest.raises(BadInputError, match=words):
        series.check(pd.DataFrame(frame))


def test_a_file_that_is_none_is_refused_by_name(tmp_path):
    with pytest.raises(BadInputError, match="is not a file"):
        series.read(tmp_path / "missing.parquet")
    (tmp_path / "words.parquet").write_text("not parquet")
    with pytest.raises(BadInputError, match="cannot be read"):
        series.read(tmp_path / "words.parquet")


@pytest.mark.parametrize("growth", [0.0, 0.5, 1.0])
def test_intervals_cover_what_they_say(growth):
    generator = np.random.default_rng(1)
    spread = generator.lognormal(0, 2, 200)  # series of very different sizes
    steps = np.arange(1, 13) ** growth
    errors, future = (generator.normal(size=(200, origins, 12)) * spread[:, None, None] * steps for origins in (6, 1))
    widths = intervals.half_widths(errors, spread * 0.8, (80, 95))
    covered = (np.abs(future[:, 0, :, None]) <= widths).mean(axis=(0, 1))
    assert covered == pytest.approx([0.80, 0.95], abs=0.03)


def test_the_reported_coverage_is_that_of_intervals_made_before():
    generator = np.random.default_rng(2)
    errors = generator.normal(size=(100, 6, 5))
    errors[:, 0] *= 100  # the newest origin goes wrong as none before it did
    found = intervals.accuracy(errors, errors * 2, np.ones(100), [5, 10, 15, 20, 25, 30], (80, 95))
    assert (found["coverage_95"] < 0.8).all()  # of four judged origins one is missed
    assert found["naive_mase"].to_numpy() == pytest.approx(2 * found["mase"].to_numpy())
    assert set(found["tests"]) == {600}


def test_a_few_values_are_covered_as_students_t_says():
    generator = np.random.default_rng(3)
    drawn = generator.normal(size=(1500, 6))
    widths = np.stack([intervals.student_half_widths(one[:5], (80, 95)) for one in drawn])
    covered = (np.abs(drawn[:, 5] - drawn[:, :5].mean(axis=1))[:, None] <= widths).mean(axis=0)
    assert covered == pytest.approx([0.80, 0.95], abs=0.03)


def test_students_t_is_the_printed_one():
    assert intervals.student(np.array([0.5, 0.9, 0.975, 0.995])) == pytest.approx([0, 1.533, 2.776, 4.604], abs=1e-3)


def test_origins_lie_a_horizon_apart_where_there_is_room():
    assert engine.origins([500] * 3, "w", 13) == [13, 26, 39, 52, 65, 78]
    assert engine.origins([45] * 3, "d", 30) == [6, 12, 18, 24, 30]
    assert engine.origins([1, 3], "d", 30) == []
