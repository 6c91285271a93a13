"""One pass through the real command line: sample traffic, real traces with reported costs, and kills."""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

PROGRAM = Path(sys.executable).parent / "ratehouse"
ROWS = 3000
QUARANTINED = 3
ENOUGH_SECONDS = 300
COMPARED = ("cost_calls.parquet", "cost_daily.csv", "usage_daily.csv")
TOLERANCE_USD = 1e-9

pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Demo:
    """A home after two demos, what each answered, the tables of the first and how long it took."""

    home: Path
    first: dict
    second: dict
    tables: dict[str, pl.DataFrame]
    seconds: float


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "RATEHOUSE_HOME": str(home)}


def ratehouse(home: Path, *words: str) -> dict:
    """Run one command to its end and give its JSON."""
    done = subprocess.run(
        [PROGRAM, *words, "--json"],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=ENOUGH_SECONDS,
        check=False,
    )
    assert done.returncode in (0, QUARANTINED), f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)


def exported(home: Path) -> dict[str, pl.DataFrame]:
    """The compared exports, rows sorted, read as they are (CSV as text)."""
    folder = home / "exports"
    tables = {}
    for name in COMPARED:
        file = folder / name
        table = pl.read_parquet(file) if file.suffix == ".parquet" else pl.read_csv(file, infer_schema=False)
        key = ["occurred_at", "event_id"] if name.startswith("cost_calls") else table.columns
        tables[name] = table.sort(key)
    return tables


def assert_same(found: dict[str, pl.DataFrame], wanted: dict[str, pl.DataFrame]) -> None:
    for name in COMPARED:
        assert found[name].height > 0, name
        assert found[name].columns == wanted[name].columns, name
        different = [c for c in wanted[name].columns if not found[name][c].equals(wanted[name][c], null_equal=True)]
        assert found[name].height == wanted[name].height, name
        assert different == [], name


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    home = tmp_path_factory.mktemp("demo") / "home"
    began = time.monotonic()
    first = ratehouse(home, "demo", "--rows", str(ROWS))
    seconds = time.monotonic() - began
    tables = exported(home)
    return Demo(home, first, ratehouse(home, "demo", "--rows", str(ROWS)), tables, seconds)


@pytest.fixture(scope="module")
def traced(captures: Path, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """What each call of the public traces costs by the price book, beside what the client reported."""
    home = tmp_path_factory.mktemp("traced") / "home"
    ratehouse(home, "ingest", str(captures / "traces" / "aider_calls.parquet"), "--mapping", "aider")
    ratehouse(home, "run")
    difference = pl.col("cost_usd").cast(pl.Float64) - pl.col("cost_reported").cast(pl.Float64)
    return pl.read_parquet(home / "exports" / "cost_calls.parquet").with_columns(
        agrees=(difference.abs() <= TOLERANCE_USD).fill_null(value=False)
    )


class TestDemo:
    def test_every_attempt_is_counted(self, demo: Demo) -> None:
        assert demo.first["totals"]["attempts"] == ROWS

    def test_every_file_it_names_exists(self, demo: Demo) -> None:
        files = {what: Path(where) for what, where in demo.first["files"].items()}
        assert files.keys() == {"report", "exports", "pricing snapshot", "warehouse"}
        assert [what for what, where in files.items() if not where.exists()] == []
        assert (demo.home / "published" / "current.json").stat().st_size > 0
        assert files["report"].stat().st_size > 0

    def test_every_exported_file_is_the_one_in_the_manifest(self, demo: Demo) -> None:
        folder = demo.home / "exports"
        manifest = json.loads((folder / "manifest.json").read_text())
        assert {f["file"] for f in manifest["files"]} | {"manifest.json"} == {f.name for f in folder.iterdir()}
        assert [f["file"] for f in manifest["files"] if (folder / f["file"]).stat().st_size != f["byte_count"]] == []

    def test_a_second_demo_changes_nothing(self, demo: Demo) -> None:
        assert demo.second["totals"] == demo.first["totals"]
        assert_same(exported(demo.home), demo.tables)


class TestReportedCosts:
    """The traces carry the cost the client computed at the time; the price book must come to the same."""

    MODEL = pl.col("model_served")
    CASES = (
        ("claude-3-5-sonnet", MODEL.str.contains("claude-3-5-sonnet") & (pl.col("provider") == "anthropic"), 1564, 1584),
        ("claude-3-7-sonnet", MODEL.str.contains("claude-3-7-sonnet") & (pl.col("provider") == "anthropic"), 37, 38),
        ("o3-mini", MODEL.str.ends_with("o3-mini"), 74, 74),
        ("gpt-4o-2024", MODEL.str.starts_with("gpt-4o-2024"), 6, 6),
        ("deepseek-coder", MODEL.str.ends_with("deepseek-coder"), 106, 106),
        ("deepseek-chat", MODEL.str.ends_with("deepseek-chat"), 370, 382),
    )  # fmt: skip

    @pytest.mark.captures
    @pytest.mark.parametrize(("which", "agreeing", "calls"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
    def test_as_many_calls_agree_as_are_known_to(
        self, traced: pl.DataFrame, which: pl.Expr, agreeing: int, calls: int
    ) -> None:
        of_model = traced.filter(which)
        assert (of_model["agrees"].sum(), of_model.height) == (agreeing, calls)

    @pytest.mark.captures
    @pytest.mark.parametrize(
        "which",
        [MODEL.str.ends_with("REDACTED"), pl.col("provider").is_in(["ollama", "lm_studio"])],
        ids=["redacted", "local"],
    )
    def test_what_nobody_can_price_has_no_cost(self, traced: pl.DataFrame, which: pl.Expr) -> None:
        unpriceable = traced.filter(which)
        assert unpriceable.height > 0
        assert unpriceable.filter(pl.col("cost_usd").is_not_null())["model_served"].to_list() == []


class TestKilled:
    def test_the_next_run_comes_to_what_an_undisturbed_one_does(self, demo: Demo, tmp_path: Path) -> None:
        """The home is taken back to before its first pass: files landed, nothing computed from them.

        Killed early three times, whatever the machine, then at three instants drawn over the whole duration.
        """
        home = tmp_path / "home"
        home.mkdir()
        shutil.copytree(demo.home / "sample", home / "inbox")
        seed = secrets.randbelow(2**32)
        draw = random.Random(seed)
        drawn = [round(draw.uniform(0, demo.seconds), 2) for _ in range(3)]
        with noting(f"killed after 2, 6 and 12 s, and after {drawn} s of {demo.seconds:.2f} s, drawn with seed {seed}"):
            early = [is_killed_after(home, seconds) for seconds in (2, 6, 12)]
            assert early == [True, True, True], "a run ended before its kill"
            # What an earlier run finished is not done again, so one drawn late may come to its end.
            late = [is_killed_after(home, seconds) for seconds in drawn]
            assert any(late), "every run ended before its kill"
            ratehouse(home, "run")
            assert_same(exported(home), demo.tables)
            assert not list((home / "exports").glob(".tmp-*"))
            assert ratehouse(home, "doctor")["ok"]


@contextmanager
def noting(words: str) -> Iterator[None]:
    """Say this beside whatever fails within."""
    try:
        yield
    except Exception as error:
        error.add_note(words)
        raise


def is_killed_after(home: Path, seconds: float) -> bool:
    """Start a run in a process group of its own and SIGKILL the whole group; whether it was still running."""
    with subprocess.Popen(
        [PROGRAM, "run", "--json"],
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as started:
        try:
            started.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
    return started.returncode == -signal.SIGKILL
