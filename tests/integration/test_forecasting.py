"""Forecasts of series of known shapes. Importing the models takes seconds."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from pipelines.forecasting import daily

NUMBERS = ["yhat", "lo_80", "hi_80", "lo_95", "hi_95"]


def series(**values):
    return pd.concat(
        [
            pd.DataFrame({"unique_id": name, "ds": pd.date_range(end="2026-10-31", periods=len(y), freq="D"), "y": y})
            for name, y in values.items()
        ],
        ignore_index=True,
    )


@pytest.fixture(scope="module")
def forecasts():
    weekly = [100.0 + 20.0 * math.sin(2 * math.pi * day / 7) + day % 3 for day in range(42)]
    return daily.forecast(
        series(
            weekly=weekly,
            constant=[5.0] * 30,
            zero=[0.0] * 30,
            short=[1.0, 2.0, 3.0],
            single=[4.0],
            fading=[max(0.0, 30.0 - day) for day in range(42)],
        )
    )


def of(forecasts, name):
    return forecasts[forecasts["unique_id"] == name]


def test_every_series_gets_every_day_and_sane_numbers(forecasts):
    days = list(pd.date_range("2026-11-01", periods=daily.HORIZON_DAYS, freq="D"))
    for _, rows in forecasts.groupby("unique_id"):
        assert list(rows["ds"]) == days
    assert not forecasts[NUMBERS].isna().any(axis=None)
    assert (forecasts[NUMBERS] >= 0).all(axis=None)
    for low, high in (("lo_95", "lo_80"), ("lo_80", "yhat"), ("yhat", "hi_80"), ("hi_80", "hi_95")):
        assert (forecasts[low] <= forecasts[high] + 1e-9).all(), (low, high)


def test_constant_and_zero_series_are_themselves(forecasts):
    assert of(forecasts, "constant")[NUMBERS].to_numpy() == pytest.approx(5.0)
    assert (of(forecasts, "zero")[NUMBERS] == 0).all(axis=None)


def test_short_series_are_their_mean(forecasts):
    assert of(forecasts, "short")["yhat"].to_numpy() == pytest.approx(2.0)
    assert of(forecasts, "single")[NUMBERS].to_numpy() == pytest.approx(4.0)
    assert set(of(forecasts, "short")["model"]) == {"HistoricAverage"}


def test_a_weekly_rhythm_is_carried_on(forecasts):
    rows = of(forecasts, "weekly")
    assert set(rows["model"]) == {"AutoETS"}
    expected = [101.0 + 20.0 * math.sin(2 * math.pi * day / 7) for day in range(42, 42 + daily.HORIZON_DAYS)]
    assert rows["yhat"].to_numpy() == pytest.approx(expected, abs=6.0)


def test_tenants_add_up_to_the_total(forecasts):
    whole = daily.with_total(forecasts)
    total = of(whole, daily.TOTAL).set_index("ds")
    children = whole[whole["unique_id"] != daily.TOTAL]
    assert len(total) == daily.HORIZON_DAYS
    assert total["yhat"].to_numpy() == pytest.approx(children.groupby("ds")["yhat"].sum().to_numpy())
    summed = children.groupby("ds")[NUMBERS].sum()
    assert (total["hi_95"] <= summed["hi_95"] + 1e-9).all()  # errors do not all fall on one side
    assert (total["lo_95"] >= summed["lo_95"] - 1e-9).all()


def test_no_series_no_forecast():
    nothing = daily.forecast(pd.DataFrame({"unique_id": [], "ds": [], "y": []}))
    assert list(nothing.columns) == ["unique_id", "ds", "model", *NUMBERS]
    assert daily.with_total(nothing).empty
