"""Anthropic: the documentation's price page (markdown and HTML), older model pages, the marketing page.

The markdown address is the same page as the HTML one and comes first; both must give the same rows.

What is read: tables (`_anthropic_tables`), tool prices, the US-only factor and cancelled changes in sentences
(`_anthropic_prose`), price cards of the marketing page (`_anthropic_cards`). An HTML page of the documentation
carries its element tree a second time in scripts (`_flight`); where it does, both views are read and
every amount must agree. If the visible page is a shell, the embedded tree alone gives the rows.

Rules beyond the reader's own:

* Nothing is derived: "50% discount", "0.1x" and "6x standard rates" make no rows. They are second statements
  about the tables, and a table that contradicts one fails (ViewsDisagree) rather than being believed. So does one
  in which a cache read costs more than input, or input more than output: its columns and headers came apart.
* A long-context or fast table that repeats base prices must repeat them exactly (ConflictingRows).
* "through August 31, 2026" and "starting September 1, 2026" beside a name bound the row's time; a row that
  starts after the capture is `announced`, one whose last day is over is no row. A notice that a dated change
  will not occur gives `cancelled` rows for it.
* A page with price tables but without a single standard price is a broken page, not a short one.
* Prices of tools and sessions carry the model `*`: they hold whichever model is called.
"""

from __future__ import annotations

import re
from decimal import Decimal

from bs4 import BeautifulSoup

from scrapers.errors import LayoutChanged, NoPrices, ViewsDisagree
from scrapers.prices import Capture, PriceRow, distinct
from scrapers.providers import Provider, Source
from scrapers.providers._anthropic_cards import read_cards
from scrapers.providers._anthropic_prose import cancelled, check_order, check_ratios, lines, residency, tool_prices
from scrapers.providers._anthropic_tables import families_of, read_tables
from scrapers.providers._component_markdown import flattened
from scrapers.providers._flight import embedded_page
from scrapers.tables import soup_of, tables

# A table left as text: an amount per tokens between pipes.
_UNRENDERED = re.compile(r"\|[^|\n]*\$\s?\d[\d.,]*\s*/\s*M?Tok[^|\n]*\|", re.I)


def read(capture: Capture) -> list[PriceRow]:
    """Rows of one stored page of any of Anthropic's layouts, or the ScrapeError that says why not."""
    soup = soup_of(flattened(capture))
    embedded = embedded_page(soup)
    if embedded is not None and not tables(soup):
        soup, embedded = embedded, None  # a shell: the scripts hold the page
    rows = _read_document(soup, capture)
    if embedded is not None:
        rows = _agreed(rows, _read_document(embedded, capture))
    if not rows:
        title = soup.title.get_text(" ", strip=True) if soup.title else "no title"
        raise NoPrices(
            f"{capture.url}: no price table and no price card ({title!r}, {len(tables(soup))} tables, "
            f"{len(soup.get_text(' ', strip=True))} visible characters)"
        )
    return rows


def _read_document(soup: BeautifulSoup, capture: Capture) -> list[PriceRow]:
    for mark in soup.select("th sup, td sup"):
        mark.decompose()  # footnote marks, which would run into the words before them
    page = lines(soup)
    for text in [*(line.text for line in page), *(pre.get_text() for pre in soup.find_all("pre"))]:
        if found := _UNRENDERED.search(text):
            raise LayoutChanged(f"the page holds a table that is not in table form: {found[0][:120]!r}")
    rows = distinct([*read_tables(soup, page, capture.captured_at), *read_cards(soup)])
    if rows and not any(r.service_tier == "standard" and r.per.unit == "tokens" for r in rows):
        raise LayoutChanged(f"{capture.url}: no standard price, only {', '.join(sorted({r.where for r in rows})[:3])}")
    if not rows:
        return rows
    families = families_of(soup) | {"Opus", "Sonnet", "Haiku"}
    rows += tool_prices(page)
    rows += residency(page, _versions(rows))
    rows += cancelled(page, families)
    check_ratios(rows, page, families)
    check_order(rows)
    return distinct(rows)


def _versions(rows: list[PriceRow]) -> dict[str, tuple[str, Decimal | None]]:
    """Label and version of every model with a standard price."""
    return {
        row.model: (
            row.model_label,
            Decimal(match[1]) if (match := re.search(r"(\d+(?:\.\d+)?)", row.model_label)) else None,
        )
        for row in rows
        if row.service_tier == "standard" and row.per.unit == "tokens"
    }


def _agreed(visible: list[PriceRow], embedded: list[PriceRow]) -> list[PriceRow]:
    """Both views as one. A key in both must have one amount; a price that only the scripts hold counts where
    the page shows nothing of that model and tier, and is a disagreement where it shows the others."""
    shown = {row.key: row for row in visible}
    groups = {(row.model, row.service_tier, row.status) for row in visible}
    extra: list[PriceRow] = []
    for row in embedded:
        other = shown.get(row.key)
        if other is not None and (other.unit_amount, other.valid_from) != (row.unit_amount, row.valid_from):
            raise ViewsDisagree(f"the page shows {other.text!r} at [{other.where}], its scripts hold {row.text!r}")
        if other is None and (row.model, row.service_tier, row.status) in groups:
            raise ViewsDisagree(f"the page's scripts hold {row.text!r} at [{row.where}], the page shows no such price")
        if other is None:
            extra.append(row)
    return [*visible, *extra]


_FORMER_DOCS = (
    "https://docs.claude.com/en/docs/about-claude/pricing",
    "https://docs.anthropic.com/en/docs/about-claude/pricing",
)

PROVIDER = Provider(
    name="anthropic",
    sources=(
        Source(
            name="docs_markdown",
            url="https://platform.claude.com/docs/en/about-claude/pricing.md",
            min_rows=45,
            sentinels=("claude-haiku-4-5",),
            also_at=_FORMER_DOCS,
        ),
        Source(
            name="docs",
            url="https://platform.claude.com/docs/en/about-claude/pricing",
            min_rows=45,
            sentinels=("claude-haiku-4-5",),
            also_at=_FORMER_DOCS,
        ),
        Source(
            name="marketing",
            url="https://claude.com/pricing",
            min_rows=12,
            sentinels=("claude-haiku-4-5",),
            also_at=("https://www.anthropic.com/pricing",),
        ),
    ),
    read=read,
)
