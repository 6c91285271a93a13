"""A sample of the M4 weekly series: the engine beats Naive2, and its intervals cover what they say."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pipelines.forecasting import engine

HORIZON = 13
NAIVE2_SMAPE, NAIVE2_MASE = 9.161, 2.777  # the competition's official scores over all weekly series


def test_a_sample_of_m4_weekly(captures: Path) -> None:
    train, test = (
        pd.read_parquet(captures / "forecasting" / f"m4_weekly_{part}.parquet").rename(columns={"t": "ds"})
        for part in ("train", "test")
    )
    ids = sorted(train["unique_id"].unique())[::9]
    train, test = (part[part["unique_id"].isin(ids)].sort_values(["unique_id", "ds"]) for part in (train, test))
    said = engine.forecast(train, "w", HORIZON)
    actual = test["y"].to_numpy()
    error = (said["yhat"] - actual).abs().to_numpy()
    scale = train.groupby("unique_id")["y"].agg(lambda y: y.diff().abs().mean()).repeat(HORIZON).to_numpy()
    smape, mase = (200 * error / (said["yhat"].abs().to_numpy() + abs(actual))).mean(), (error / scale).mean()
    assert (smape / NAIVE2_SMAPE + mase / NAIVE2_MASE) / 2 <= 1
    for level in (80, 95):
        covered = ((said[f"lo_{level}"].to_numpy() <= actual) & (actual <= said[f"hi_{level}"].to_numpy())).mean()
        assert covered == pytest.approx(level / 100, abs=0.08)
