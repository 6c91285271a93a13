"""Anomalies and level shifts against people's labels, beside simple yardsticks on the same rows.

Belongs here: measuring detection, and the yardsticks. Does not belong here: passing or failing
(`tests/captures/test_detection.py` holds what is measured here).

Anomalies are scored on the labelled windows of the Numenta Anomaly Benchmark: a window is found when a row in it is
flagged, every flagged row outside windows is a false alarm, the first 15 % of a series (at most 750 rows) are not
scored. The NAB-like score is the benchmark's standard profile (an early find is worth up to 1, a missed window -1, a
false alarm up to -0.11), 0 for flagging nothing and 100 for finding every window at its first row, with each detector
at its one setting. Changes are scored as in the Turing change-point data set: F1 at a margin of five rows, precision
against the changes any person saw, recall averaged over people, the first row counting as a change for all.

Run it with `python tests/benchmarks/detection.py <folder of captures>`, or set RATEHOUSE_CAPTURES.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from pipelines.anomalies.detection import detect

PROBATION, PROBATION_ROWS = 0.15, 750
FALSE_ALARM = 0.11
BEST_FIND = 0.98661  # the raw worth of a find at a window's first row
MARGIN = 5
YARDSTICK_ROWS = 288
FEWEST = 20


@dataclass(frozen=True, slots=True)
class Found:
    """How well windows were found. `alarms` are runs of flagged rows; `per_thousand` are false rows per 1,000."""

    windows: int
    found: int
    true_rows: int
    false_rows: int
    false_alarms: int
    scored_rows: int
    score: float

    @property
    def recall(self) -> float:
        """Share of windows found."""
        return self.found / self.windows

    @property
    def precision(self) -> float:
        """Share of flagged rows that lie in a window."""
        return self.true_rows / max(self.true_rows + self.false_rows, 1)

    @property
    def alarm_precision(self) -> float:
        """Windows found, of windows found and false alarms."""
        return self.found / max(self.found + self.false_alarms, 1)

    @property
    def per_thousand(self) -> float:
        """False rows per 1,000 rows."""
        return 1000 * self.false_rows / self.scored_rows


def labelled(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The series (`series, at, value`) and their windows (`series, start, end`)."""
    series = pl.read_parquet(folder / "anomaly" / "nab_series.parquet").rename({"file": "series", "timestamp": "at"})
    return series, pl.read_parquet(folder / "anomaly" / "nab_windows.parquet").rename({"file": "series"})


def median_and_mad(series: pl.DataFrame, times: float, rows: int = YARDSTICK_ROWS) -> pl.DataFrame:
    """The simple yardstick: farther from the rolling median than so many (scaled) median absolute deviations."""
    middle = pl.col("value").rolling_median(rows, min_samples=FEWEST).shift(1).over("series")
    seen = series.with_columns(strayed=(pl.col("value") - middle).abs())
    spread = pl.col("strayed").rolling_median(rows, min_samples=FEWEST).shift(1).over("series")
    # Where half the rows are alike the deviation is zero and says nothing.
    beyond = (pl.col("strayed") > times * 1.4826 * spread) & (spread > 0)
    return seen.with_columns(is_anomaly=beyond.fill_null(value=False))


def seasonal_naive(series: pl.DataFrame, times: float = 3.0) -> pl.DataFrame:
    """The seasonal yardstick: a change from the value a day before beyond so many standard deviations so far."""
    yesterday = series.select("series", pl.col("at") + pl.duration(days=1), pl.col("value").alias("yesterday"))
    seen = series.with_row_index("row").join_asof(
        yesterday.sort("at"), on="at", by="series", tolerance="1h", check_sortedness=False
    )
    seen = seen.sort("row").with_columns(change=pl.col("value") - pl.col("yesterday"))
    spread = pl.col("change").rolling_std(1_000_000, min_samples=FEWEST).shift(1).over("series")
    return seen.with_columns(is_anomaly=(pl.col("change").abs() > times * spread).fill_null(value=False))


def scored(judged: pl.DataFrame, windows: pl.DataFrame) -> Found:
    """Score `series, at, is_anomaly` against the windows."""
    of = windows.partition_by("series", as_dict=True)
    parts = [
        _scored_one(rows, of.get(name))
        for name, rows in judged.sort("series", "at", maintain_order=True).partition_by("series", as_dict=True).items()
    ]
    counts = [sum(column) for column in zip(*parts, strict=True)]
    total, raw = counts[0], counts[-1]
    return Found(*(int(count) for count in counts[:-1]), score=100 * (raw + total) / (2 * total))


def _scored_one(rows: pl.DataFrame, windows: pl.DataFrame | None) -> tuple[float, ...]:
    at, flags = rows["at"].to_numpy(), rows["is_anomaly"].to_numpy().copy()
    count = len(at)
    skipped = int(min(PROBATION * count, PROBATION_ROWS))
    flags[:skipped] = False
    inside, since, length = np.zeros(count, bool), np.full(count, np.inf), np.ones(count)
    total, found, raw = 0, 0, 0.0
    for start, end in [] if windows is None else windows.select("start", "end").sort("start").iter_rows():
        first = int(np.searchsorted(at, np.datetime64(start), "left"))
        last = int(np.searchsorted(at, np.datetime64(end), "right")) - 1
        if last < skipped:
            continue
        total += 1
        inside[first : last + 1] = True
        since[last + 1 :] = np.arange(1, count - last)
        length[last + 1 :] = max(last - first, 1)
        hits = np.flatnonzero(flags[first : last + 1])
        found += bool(hits.size)
        raw += _worth(-(last - first - hits[0] + 1) / (last - first + 1)) / BEST_FIND if hits.size else -1.0
    false = flags & ~inside
    raw += FALSE_ALARM * sum(_worth(place) for place in (since / length)[false].tolist())
    starts = false & ~np.r_[False, flags[:-1]]
    return total, found, int((flags & inside).sum()), int(false.sum()), int(starts.sum()), count - skipped, raw


def _worth(place: float) -> float:
    """NAB's sigmoid: 1 at a window's start, 0 at its end, -1 far behind it."""
    return -1.0 if place > 3 else 2 / (1 + float(np.exp(5 * place))) - 1


def changes(folder: Path) -> tuple[pl.DataFrame, dict[str, list[set[int]]]] | None:
    """Series with row numbers as months (`series, at, value`), and what each person saw; None without labels.

    The rows are years, months or weeks; as days they would be given seasons they do not have.
    """
    labels = folder / "anomaly" / "tcpd_annotations.parquet"
    if not labels.is_file():
        return None
    given = pl.read_parquet(folder / "anomaly" / "tcpd_series.parquet")
    chosen = given.filter(pl.col("series") == pl.col("series").max().over("dataset"))
    series = chosen.select(pl.col("dataset").alias("series"), _instant(pl.col("t")).alias("at"), "value")
    seen: dict[str, list[set[int]]] = {}
    for name, people in pl.read_parquet(labels).select("dataset", "changes").iter_rows():
        seen.setdefault(name, []).append({0, *people})
    return series, seen


_FIRST = pl.datetime(1900, 1, 1)  # the row numbers' own: they have no zone


def _instant(row: pl.Expr) -> pl.Expr:
    return _FIRST + pl.duration(days=30 * row)


def change_f1(series: pl.DataFrame, seen: dict[str, list[set[int]]], told: pl.DataFrame) -> float:
    """Mean F1 over series of `series, at` told against what people saw."""
    numbers = {name: set[int]() for name in seen}
    rows = (pl.col("at") - _FIRST).dt.total_days() // 30
    for name, number in told.select("series", rows).iter_rows():
        numbers[name].add(number)
    assert series["series"].n_unique() == len(seen)
    return statistics.mean(_f1(people, numbers[name] | {0}) for name, people in seen.items())


def _f1(people: list[set[int]], told: set[int]) -> float:
    precision = _matched(set[int]().union(*people), told) / len(told)
    recall = statistics.mean(_matched(person, told) / len(person) for person in people)
    return 2 * precision * recall / (precision + recall)


def _matched(wanted: Iterable[int], told: set[int]) -> int:
    left, matched = set(told), 0
    for change in sorted(wanted):
        near = [(abs(change - one), one) for one in left if abs(change - one) <= MARGIN]
        if near:
            left.discard(min(near)[1])
            matched += 1
    return matched


def jumps(series: pl.DataFrame, times: float = 4.0, rows: int = 10) -> pl.DataFrame:
    """The yardstick for changes: medians of ten rows on either side further apart than so many deviations."""
    after = pl.col("value").rolling_median(rows)
    before = pl.col("value").rolling_median(rows).shift(rows)
    spread = (pl.col("value") - before).abs().rolling_median(rows).shift(rows)
    seen = series.with_columns(is_jump=((after - before).abs() > times * 1.4826 * spread).over("series"))
    starts = pl.col("is_jump") & ~pl.col("is_jump").shift(1).fill_null(value=False).over("series")
    return seen.with_columns(pl.col("at").shift(rows - 1).over("series")).filter(starts)


def measure(folder: Path) -> dict[str, Found]:
    """Every detector on the labelled windows."""
    series, windows = labelled(folder)
    detectors = {
        "ratehouse detect": detect(series).rows,
        "median and 3 MAD": median_and_mad(series, 3),
        "median and 10 MAD": median_and_mad(series, 10),
        "median and 40 MAD, 2,000 rows": median_and_mad(series, 40, 2000),
        "day before and 3 deviations": seasonal_naive(series),
        "day before and 6 deviations": seasonal_naive(series, 6),
    }
    return {name: scored(judged, windows) for name, judged in detectors.items()}


def measure_changes(folder: Path) -> dict[str, float] | None:
    """F1 of every teller of changes; None without labels."""
    given = changes(folder)
    if given is None:
        return None
    series, seen = given
    told = {"ratehouse detect": detect(series).shifts, "medians of ten rows": jumps(series), "nothing": series.head(0)}
    return {name: change_f1(series, seen, one) for name, one in told.items()}


def seconds(count: int = 400, rows: int = 1000) -> float:
    """Seconds for so many hourly series with a daily season."""
    rng = np.random.default_rng(0)
    hours = np.arange(rows)
    at = [datetime(2026, 1, 5, tzinfo=UTC) + timedelta(hours=hour) for hour in range(rows)]
    values = 100 + 20 * np.sin(hours * np.pi / 12) + rng.normal(size=(count, rows))
    frame = pl.concat(
        pl.DataFrame({"series": [str(one)] * rows, "at": at, "value": values[one]}) for one in range(count)
    )
    begun = time.perf_counter()
    detect(frame)
    return time.perf_counter() - begun


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=os.environ.get("RATEHOUSE_CAPTURES"))
    folder = parser.parse_args().folder
    if folder is None:
        raise SystemExit("name the folder of captures, or set RATEHOUSE_CAPTURES")
    console = Console(width=140)
    table = Table(
        "detector", "NAB-like", "windows found", "recall", "precision of rows", "of alarms", "false per 1,000"
    )
    for name, found in measure(Path(folder)).items():
        table.add_row(name, f"{found.score:.1f}", f"{found.found} of {found.windows}", f"{found.recall:.2f}",
                      f"{found.precision:.2f}", f"{found.alarm_precision:.2f}", f"{found.per_thousand:.2f}")  # fmt: skip
    console.print(table)
    table = Table("changes of level", "F1, margin 5")
    for name, value in (measure_changes(Path(folder)) or {}).items():
        table.add_row(name, f"{value:.3f}")
    console.print(table)
    console.print(f"400 series of 1,000 rows: {seconds():.1f} s")


if __name__ == "__main__":
    main()
