"""A home of its own for each test, and short ways to write log files and read what became of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipelines import warehouse
from pipelines.logs import loading
from pipelines.settings import Settings

Rows = list[dict[str, Any]]


class Logs:
    """One warehouse: put files in, look at the tables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(home=folder / "home", threads=2, memory_limit="1GB")

    def file(self, name: str, content: str | bytes | Sequence[Any]) -> Path:
        path = self.folder / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
        return path

    def ingest(self, *paths: Path, **options: Any) -> list[loading.Receipt]:
        return loading.ingest(self.settings, paths, **options)

    def load(self, content: str | bytes | Sequence[Any], name: str = "log.jsonl", **options: Any) -> loading.Receipt:
        return self.ingest(self.file(name, content), **options)[0]

    def query(self, sql: str) -> Rows:
        with warehouse.reading(self.settings) as connection:
            cursor = connection.execute(sql)
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def calls(self) -> Rows:
        return self.query("select * from raw.calls order by occurred_at, event_id")

    def call(self) -> dict[str, Any]:
        (only,) = self.calls()
        return only

    def content(self) -> Rows:
        """The calls without the link to the file they came from, in one order."""
        return self.query("select * exclude (segment_id) from raw.calls order by event_id")

    def quarantine(self) -> Rows:
        return self.query("select * from raw.call_quarantine order by record_number")


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path)


@pytest.fixture
def new_logs(tmp_path: Path) -> Callable[[], Logs]:
    """Further warehouses, to compare with."""
    made = iter(range(1000))

    def make() -> Logs:
        folder = tmp_path / f"other{next(made)}"
        folder.mkdir()
        return Logs(folder)

    return make


def ailib_record(**changes: Any) -> dict[str, Any]:
    """A nested ai-lib record; `usage`, `metadata` and envelope fields by name."""
    metadata = {
        "provider_id": "openai",
        "model_id": "gpt-4o-mini",
        "execution_latency_ms": 800,
        "translation_latency_ms": 1,
        "micro_retry_count": 0,
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        **changes.pop("metadata", {}),
    }
    if "usage" in changes:
        metadata["usage"] = changes.pop("usage")
    return {"timestamp": "2026-11-01T10:00:00Z", "request_id": "r1", "execution_metadata": metadata, **changes}


@pytest.fixture
def ailib() -> Callable[..., dict[str, Any]]:
    return ailib_record
