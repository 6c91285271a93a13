"""Real pages broken at random, read, and passed through the gates: nothing false is believed."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from pipelines.pricing import readings
from scrapers.prices import Capture
from tests.mutations import MUTATIONS, rows_of, verdict

LARGE = 300_000  # bytes; such a page takes long to break and to read
PAGES = {
    "anthropic/docs": "pages/anthropic/2026-04-26_full_page.html",
    "anthropic/docs_markdown": "pages/anthropic/md_history/2026-05-01_pricing_jr.md",
    "anthropic/marketing": "pages/anthropic/2025-11-13_marketing_pricing.html",
    "bedrock/us-east-1": "pages/aws-bedrock/2026-09-11_AmazonBedrock_us-east-1_index_trimmed.json",
    "deepseek/pricing": "pages/deepseek/2026-07-27_api-docs.deepseek.com_pricing.html",
    "deepseek/pricing_md": "pages/deepseek/md_history/2026-08-14_en_pricing.md",
    "deepseek/pricing_cny": "pages/deepseek/md_history/2026-08-13_zh-cn_pricing.md",
    "edenai/models": "pages/edenai/2026-08-10_models.json",
    "genai_prices/data": "price_lists/genai-prices/history_data_2026-01-28.json",
    "google/pricing": "pages/google-gemini/2026-04-27c_full_page.html",
    "groq/models": "pages/groq/2026-08_console.groq.com_docs_models.md",
    "huggingface/models": "pages/huggingface/2026-08-10_models.json",
    "litellm/map": "price_lists/litellm/model_prices_2025-12-28.json",
    "mistral/pricing_api": "pages/mistral/2026-07-27_mistral.ai_pricing_api.html",
    "moonshot/docs_k26": "pages/moonshot/2026-07-27_chat-k26.html",
    "openai/pricing_markdown": "pages/openai/md_history/2026-07-06_pricing.md",
    "openai/pricing_page": "pages/openai/2026-04-27_full_page.html",
    "openrouter/models": "pages/openrouter/2026-05-22_models.json",
    "ovhcloud/catalog": "pages/ovhcloud/2026-08-03_catalog.html",
    "together/docs": "pages/together/2026-07-27_docs.together.ai_serverless-models.html",
    "together/pricing": "pages/together/2026-07-27_together.ai_pricing.html",
    "xai/models": "pages/xai/2026-07-27_docs.x.ai_models.html",
}


@pytest.mark.parametrize("name", PAGES)
def test_nothing_false_is_believed_of_a_broken_page(captures: Path, name: str) -> None:
    reader, source = readings.sources()[name]
    path = captures / PAGES[name]
    at = datetime.fromisoformat("2026-08-14T00:00:00Z")
    good = Capture(source.name, source.url, at, path.read_bytes())
    source = replace(source, min_rows=min(source.min_rows, len(rows_of(reader, good, source))))
    for kind, mutation in MUTATIONS.items():
        for seed in range(3, 4 if len(good.body) > LARGE else 12):
            broken = mutation(random.Random(f"{kind} {seed}"), good.text)
            if broken is None:
                break
            found = verdict(reader, source, good, broken, kind)
            assert found.wrong == (), f"{kind} {seed}: {found}"
