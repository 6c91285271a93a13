"""Forecasts of series of known shapes, through the engine and the command. Importing the models takes seconds."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipelines import warehouse
from pipelines.cli.main import app
from pipelines.forecasting import daily, engine
from pipelines.settings import Settings

NUMBERS = ["yhat", "lo_80", "hi_80", "lo_95", "hi_95"]
HORIZON = 14


def shapes() -> dict[str, list[float]]:
    noise = np.random.default_rng(1)
    day = np.arange(42)
    weekly = 100 + 20 * np.sin(2 * math.pi * day / 7) + day % 3
    gap, broken = weekly.copy(), weekly.copy()
    gap[10:14], broken[[0, 5, 41]] = np.nan, [np.inf, -np.inf, np.nan]
    return {
        "weekly": list(weekly),
        "gap": list(gap),
        "broken": list(broken),
        "negative": list(-weekly),
        "both signs": list(weekly - 100),
        "huge": list(weekly * 1e300),
        "tiny": list(weekly * 1e-300),
        "constant": [5.0] * 30,
        "zero": [0.0] * 30,
        "owed": [-3.0] * 30,
        "unknown": [math.nan] * 30,
        "single": [4.0],
        "two": [4.0, 6.0],
        "three": [1.0, 2.0, 3.0],
        "eight": [1.0, 2.0, 3.0, 4.0, 3.0, 2.0, 4.0, 5.0],
        "fifteen": [float(value) for value in range(15)],
        "fading": [max(0.0, 30.0 - value) for value in range(42)],
        "rare": list(np.where(noise.random(90) < 0.15, noise.gamma(2, 5, 90), 0)),
        "born late": [0.0] * 40 + [5.0],
        "stopped": [5.0] + [0.0] * 40,
        "weekdays": list(np.where(np.arange(90) % 7 < 3, 50.0 + noise.normal(size=90), 0)),
        "spike": [1.0] * 40 + [1e9] + [1.0] * 40,
        "step": [1.0] * 40 + [1000.0] * 40,
        "repeating": [1.0, 2, 3, 4, 5, 6, 7] * 10,
        "line": [2.0 * value for value in range(60)],
    }


def frame(**values):
    return pd.concat(
        [
            pd.DataFrame({"unique_id": name, "ds": pd.date_range(end="2026-10-31", periods=len(y), freq="D"), "y": y})
            for name, y in values.items()
        ],
        ignore_index=True,
    )


@pytest.fixture(scope="module")
def forecasts():
    return engine.forecast(frame(**shapes()), "d", HORIZON)


def of(forecasts, name):
    return forecasts[forecasts["unique_id"] == name]


def test_every_series_gets_every_day_in_order(forecasts):
    assert list(forecasts.columns) == engine.columns((80, 95))
    days = list(pd.date_range("2026-11-01", periods=HORIZON, freq="D"))
    assert {name: list(rows["ds"]) == days for name, rows in forecasts.groupby("unique_id")} == dict.fromkeys(
        shapes(), True
    )


@pytest.mark.parametrize("name", sorted(set(shapes()) - {"unknown"}))
def test_numbers_are_sane(forecasts, name):
    rows, seen = of(forecasts, name), np.array([y for y in shapes()[name] if math.isfinite(y)])
    assert np.isfinite(rows[NUMBERS].to_numpy()).all()
    for low, high in (("lo_95", "lo_80"), ("lo_80", "yhat"), ("yhat", "hi_80"), ("hi_80", "hi_95")):
        assert (rows[low] <= rows[high]).all(), (low, high)
    if seen.min() >= 0:
        assert (rows[NUMBERS] >= 0).all(axis=None)
    reach = 2 * float(np.abs(seen).max())
    assert rows["yhat"].abs().max() <= reach


def test_nothing_known_is_nothing_said(forecasts):
    rows = of(forecasts, "unknown")
    assert rows[NUMBERS].isna().all(axis=None)
    assert set(rows["model"]) == {"no data"}


def test_what_never_moved_does_not_move(forecasts):
    for name, value in (("constant", 5), ("zero", 0), ("owed", -3), ("single", 4)):
        assert of(forecasts, name)[NUMBERS].to_numpy() == pytest.approx(value)
        assert set(of(forecasts, name)["model"]) == {"constant"}


def test_short_series_are_their_mean(forecasts):
    assert of(forecasts, "three")["yhat"].to_numpy() == pytest.approx(2.0)
    assert of(forecasts, "two")["yhat"].to_numpy() == pytest.approx(5.0)
    assert (of(forecasts, "two")["hi_80"] > 6).all()  # two values do not show all there can be
    assert set(of(forecasts, "three")["model"]) == {"mean"}


def test_rhythm_trend_and_level_are_carried_on(forecasts):
    ahead = np.arange(42, 42 + HORIZON)
    expected = 101 + 20 * np.sin(2 * math.pi * ahead / 7)
    for name in ("weekly", "gap", "broken"):
        assert of(forecasts, name)["yhat"].to_numpy() == pytest.approx(expected, abs=8), name
    assert of(forecasts, "huge")["yhat"].to_numpy() == pytest.approx(expected * 1e300, rel=0.1)
    assert of(forecasts, "tiny")["yhat"].to_numpy() == pytest.approx(expected * 1e-300, rel=0.1)
    assert of(forecasts, "repeating")["yhat"].to_numpy() == pytest.approx([1, 2, 3, 4, 5, 6, 7] * 2, rel=0.01)
    assert of(forecasts, "line")["yhat"].to_numpy() == pytest.approx(2.0 * np.arange(60, 60 + HORIZON), rel=0.1)
    assert of(forecasts, "step")["yhat"].to_numpy() == pytest.approx(1000, rel=0.15)
    assert of(forecasts, "stopped")["yhat"].to_numpy() == pytest.approx(0, abs=0.1)
    silent = (np.arange(90, 90 + HORIZON) % 7) >= 3
    assert (of(forecasts, "weekdays")["yhat"].to_numpy() < 25).tolist() == silent.tolist()


def test_a_series_is_forecast_alike_in_any_order_and_company(forecasts):
    rows = pd.concat([frame(weekly=shapes()["weekly"]), frame(other=shapes()["line"])]).sample(frac=1, random_state=1)
    again = of(engine.forecast(pd.concat([rows, rows.iloc[:9]]), "d", HORIZON), "weekly")
    assert list(again["yhat"]) == list(of(forecasts, "weekly")["yhat"])


def test_two_seasons_of_hours():
    hour = np.arange(24 * 7 * 4)
    y = 100 + 30 * np.sin(2 * math.pi * hour / 24) - 40 * (hour // 24 % 7 >= 5)
    series = pd.DataFrame(
        {"unique_id": 1, "ds": pd.date_range("2026-01-05", periods=len(y), freq="h", tz="UTC"), "y": y}
    )
    found = engine.forecast(series.iloc[: -24 * 7], "h", 24 * 7)
    assert np.abs(found["yhat"].to_numpy() - y[-24 * 7 :]).mean() < 5
    assert list(found["ds"]) == list(series["ds"].iloc[-24 * 7 :])


@pytest.fixture(scope="module")
def spend():
    """Two tenants of two models each, one of which is three days old."""
    noise = np.random.default_rng(2)
    day = np.arange(60)
    made = {
        ("a", "x"): 50 + 10 * np.sin(2 * math.pi * day / 7) + noise.normal(size=60),
        ("a", "y"): noise.gamma(4, 2, 60),
        ("b", "x"): 20 + day / 3 + noise.normal(size=60),
        ("b", "new"): np.array([1.0, 2.0, 4.0]),
    }
    ends = pd.Timestamp("2026-10-31")
    return pd.concat(
        [
            pd.DataFrame(
                {"tenant": t, "model": m, "ds": pd.date_range(end=ends, periods=len(y)), "y": np.maximum(y, 0)}
            )
            for (t, m), y in made.items()
        ],
        ignore_index=True,
    )


def test_models_add_up_to_tenants_and_tenants_to_the_total(spend):
    found = daily.forecast(spend).forecasts
    leaves = found[found["model"] != daily.ALL]
    tenants = found[(found["model"] == daily.ALL) & (found["tenant"] != daily.ALL)]
    total = found[found["tenant"] == daily.ALL]
    assert len(total) == daily.HORIZON_DAYS
    summed = leaves.groupby(["tenant", "ds"])["yhat"].sum()
    assert tenants.set_index(["tenant", "ds"]).sort_index()["yhat"].to_numpy() == pytest.approx(summed.to_numpy())
    assert total.set_index("ds")["yhat"].to_numpy() == pytest.approx(tenants.groupby("ds")["yhat"].sum().to_numpy())
    assert not found[NUMBERS].isna().any(axis=None)
    for low, high in (("lo_95", "lo_80"), ("lo_80", "yhat"), ("yhat", "hi_80"), ("hi_80", "hi_95")):
        assert (found[low] <= found[high] + 1e-9).all(), (low, high)


def test_accuracy_is_told_by_grain_and_day(spend):
    found = daily.forecast(spend).accuracy
    assert set(found["grain"]) == set(daily.GRAINS)
    assert (found.groupby("grain")["step"].apply(list).map(len) == daily.HORIZON_DAYS).all()
    assert found.groupby("grain")["series_count"].first().to_dict() == {"tenant and model": 4, "tenant": 2, "total": 1}
    first = found[found["step"] == 1].set_index("grain")
    assert (first["mase"] < first["naive_mase"]).all()


@pytest.mark.parametrize("days", [0, 1, 3, 8])
def test_young_houses_have_forecasts_too(spend, days):
    young = spend[spend["ds"] > pd.Timestamp("2026-10-31") - pd.Timedelta(days=days)]
    found = daily.forecast(young)
    assert len(found.forecasts) == (7 * daily.HORIZON_DAYS if days else 0)
    assert not found.forecasts[NUMBERS].isna().any(axis=None)


def test_loading_leaves_both_tables_and_twice_is_once(tmp_path, spend):
    home = Settings(home=tmp_path / "home", threads=1)
    with warehouse.writing(home) as connection:
        connection.register("spend", spend)
        connection.execute(
            "create table marts.cost_calls as select timestamptz '2026-10-31 23:59:00+00' as occurred_at"
        )
        connection.execute(
            "create table marts.cost_daily as select tenant, model, cast(ds as date) as occurred_on, cast(y as decimal(38, 18)) as cost_usd from spend"
        )
    assert daily.load(home) == daily.load(home) == 7 * daily.HORIZON_DAYS
    with warehouse.reading(home) as connection:
        rows = connection.execute("select count(*), min(made_from_on) from raw.forecasts").fetchone()
        assert rows is not None
        assert (rows[0], str(rows[1])) == (7 * daily.HORIZON_DAYS, "2026-10-31")
        wrong = "select count(*) from raw.forecast_accuracy where isnan(mase) or isnan(coverage_80)"
        assert connection.execute(wrong).fetchone() == (0,)


def test_the_command_writes_a_file_and_tells_the_accuracy(tmp_path):
    path, out = tmp_path / "in.parquet", tmp_path / "deep" / "out.parquet"
    frame(weekly=shapes()["weekly"], zero=[0.0] * 5).to_parquet(path)
    words = ["forecast", str(path), "--freq", "d", "--horizon", "5", "--level", "50,80,95", "--out", str(out), "--json"]
    done = CliRunner().invoke(app, [*words, "--home", str(tmp_path / "home")])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["series"], len(told["accuracy"]), told["file"]) == (2, 5, str(out))
    written = pd.read_parquet(out)
    assert list(written.columns) == engine.columns((50, 80, 95))
    assert (len(written), [file.name for file in out.parent.iterdir()]) == (10, ["out.parquet"])


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--freq", "y"], 2, "give one of h, d, w"),
        (["--level", "most"], 2, "whole per cents"),
        (["--level", "0,80"], 2, "between 1 and 99"),
        ([], 1, "bad_input"),
    ],
)
def test_the_command_refuses_by_name(tmp_path, more, code, words):
    path = tmp_path / "in.csv"
    path.write_text("unique_id,ds\na,1\n")
    given = ["forecast", str(path), "--freq", "d", "--horizon", "5", "--out", str(tmp_path / "out.csv"), *more]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == code
    assert words in " ".join(done.output.replace("│", " ").split())
    assert not (tmp_path / "out.csv").exists()
