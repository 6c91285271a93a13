"""dbt's models rendered without dbt, so that their arithmetic can be run over any rows in milliseconds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest
import yaml
from jinja2 import Environment

from pipelines import warehouse
from pipelines.settings import Settings

PROJECT = Settings().dbt_project


class Renderer:
    """A model's SQL as dbt compiles it: macros of every file, `ref`, `source`, and `return` as dbt means it."""

    def __init__(self) -> None:
        self._schemas = {
            path.stem: path.relative_to(PROJECT / "models").parts[0] for path in (PROJECT / "models").rglob("*.sql")
        }
        self._schemas |= {path.stem: "staging" for path in (PROJECT / "seeds").glob("*.csv")}
        self._environment = Environment(autoescape=False, extensions=["jinja2.ext.do"])
        self._environment.globals |= {
            "ref": lambda name: f"{self._schemas[name]}.{name}",
            "source": lambda schema, name: f"{schema}.{name}",
        }
        for path in (PROJECT / "macros").glob("*.sql"):
            text = path.read_text(encoding="utf-8")
            for found in re.finditer(r"{%-? macro (\w+).*?endmacro -?%}", text, re.DOTALL):
                self._environment.globals[found[1]] = self._macro(found[0], found[1])

    def _macro(self, text: str, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            returned: list[Any] = []
            module = self._environment.from_string(text, {"return": returned.append}).module
            written = getattr(module, name)(*arguments, **named)
            return returned[0] if returned else written

        return call

    def create(self, connection: duckdb.DuckDBPyConnection, model: str) -> None:
        """Make the model's table from the tables it reads."""
        (path,) = (PROJECT / "models").rglob(f"{model}.sql")
        sql = self._environment.from_string(path.read_text(encoding="utf-8")).render()
        connection.execute(f"create or replace table {self._schemas[model]}.{model} as {sql}")

    def empty(self, connection: duckdb.DuckDBPyConnection, model: str) -> None:
        """Make the model's table without a row, from its contract."""
        (path,) = (PROJECT / "models").rglob(f"{model}.yml")
        columns = yaml.safe_load(path.read_text(encoding="utf-8"))["models"][0]["columns"]
        words = ", ".join(f"{column['name']} {column['data_type']}" for column in columns)
        connection.execute(f"create or replace table {self._schemas[model]}.{model} ({words})")

    def seed(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        """Make the seed's table as it is in the project."""
        connection.execute(f"create or replace table staging.{name} as from '{PROJECT / 'seeds' / name}.csv'")


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer()


@pytest.fixture
def engine(tmp_path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine in memory with the warehouse's schemas."""
    with warehouse.engine(Settings(home=tmp_path / "home", threads=1, memory_limit="1GB")) as connection:
        for schema in warehouse.SCHEMAS:
            connection.execute(f"create schema {schema}")
        yield connection
