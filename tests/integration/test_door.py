"""The door of `raw`: Great Expectations over what was believed. Here because its import alone takes seconds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipelines import quality, warehouse
from pipelines import settings as settings_module
from pipelines.logs import loading
from pipelines.pricing import readings, statements
from scrapers.store import PageStore

# Great Expectations imports modules that warn of their own age.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PAGE = "| MODEL ID | PRICE PER 1M TOKENS |\n| --- | --- |\n"


@pytest.fixture
def settings(tmp_path):
    found = settings_module.load(tmp_path / "home")
    found.create_home()
    statements.load(found)
    lines = [f"| [lab/{n}](/docs/model/lab/{n})lab/{n} | $0.{n}0 input$1.{n}0 output |\n" for n in range(1, 6)]
    for day in (1, 2):
        PageStore(found.pages).add(
            (PAGE + "".join(lines)).encode(),
            source="groq/models",
            url="https://console.groq.com/docs/models",
            fetched_at=datetime(2026, 3, day, tzinfo=UTC),
        )
    readings.read_stored_pages(found)
    return found


def test_what_the_gates_let_in_passes(settings):
    assert quality.price_rows(settings).is_passed
    assert quality.price_readings(settings).is_passed
    assert quality.price_readings(settings).checked_rows == 1


@pytest.mark.parametrize(
    ("damage", "failed"),
    [
        ("update raw.price_observations set meter = 'inputs'", "meter"),
        ("update raw.price_observations set evidence_where = null", "evidence_where"),
        ("update raw.price_statements set currency = 'dollars'", "currency"),
        ("update raw.price_statements set unit_amount = 20000", "unit_amount"),
    ],
)
def test_a_bad_row_is_named(settings, damage, failed):
    with warehouse.writing(settings) as connection:
        connection.execute(damage)
    verdict = quality.price_rows(settings)
    assert not verdict.is_passed
    assert all(failed in failure for failure in verdict.failures)


LAST = "(select reading_id from raw.price_captures order by captured_at desc limit 1)"


@pytest.mark.parametrize(
    ("damage", "failed"),
    [
        (f"update raw.price_observations set unit_amount = 0 where reading_id = {LAST}", "zero_share"),
        (
            f"update raw.price_observations set unit_amount = unit_amount * 10 where reading_id = {LAST}",
            "largest_factor",
        ),
        (f"delete from raw.price_observations where reading_id = {LAST} and model <> 'lab/1'", "kept_share"),
    ],
)
def test_a_bad_page_that_passed_the_gates_is_named(settings, damage, failed):
    with warehouse.writing(settings) as connection:
        connection.execute(damage)
    (failure,) = quality.price_readings(settings).failures
    assert failed in failure


RECORD = (
    '{"timestamp": "2026-11-01T10:00:00Z", "request_id": "r%d", "execution_metadata": {"provider_id": "openai", "model_id":'
    ' "gpt-4o-mini", "execution_latency_ms": 800, "usage": {"prompt_tokens": 100, "completion_tokens": 20}}}\n'
)


@pytest.mark.parametrize(
    ("damage", "failed"),
    [
        ("select 1", None),
        ("update raw.segments set read_count = read_count + 1", "read_count, accounted_count"),
        ("update raw.segments set accepted_count = 1, quarantined_count = 2", "quarantined_share"),
        ("update raw.segments set first_occurred_at = '1970-01-21 10:00:00+00'", "first_occurred_epoch"),
        ("update raw.segments set last_occurred_at = '58000-01-01 10:00:00+00'", "last_occurred_epoch"),
    ],
)
def test_a_segment_that_was_misread_is_named(tmp_path, damage, failed):
    found = settings_module.load(tmp_path / "home")
    file = tmp_path / "calls.jsonl"
    file.write_text("".join(RECORD % number for number in range(3)))
    loading.ingest(found, [file])
    with warehouse.writing(found) as connection:
        connection.execute(damage)
    verdict = quality.segment_profiles(found)
    assert verdict.checked_rows == 1
    assert verdict.is_passed == (failed is None)
    assert [failed for failure in verdict.failures if failed in failure] == ([failed] if failed else [])
