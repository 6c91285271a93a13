"""Fixtures every tier shares; tiers are folders, and a folder gives its tests their marker."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipelines import dbt, warehouse
from pipelines.pricing import tables
from pipelines.settings import Settings

TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        tier = item.path.relative_to(TESTS).parts[0]
        if tier in ("integration", "captures", "browser"):
            item.add_marker(tier)


@pytest.fixture(scope="session")
def captures() -> Path:
    """The folder of captures: real pages, logs and traces, not part of the project."""
    folder = os.environ.get("RATEHOUSE_CAPTURES")
    if not folder:
        pytest.skip("RATEHOUSE_CAPTURES is unset: no folder of captures to read")
    return Path(folder)


class PriceModels:
    """dbt's price models, compiled once, to be run in memory over any raw tables."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        dbt.run(settings, "compile", "--select", "+marts.pricing", "+cost_lines")
        manifest = json.loads((dbt.target(settings) / "manifest.json").read_text())
        compiled = dbt.target(settings) / "compiled" / "ratehouse" / "models"
        nodes = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
        waiting = [key for key, node in nodes.items() if (compiled / node["path"]).exists()]
        self._sql: dict[str, str] = {}
        self._needs: dict[str, set[str]] = {}
        while waiting:
            for key in [one for one in waiting if not set(waiting) & set(nodes[one]["depends_on"]["nodes"])]:
                node = nodes[key]
                kind = "view" if node["config"]["materialized"] == "view" else "table"
                sql = (compiled / node["path"]).read_text()
                parents = {nodes[one]["name"] for one in node["depends_on"]["nodes"] if one in nodes}
                self._sql[node["name"]] = f"create or replace {kind} {node['schema']}.{node['name']} as {sql}"
                self._needs[node["name"]] = parents.union(*(self._needs[name] for name in parents))
                waiting.remove(key)

    @contextmanager
    def memory(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """An engine in memory with every raw price table, empty, under the warehouse's own names."""
        with warehouse.engine(self.settings) as connection:
            connection.execute("attach ':memory:' as warehouse")
            connection.execute("use warehouse")
            for schema in warehouse.SCHEMAS:
                connection.execute(f"create schema {schema}")
            tables.create(connection)
            aliases = self.settings.dbt_project / "seeds" / "model_aliases.csv"
            connection.execute(f"create table staging.model_aliases as from read_csv('{aliases}', all_varchar = true)")
            yield connection

    def build(self, connection: duckdb.DuckDBPyConnection, *names: str, given: Iterable[str] = ()) -> None:
        """Every model in their order, or these and those they need, but those that are `given`."""
        wanted = set(names).union(*(self._needs[name] for name in names)) if names else set(self._sql)
        wanted -= set(given).union(*(self._needs[name] for name in given))
        for name, sql in self._sql.items():
            if name in wanted:
                connection.execute(sql)


@pytest.fixture(scope="session")
def price_models(tmp_path_factory: pytest.TempPathFactory) -> PriceModels:
    return PriceModels(Settings(home=tmp_path_factory.mktemp("models") / "home", threads=1))
