"""The small written pages broken at random: nothing false is believed. The real ones: `tests/captures`."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scrapers.prices import Capture
from scrapers.providers import provider
from tests.mutations import MUTATIONS, rows_of, verdict

CASES = Path(__file__).parent / "cases"
# Pages with enough prices for a gate to see a shape in, two or three of each form.
PAGES = (
    "anthropic/comparison", "anthropic/docs_autumn_2026", "anthropic/docs_markdown", "azure/api_answer",
    "bedrock/offer_file", "cohere/cards", "deepseek/announced", "deepseek/windows_live_html", "edenai/models",
    "fireworks/pricing", "google/markdown", "google/tabs_and_thresholds", "groq/markdown", "huggingface/routes",
    "mistral/cards", "moonshot/mdx_usd", "openai/html_two_views", "openai/markdown_pipe_tables",
    "openrouter/models", "perplexity/pricing", "together/docs_markdown", "together/pricing_tabs", "xai/catalogue",
    "xai/pricing_markdown",
)  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_nothing_false_is_believed_of_a_broken_page(page: str) -> None:
    case = CASES / page
    (file,) = case.glob("page.*")
    stamp = case / "captured_at.txt"
    at = datetime.fromisoformat(stamp.read_text().strip()) if stamp.exists() else datetime(2026, 5, 1, tzinfo=UTC)
    reader = provider(case.parent.name)
    good = Capture(reader.sources[0].name, reader.sources[0].url, at, file.read_bytes())
    source = replace(reader.sources[0], min_rows=1, sentinels=())
    source = replace(source, min_rows=len(rows_of(reader, good, source)) // 2)
    tried = 0
    for name, mutation in MUTATIONS.items():
        chance = random.Random(name)
        broken = mutation(chance, good.text)
        if broken is not None:
            tried += 1
            found = verdict(reader, source, good, broken, name)
            assert found.wrong == (), f"{name}: {found}"
    assert tried >= 3
