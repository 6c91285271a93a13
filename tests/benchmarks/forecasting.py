"""Forecasts measured on the M4 weekly series: OWA against Naive2, coverage, seconds.

Belongs here: measuring. Does not belong here: passing or failing (`tests/captures/test_forecasting.py`).

    python tests/benchmarks/forecasting.py FOLDER [--every N] [--threads N]

FOLDER holds `m4_weekly_train.parquet` and `m4_weekly_test.parquet` (`unique_id, t, y`). OWA is the mean of
sMAPE and MASE, each relative to that of Naive2; for weekly series MASE is scaled by the mean absolute
difference of neighbours.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from pipelines.forecasting import engine

HORIZON = 13
NAIVE2_SMAPE, NAIVE2_MASE = 9.161, 2.777  # the competition's official scores, weekly


def weekly(folder: Path, every: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train and test of every n-th series, as `unique_id, ds, y`."""
    parts = [
        pd.read_parquet(folder / f"m4_weekly_{part}.parquet").rename(columns={"t": "ds"}) for part in ("train", "test")
    ]
    ids = sorted(parts[0]["unique_id"].unique())[::every]
    train, test = (part[part["unique_id"].isin(ids)].sort_values(["unique_id", "ds"]) for part in parts)
    return train, test


def scores(train: pd.DataFrame, test: pd.DataFrame, forecasts: pd.DataFrame) -> dict[str, float]:
    """sMAPE, MASE, OWA, coverage (shares) of forecasts over the test; every series weighs the same."""
    scale = train.groupby("unique_id")["y"].agg(lambda y: y.diff().abs().mean()).to_numpy()
    actual = test["y"].to_numpy().reshape(len(scale), HORIZON)
    said = {
        name: forecasts[name].to_numpy().reshape(actual.shape) for name in forecasts if name[:2] in ("yh", "lo", "hi")
    }
    error = np.abs(said["yhat"] - actual)
    smape = (200 * error / (np.abs(said["yhat"]) + np.abs(actual))).mean()
    mase = (error.mean(axis=1) / scale).mean()
    covered = {f"coverage_{n}": ((said[f"lo_{n}"] <= actual) & (actual <= said[f"hi_{n}"])).mean() for n in (80, 95)}
    return {"smape": smape, "mase": mase, "owa": (smape / NAIVE2_SMAPE + mase / NAIVE2_MASE) / 2} | covered


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="only every n-th series")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    train, test = weekly(arguments.folder, arguments.every)
    begun = time.perf_counter()
    outcome = engine.study(train, "w", HORIZON, threads=arguments.threads)
    seconds = time.perf_counter() - begun
    busy = sum(resource.getrusage(who).ru_utime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    say = Console(soft_wrap=True, highlight=False).print
    found = scores(train, test, outcome.frame())
    say(f"{len(outcome.series)} M4 weekly series, horizon {HORIZON}: {seconds:.0f} s ({busy:.0f} s of processor)")
    say("  ".join(f"{name} {value:.3f}" for name, value in found.items()))
    say("the back-test's own word, per step ahead:")
    say(outcome.accuracy().round(3).to_string(index=False))


if __name__ == "__main__":
    main()
