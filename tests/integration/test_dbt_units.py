"""dbt's unit tests: the arithmetic stated beside each model, run over rows stated by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from pipelines import dbt
from pipelines.errors import BuildFailedError
from pipelines.forecasting import daily
from pipelines.logs import loading
from pipelines.pricing import readings
from pipelines.settings import Settings
from pipelines.slo import documents, feeds

MODELS = Settings().dbt_project / "models"


@dataclass(frozen=True)
class Run:
    """The state each unit test ended in, by its id, and dbt's own words where one failed."""

    outcomes: dict[str, str]
    words: str


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Every unit test, run in a warehouse with every table and not one row.

    The inputs must be there: dbt asks the warehouse for their columns.
    """
    settings = Settings(home=tmp_path_factory.mktemp("units") / "home", threads=1)
    loading.load_pending(settings)
    readings.read_stored_pages(settings)
    documents.load(settings)
    daily.ensure_table(settings)
    feeds.ensure_table(settings)
    dbt.run(settings, "build", "--empty", "--exclude-resource-type", "unit_test", "test")
    words = ""
    try:
        dbt.run(settings, "test", "--select", "test_type:unit")
    except BuildFailedError as error:
        words = str(error)
    results = json.loads((dbt.target(settings) / "run_results.json").read_text())["results"]
    ids = {result["unique_id"]: result["status"] for result in results}
    return Run({name: status for name, status in ids.items() if name.startswith("unit_test.")}, words)


def test_none_fails(run: Run) -> None:
    assert run.words == ""
    assert len(run.outcomes) > 0
    assert {name: status for name, status in run.outcomes.items() if status != "pass"} == {}


@pytest.mark.parametrize("mart", sorted(path.stem for path in (MODELS / "marts").rglob("*.sql")))
def test_every_mart_has_one(run: Run, mart: str) -> None:
    assert [name for name in run.outcomes if name.split(".")[2] == mart] != []
