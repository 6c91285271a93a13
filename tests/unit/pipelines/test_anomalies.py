"""Anomalies and level shifts: never ahead of time, few in noise, defined whatever comes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from pipelines.anomalies import files
from pipelines.anomalies.detection import JUDGEMENT, detect
from pipelines.cli.main import app
from pipelines.errors import BadInputError, MissingColumnError

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def series(values: Any, step: timedelta = HOUR, name: str = "s") -> pl.DataFrame:
    values = [None if value is None else float(value) for value in values]
    at = [BEGIN + step * row for row in range(len(values))]
    schema = {"series": pl.String, "at": pl.Datetime("us", "UTC"), "value": pl.Float64}
    return pl.DataFrame({"series": [name] * len(values), "at": at, "value": values}, schema=schema)


def noise(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=count)


def strange(frame: pl.DataFrame) -> list[int]:
    return detect(frame).rows["is_anomaly"].arg_true().to_list()


values = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, 0.0, 1.0, 5.0, float("nan"), float("inf")]), st.none())


@settings(max_examples=25, deadline=None)
@given(
    st.lists(values, min_size=1, max_size=90),
    st.integers(0, 90),
    st.integers(0, 1000),
    st.sampled_from([timedelta(minutes=10), HOUR, DAY]),
)
def test_what_comes_later_changes_nothing(tail, cut, seed, step):
    frame = series([*(100 + noise(60, seed)), *(150 + noise(40, seed)), *tail], step)
    whole, part = detect(frame), detect(frame.head(60 + cut))
    assert_frame_equal(part.rows, whole.rows.head(60 + cut), check_exact=True)
    assert_frame_equal(part.shifts, whole.shifts.head(part.shifts.height), check_exact=True)


def test_a_long_seasonal_series_cut_anywhere_says_the_same():
    hours = np.arange(24 * 40)
    week = np.where(hours // 24 % 7 >= 5, 0.3, 1.0)
    frame = series((100 + 40 * np.sin(hours * np.pi / 12)) * week + 60 * (hours > 700) + noise(hours.size))
    whole = detect(frame)
    assert whole.shifts.height
    for cut in (25, 200, 512, 701, 706, 710, 731, 900):
        part = detect(frame.head(cut))
        assert_frame_equal(part.rows, whole.rows.head(cut), check_exact=True)
        assert_frame_equal(part.shifts, whole.shifts.head(part.shifts.height), check_exact=True)


def test_order_of_rows_and_company_of_other_series_change_nothing():
    one, other = series(100 + noise(300, 1), name="one"), series(5 + noise(200, 2), name="other")
    mixed = pl.concat([one, other]).sample(fraction=1.0, shuffle=True, seed=4)
    judged = detect(mixed).rows
    assert judged.select("series", "at", "value").equals(mixed)
    assert_frame_equal(judged.filter(pl.col("series") == "one").sort("at"), detect(one).rows, check_exact=True)


@pytest.mark.parametrize("factor", [0.001, 7.0, -1.0])
def test_the_unit_does_not_matter(factor):
    base = 100 + noise(300)
    base[250] += 30
    here, there = detect(series(base)).rows, detect(series(base * factor)).rows
    assert there["is_anomaly"].to_list() == here["is_anomaly"].to_list()
    scaled = there.select(pl.col("expected") / factor)["expected"]
    assert scaled.drop_nulls().to_list() == pytest.approx(here["expected"].drop_nulls().to_list())


@pytest.mark.parametrize("step", [HOUR, DAY])
@pytest.mark.parametrize("size", [-40.0, 40.0])
def test_one_spike_is_one_anomaly_and_no_shift(step, size):
    base = 100 + noise(120)
    base[100] += size
    found = detect(series(base, step))
    assert found.rows["is_anomaly"].arg_true().to_list() == [100]
    assert found.shifts.is_empty()


def test_the_range_and_the_verdict_agree():
    base = np.exp(noise(600) * 0.7 + 3)
    base[500] = 5000
    judged = detect(series(base)).rows.filter(pl.col("score").is_not_null())
    outside = (judged["value"] < judged["lower"]) | (judged["value"] > judged["upper"])
    assert outside.to_list() == judged["is_anomaly"].to_list()
    assert judged["is_anomaly"].any()
    assert (judged["lower"] <= judged["expected"]).all()
    assert (judged["expected"] <= judged["upper"]).all()


@pytest.mark.parametrize(
    ("draw", "most"),
    [
        (lambda rng, n: 100 + rng.normal(size=n), 0.5),
        (lambda rng, n: rng.poisson(5, n), 1.0),
        (lambda rng, n: np.exp(0.7 * rng.normal(size=n) + 3), 3.0),
        (lambda rng, n: 100 + 0.1 * np.arange(n) + rng.normal(size=n), 0.5),
        (lambda rng, n: 100 + 40 * np.sin(np.arange(n) * np.pi / 12) + 3 * rng.normal(size=n), 0.5),
    ],
    ids=["gaussian", "counts", "heavy tail", "trend", "daily"],
)
def test_ordinary_series_raise_few_alarms_and_no_shifts(draw, most):
    rng = np.random.default_rng(3)
    found = detect(pl.concat([series(draw(rng, 1000), name=str(number)) for number in range(10)]))
    assert 1000 * found.rows["is_anomaly"].mean() <= most
    assert found.shifts.height <= 2


def test_a_day_without_its_peak_is_told_though_no_value_is_new():
    hours = np.arange(24 * 21)
    base = 20 + 60 * ((hours % 24 >= 9) & (hours % 24 < 18)) + noise(hours.size)
    base[24 * 18 + 9 : 24 * 18 + 18] = 20 + noise(9)
    found = strange(series(base))
    assert found
    assert set(found) <= set(range(24 * 18 + 9, 24 * 18 + 24))
    assert found[0] == 24 * 18 + 9


def test_weekends_are_learned():
    hours = np.arange(24 * 7 * 8)
    base = np.where(hours // 24 % 7 >= 5, 30, 100) + noise(hours.size)
    found = detect(series(base)).rows
    late = found.filter(pl.col("at") > BEGIN + timedelta(weeks=5))
    assert not late["is_anomaly"].any()
    saturday = late.filter((pl.col("at").dt.weekday() == 6) & (pl.col("at").dt.hour() == 0))
    assert saturday["expected"].to_list() == pytest.approx([30] * saturday.height, abs=5)


@pytest.mark.parametrize("step", [HOUR, DAY])
@pytest.mark.parametrize(("before", "after"), [(100, 130), (130, 100), (-50, -20)])
def test_a_shift_is_told_once_and_the_baseline_follows(step, before, after):
    base = np.r_[np.full(200, before), np.full(200, after)] + 2 * noise(400)
    found = detect(series(base, step))
    assert found.shifts["at"].to_list() == [BEGIN + 200 * step]
    told = found.shifts.row(0, named=True)
    assert (told["before"], told["after"]) == pytest.approx((before, after), abs=4)
    assert told["size"] == told["after"] - told["before"]
    strange_rows = found.rows["is_anomaly"].arg_true().to_list()
    assert strange_rows
    assert set(strange_rows) <= set(range(200, 210))
    assert found.rows["expected"][215] == pytest.approx(after, abs=6)


def test_a_shift_and_its_return_are_two():
    base = 100 + 30 * ((np.arange(900) >= 300) & (np.arange(900) < 600)) + 3 * noise(900)
    found = detect(series(base)).shifts
    assert [round((at - BEGIN) / HOUR) for at in found["at"]] == pytest.approx([300, 600], abs=2)
    assert found["size"].to_list() == pytest.approx([30, -30], abs=4)


def test_five_minute_rows_tell_a_shift_to_the_row():
    base = 100 + 30 * (np.arange(1500) >= 1000) + 3 * noise(1500)
    found = detect(series(base, timedelta(minutes=5))).shifts
    assert found.height == 1
    assert (found["at"][0] - BEGIN) / timedelta(minutes=5) == pytest.approx(1000, abs=3)


def test_missing_data_disguised_as_zeros_is_silent():
    gap = [0.0] * 60
    base = [*(100 + noise(200, 1)), *gap, *(100 + noise(200, 2)), *gap, 101.0]
    found = detect(series(base))
    assert not found.rows["is_anomaly"].any()
    assert found.shifts.is_empty()
    assert found.rows["score"][200:260].is_null().all()
    assert found.rows["expected"][300] == pytest.approx(100, abs=3)


def test_a_zero_is_a_value_where_zeros_are_usual_or_values_are_negative():
    often = [0.0, 10.0, 11.0, 9.0] * 60
    assert detect(series(often)).rows["score"][200:].is_not_null().all()
    signed = [*noise(200).tolist(), 0.0]
    assert detect(series(signed)).rows["score"][200] is not None
    quiet = [0.0] * 100 + [9.0] + [0.0] * 20
    found = detect(series(quiet)).rows
    assert found["is_anomaly"].arg_true().to_list() == [100]
    assert found["score"][110] == 0.0


def test_gaps_and_missing_values_are_silent():
    base = (100 + noise(300)).tolist()
    frame = series([None if row % 7 == 3 else float("nan") if row % 11 == 5 else base[row] for row in range(300)])
    holed = frame.filter(~pl.col("at").dt.day().is_in([9, 10]))
    found = detect(holed)
    assert not found.rows["is_anomaly"].any()
    missing = holed["value"].is_null() | holed["value"].is_nan()
    assert found.rows.filter(missing)["score"].is_null().all()
    assert found.shifts.is_empty()


@pytest.mark.parametrize(
    "given_values",
    [
        [],
        [1],
        [1, 2],
        [5] * 200,
        [0] * 200,
        [None] * 100,
        [float("nan")] * 100,
        [float("inf"), float("-inf")] * 60,
        [1e300, -1e300] * 60,
        [1e-300] * 100,
        list(range(60)),
        [None, 3] * 60,
    ],
    ids=str,
)
def test_any_series_has_a_defined_answer(given_values):
    frame = series(given_values)
    found = detect(frame)
    assert found.rows.columns == [*frame.columns, *JUDGEMENT]
    assert found.rows.height == frame.height
    assert found.shifts.columns == ["series", "at", "before", "after", "size"]
    assert not found.rows["is_anomaly"].any()
    assert found.rows["is_anomaly"].null_count() == 0
    assert found.rows["score"].drop_nulls().is_finite().all()


def test_a_constant_that_changes_is_told():
    found = detect(series([5] * 200 + [9] * 100))
    assert found.rows["is_anomaly"].arg_true()[0] == 200
    assert found.shifts.select("before", "after", "size").rows() == [(5.0, 9.0, 4.0)]


def test_instants_given_twice_and_rows_without_one_are_answered():
    frame = series(100 + noise(200))
    twice = pl.concat([frame, frame]).with_columns(
        at=pl.when(pl.int_range(pl.len()) == 7).then(None).otherwise(pl.col("at"))
    )
    found = detect(twice).rows
    assert found.height == 400
    assert not found["is_anomaly"].any()
    assert found["score"][7] is None


def test_days_and_whole_numbers_are_taken():
    frame = series(100 + 10 * noise(90), DAY).with_columns(pl.col("at").dt.date(), pl.col("value").cast(pl.Int32))
    found = detect(frame)
    assert found.rows.schema["at"] == pl.Date
    assert found.rows.schema["value"] == pl.Int32
    assert found.shifts.schema["at"] == pl.Date


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_files_in_and_out(tmp_path, ending):
    base = 100 + noise(300)
    base[150:] += 50
    file, out = tmp_path / f"in.{ending}", tmp_path / "deep" / f"out.{ending}"
    frame = series(base)
    if ending == "csv":
        frame = frame.with_columns(pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
        frame.write_csv(file)
    else:
        frame.write_parquet(file)
    told = files.judge(file, out)
    assert (told.rows, told.series, told.shifts) == (300, 1, 1)
    assert sorted(path.name for path in out.parent.iterdir()) == sorted([f"out.{ending}", f"out.shifts.{ending}"])
    load = pl.read_csv if ending == "csv" else pl.read_parquet
    rows, shifts = load(out), load(told.shifts_out)
    assert rows.columns == ["series", "at", "value", *JUDGEMENT]
    assert rows["at"].to_list() == frame["at"].to_list()
    assert rows["is_anomaly"].sum() == told.anomalies > 0
    assert shifts.columns == ["series", "at", "before", "after", "size"]
    assert shifts["at"].to_list() == [frame["at"][150]]
    assert shifts["size"][0] == pytest.approx(50, abs=2)
    again = files.judge(out, tmp_path / f"again.{ending}")
    assert load(again.out).equals(rows)


def test_texts_of_instants_are_read_as_utc():
    texts = [
        "2026-01-05T10:00:00Z",
        "2026-01-05 10:00:00",
        "2026-01-05T10:00:00.000",
        "2026-01-05T10:00",
        "2026-01-05T12:00:00+02:00",
        " 2026-01-05T10:00Z ",
    ]
    read = files.instants(pl.Series("at", [*texts, "2026-01-05", None, ""]), files.Path("x.csv"))
    assert read.to_list() == [datetime(2026, 1, 5, 10, tzinfo=UTC)] * 6 + [BEGIN, None, None]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("series,at\na,2026-01-05\n", MissingColumnError, "lacks the column value"),
        ("series,at,value\na,yesterday,1\n", BadInputError, "row 1: `at` holds 'yesterday'"),
        ("series,at,value\na,2026-01-05,1\na,2026-01-06,many\n", BadInputError, "row 2: `value` holds 'many'"),
        ("", BadInputError, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_judged_is_named_with_what_is_wrong(tmp_path, text, error, words):
    file = tmp_path / "in.csv"
    file.write_text(text)
    with pytest.raises(error, match=r"in\.csv") as told:
        files.judge(file, tmp_path / "out.csv")
    assert words in str(told.value)
    assert not (tmp_path / "out.csv").exists()


def test_files_of_other_kinds_are_refused(tmp_path):
    file = tmp_path / "in.parquet"
    file.write_bytes(b"not parquet")
    for name, out in (("in.parquet", "out.csv"), ("none.csv", "out.csv"), ("in.parquet", "out.xlsx")):
        with pytest.raises(BadInputError):
            files.judge(tmp_path / name, tmp_path / out)


def test_the_command_judges_a_file(tmp_path):
    file, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    base = 100 + noise(200)
    base[150] += 30
    series(base).write_parquet(file)
    run = CliRunner().invoke(app, ["detect", str(file), "--out", str(out), "--json", "--home", str(tmp_path / "home")])
    assert run.exit_code == 0, run.output
    answer = json.loads(run.stdout)
    assert (answer["rows"], answer["anomalies"], answer["shifts"]) == (200, 1, 0)
    assert pl.read_parquet(answer["out"])["is_anomaly"].arg_true().to_list() == [150]
    assert pl.read_parquet(answer["shifts_out"]).is_empty()
    run = CliRunner().invoke(app, ["detect", str(tmp_path / "none.csv"), "--out", str(out), "--json"])
    assert run.exit_code == 1
    assert json.loads(run.stdout)["error"]["name"] == "bad_input"
