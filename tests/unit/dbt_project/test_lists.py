"""What dbt and the importers both list, stated twice since neither can read the other: the two are the same."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from jinja2 import Environment

from pipelines.logs.canonical import CALL_COLUMNS, ERROR_CLASSES, METER_COLUMNS
from pipelines.settings import Settings
from scrapers.vocabulary import METERS, PROVIDERS

PROJECT = Settings().dbt_project


def returned(macro: str) -> Any:
    """What one macro of `meters.sql` returns, dbt's `return` being the one thing it needs of dbt."""
    values: list[Any] = []
    text = (PROJECT / "macros" / "meters.sql").read_text(encoding="utf-8")
    getattr(Environment(autoescape=False).from_string(text, {"return": values.append}).module, macro)()
    (value,) = values
    return value


def seed(name: str) -> list[dict[str, str]]:
    with (PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_seed_of_error_classes_is_the_importers_list() -> None:
    truth = {"true": True, "false": False}
    stated = {
        row["error_class"]: (
            row["code"] or None,
            truth[row["is_retryable"]],
            truth[row["is_fallbackable"]],
            row["fault"],
        )
        for row in seed("error_classes")
    }
    assert stated == ERROR_CLASSES
    assert len(seed("error_classes")) == len(ERROR_CLASSES)


def test_the_macro_of_meters_is_the_importers_list() -> None:
    assert returned("meters") == list(METER_COLUMNS.items())


def test_every_meter_of_a_call_is_a_column_of_it_and_a_meter_of_the_price_book() -> None:
    assert set(METER_COLUMNS) <= set(CALL_COLUMNS)
    assert set(METER_COLUMNS.values()) <= set(METERS)


def test_what_counts_into_the_context_is_every_input_meter_and_cached_ones_too() -> None:
    assert returned("input_meters") == [c for c, meter in METER_COLUMNS.items() if meter.startswith(("input", "cache"))]


def test_an_alias_has_one_meaning_of_a_registered_provider_and_is_no_alias_of_an_alias() -> None:
    aliases = seed("model_aliases")
    names = [(row["provider"], row["alias"]) for row in aliases]
    assert len(set(names)) == len(names)
    assert {row["provider"] for row in aliases} <= set(PROVIDERS)
    assert [row for row in aliases if (row["provider"], row["model"]) in names] == []


@pytest.mark.parametrize("layer", ["intermediate", "marts"])
def test_a_file_of_unit_tests_stands_beside_the_model_it_is_named_for(layer: str) -> None:
    files = sorted((PROJECT / "models" / layer).rglob("*__units.yml"))
    assert files != []
    assert [f.name for f in files if not f.with_name(f.name.replace("__units.yml", ".sql")).exists()] == []
