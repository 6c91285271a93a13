from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from pipelines import warehouse
from pipelines.settings import Settings


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine in memory with the schema the marts stand in, and none of them."""
    settings = Settings(home=tmp_path_factory.mktemp("service_levels") / "home", threads=1, memory_limit="1GB")
    with warehouse.engine(settings) as connection:
        connection.execute("create schema marts")
        yield connection
