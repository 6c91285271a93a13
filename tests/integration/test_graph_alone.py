"""The graph run by Dagster itself, as its page and its daemon run it, comes to what `ratehouse run` comes to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines import dbt, sample, warehouse
from pipelines.settings import PROJECT_ROOT, Settings

PROGRAMS = Path(sys.executable).parent
ROWS = 3000
ENOUGH_SECONDS = 300

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Settings]:
    """One inbox, two fresh homes: the first passed over by the command line, the second by Dagster."""
    folder = tmp_path_factory.mktemp("alone")
    files = sample.generate(folder / "sample", rows=ROWS, days=21, seed=11, format_name="ailib")
    by_command, by_dagster = (Settings(home=folder / name) for name in ("command", "dagster"))
    for home in (by_command, by_dagster):
        home.create_home()
        for file in files:
            shutil.copy(file, home.inbox)
    run([PROGRAMS / "ratehouse", "run", "--json"], {**os.environ, "RATEHOUSE_HOME": str(by_command.root)})
    shutil.copy(PROJECT_ROOT / "dagster.yaml", by_dagster.dagster_home)
    # The partition is the schedule's: the day it is.
    tags = json.dumps({"dagster/partition": datetime.now(UTC).date().isoformat()})
    run(
        [PROGRAMS / "dagster", "job", "execute", "-m", "pipelines.definitions", "-j", "one_pass", "--tags", tags],
        dbt.environment(by_dagster),
    )
    return by_command, by_dagster


def run(words: list[Path | str], environment: dict[str, str]) -> None:
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=ENOUGH_SECONDS, check=False)
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"


def tables(settings: Settings) -> dict[str, pl.DataFrame]:
    """Every mart, and the calls it is made from, with its rows in order."""
    with warehouse.reading(settings) as connection:
        names = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
            " where table_schema = 'marts' or (table_schema = 'raw' and table_name = 'calls') order by all"
        ).fetchall()
        return {
            # No mart holds the clock of a run: what is known since when is the evidence's own time.
            name: connection.execute(f"select * from {name} order by all").pl()
            for (name,) in names
        }


def test_every_table_is_the_same(homes: tuple[Settings, Settings]) -> None:
    by_command, by_dagster = (tables(home) for home in homes)
    assert by_command.keys() == by_dagster.keys()
    assert {"marts.cost_calls", "marts.forecast_daily", "marts.price_history", "raw.calls"} <= by_command.keys()
    assert by_command["marts.cost_calls"].height == ROWS
    for name, wanted in by_command.items():
        # Money is exact; the last digits of a float depend on the order of a sum.
        assert_frame_equal(by_dagster[name], wanted, check_exact=False, rel_tol=1e-9, abs_tol=1e-12)


def test_the_same_is_published(homes: tuple[Settings, Settings]) -> None:
    by_command, by_dagster = (
        {
            file["file"]: file["row_count"]
            for file in json.loads((home.root / "exports" / "manifest.json").read_text())["files"]
        }
        for home in homes
    )
    assert by_dagster == by_command
    assert len(by_command) > 0
    assert all((home.reports / "overview.html").stat().st_size > 0 for home in homes)


def test_unit_tests_of_the_models_are_left_out(homes: tuple[Settings, Settings]) -> None:
    """They test the SQL, not the data; a scheduled build has no use for them."""
    for home in homes:
        results = [json.loads(file.read_text())["results"] for file in dbt.target(home).glob("*/run_results.json")]
        kinds = {result["unique_id"].split(".")[0] for result in chain.from_iterable(results)}
        assert kinds == {"model", "seed", "test"}
