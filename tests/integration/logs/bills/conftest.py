"""Reports of providers in their real structure, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import warehouse
from pipelines.logs import landing, loading, receipts
from pipelines.logs.bills import plan
from pipelines.logs.sampling import look_at

DAY = datetime(2026, 9, 1, tzinfo=UTC)


class Bills:
    """Reported tables: of a home's warehouse, or of a connection in memory, which opens in no time."""

    def __init__(self, logs: Any, connection: duckdb.DuckDBPyConnection | None = None) -> None:
        self.logs = logs
        self.connection = connection
        if connection:
            connection.execute("create schema raw")
            loading._create_tables(connection)

    def load(self, content: Any, name: str = "report.json", **options: Any) -> loading.Receipt:
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        return self.ingest(self.logs.file(name, text), **options)[0]

    def ingest(self, *paths: Path, format_name: str | None = None) -> list[loading.Receipt]:
        if self.connection is None:
            return self.logs.ingest(*paths, format_name=format_name)
        found = []
        for path in paths:
            sample = look_at(path)
            name, reason = plan(sample, format_name) or pytest.fail(f"{path} is no report")
            found.append(landing.land(self.logs.settings, sample, format_name=name, detected_because=reason))
        return self.take(found)

    def take(self, segments: Sequence[landing.Segment]) -> list[loading.Receipt]:
        return [loading._load_one(self.logs.settings, self.connection, segment) for segment in segments]

    def query(self, sql: str) -> list[dict[str, Any]]:
        if self.connection is None:
            return self.logs.query(sql)
        cursor = self.connection.execute(sql)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def costs(self, columns: str = "*") -> list[dict[str, Any]]:
        return self.query(f"select {columns} from raw.cost_reported order by bucket_start_at, line_item, amount")

    def usage(self, columns: str = "*") -> list[dict[str, Any]]:
        return self.query(f"select {columns} from raw.usage_reported order by all")

    def quarantine(self) -> list[dict[str, Any]]:
        return self.query("select * from raw.call_quarantine order by record_number")

    def receipts(self) -> list[loading.Receipt]:
        return receipts.read(self.connection)

    def content(self) -> dict[str, list[dict[str, Any]]]:
        """Everything but when it was loaded."""
        return {
            table: self.query(f"select * exclude (loaded_at) from raw.{table} order by all")
            for table in ("reported_scopes", "usage_reported", "cost_reported")
        }


@pytest.fixture
def new_bills(logs: Any) -> Iterator[Callable[[], Bills]]:
    """Further tables over the same landed files."""
    with ExitStack() as stack:
        yield lambda: Bills(logs, stack.enter_context(warehouse.engine(logs.settings)))


@pytest.fixture
def bills(new_bills: Callable[[], Bills]) -> Bills:
    return new_bills()


@pytest.fixture
def again(logs: Any, new_bills: Callable[[], Bills]) -> Callable[[Sequence[int]], Bills]:
    """What was landed, loaded anew in the order given."""

    def load(order: Sequence[int]) -> Bills:
        other, segments = new_bills(), landing.landed(logs.settings)
        other.take([segments[place] for place in order])
        return other

    return load


@pytest.fixture
def stored(logs: Any) -> Bills:
    """The tables of a warehouse on disk."""
    return Bills(logs)


def openai_page(days: dict[int, list[dict[str, Any]]], **page: Any) -> dict[str, Any]:
    """A page of the costs or the usage API: days after the first -> results."""
    buckets = []
    for day, results in days.items():
        start = DAY + timedelta(days=day)
        end = start + timedelta(days=1)
        buckets.append(
            {
                "object": "bucket",
                "start_time": int(start.timestamp()),
                "end_time": int(end.timestamp()),
                "results": results,
            }
        )
    return {"object": "page", "data": buckets, "has_more": False, "next_page": None, **page}


def openai_cost(value: Any, line_item: str | None = "gpt-5, input", **changes: Any) -> dict[str, Any]:
    amount = {"value": value, "currency": "usd"}
    return {
        "object": "organization.costs.result",
        "amount": amount,
        "line_item": line_item,
        "project_id": "proj_a",
        "quantity": None,
        "quantity_unit": None,
        **changes,
    }


def openai_usage(kind: str = "completions", **counts: Any) -> dict[str, Any]:
    return {
        "object": f"organization.usage.{kind}.result",
        "num_model_requests": 3,
        "project_id": "proj_a",
        "user_id": None,
        "api_key_id": "key_a",
        "model": "gpt-5",
        **counts,
    }


def anthropic_page(days: dict[int, list[dict[str, Any]]], **page: Any) -> dict[str, Any]:
    data = []
    for day, results in days.items():
        start = DAY + timedelta(days=day)
        end = start + timedelta(days=1)
        data.append(
            {"starting_at": f"{start:%Y-%m-%dT%H:%M:%SZ}", "ending_at": f"{end:%Y-%m-%dT%H:%M:%SZ}", "results": results}
        )
    return {"data": data, "has_more": False, "next_page": None, **page}


def anthropic_cost(amount: str, **changes: Any) -> dict[str, Any]:
    return {
        "amount": amount,
        "currency": "USD",
        "cost_type": "tokens",
        "token_type": "output_tokens",
        "description": "Claude Sonnet 5 Usage - Output Tokens",
        "model": "claude-sonnet-5",
        "service_tier": "standard",
        "context_window": "0-200k",
        "inference_geo": "us",
        "workspace_id": "wrkspc_a",
        **changes,
    }


@pytest.fixture
def openai() -> dict[str, Callable[..., dict[str, Any]]]:
    return {"page": openai_page, "cost": openai_cost, "usage": openai_usage}


@pytest.fixture
def anthropic() -> dict[str, Callable[..., dict[str, Any]]]:
    return {"page": anthropic_page, "cost": anthropic_cost}


@pytest.fixture
def log_formats(captures: Path) -> Path:
    return captures / "log_formats"
