"""DeepSeek's reader against real pages in two languages over a price change, and breakings of them."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from bs4.element import Tag

from scrapers.errors import ScrapeError
from scrapers.prices import Capture, PriceRow
from scrapers.providers.deepseek import PROVIDER

PAGE = "2026-07-27_api-docs.deepseek.com_pricing.html"
Key = tuple[str, ...]
START = datetime(2026, 8, 16, 16, tzinfo=UTC)

# Current prices before 16 August 2026, by currency: model -> (cache hit, cache miss, output) per 1M tokens.
BEFORE = {
    "USD": {"deepseek-v4-flash": ("0.0028", "0.14", "0.28"), "deepseek-v4-pro": ("0.003625", "0.435", "0.87")},
    "CNY": {"deepseek-v4-flash": ("0.02", "1", "2"), "deepseek-v4-pro": ("0.025", "3", "6")},
}
OFF_PEAK = {"deepseek-v4-flash": ("0.007", "0.22", "0.66"), "deepseek-v4-pro": ("0.022", "0.66", "1.98")}
PEAK = {"deepseek-v4-flash": ("0.014", "0.44", "1.32"), "deepseek-v4-pro": ("0.044", "1.32", "3.96")}


def rows_of(body: bytes, at: str = "2026-07-27") -> list[PriceRow]:
    url = "https://api-docs.deepseek.com/quick_start/pricing"
    return PROVIDER.rows(Capture("pricing", url, datetime.fromisoformat(at).replace(tzinfo=UTC), body))


def facts(rows: list[PriceRow]) -> dict[Key, Decimal]:
    return {(r.model, r.meter, r.window.name if r.window else "", r.currency, r.status): r.unit_amount for r in rows}


def stated(prices: dict[str, tuple[str, ...]], window: str, currency: str, status: str) -> dict[Key, Decimal]:
    return {
        (model, meter, window, currency, status): Decimal(amount) / 1_000_000
        for model, amounts in prices.items()
        for meter, amount in zip(("cache_read", "input", "output"), amounts, strict=True)
    }


def test_every_row_is_right_and_none_is_unexplained(captures: Path) -> None:
    want: dict[Key, Decimal] = {}
    with (captures / "expected" / f"deepseek__{PAGE}.tsv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            assert (row["per"], row["service_tier"], row["region"]) == ("1000000 tokens", "standard", "global")
            k = (row["model"], row["meter"], row["window"], row["currency"], row["status"])
            want[k] = Decimal(row["amount"]) / 1_000_000
    assert facts(rows_of((captures / "pages/deepseek" / PAGE).read_bytes())) == want


@pytest.mark.parametrize("day", ["2026-08-02", "2026-08-08", "2026-08-13"])
@pytest.mark.parametrize(("language", "currency"), [("en", "USD"), ("zh-cn", "CNY")])
def test_a_vague_notice_is_not_a_price(captures: Path, day: str, language: str, currency: str) -> None:
    """The flattened markdown, with a rise to come "soon" and peak hours that hold for nothing yet."""
    body = (captures / f"pages/deepseek/md_history/{day}_{language}_pricing.md").read_bytes()
    rows = rows_of(body, day)
    assert facts(rows) == stated(BEFORE[currency], "", currency, "active")
    assert all(row.valid_from is None and row.valid_to is None and row.window is None for row in rows)


def test_the_dated_table_is_announced_with_its_windows(captures: Path) -> None:
    body = (captures / "pages/deepseek/md_history/2026-08-14_en_pricing.md").read_bytes()
    rows = rows_of(body, "2026-08-14")
    assert facts(rows) == (
        stated(BEFORE["USD"], "", "USD", "active")
        | stated(OFF_PEAK, "off_peak", "USD", "announced")
        | stated(PEAK, "peak", "USD", "announced")
    )
    for row in rows:
        if row.window is None:
            assert (row.valid_from, row.valid_to) == (None, START)
        else:
            assert (row.valid_from, row.valid_to, row.valid_from_basis) == (START, None, "stated")
            assert row.window.zone == "UTC"
            assert row.window.weekdays == (1, 2, 3, 4, 5, 6, 7)
    windows = {row.window.name: row.window for row in rows if row.window}
    assert windows["peak"].hours == windows["off_peak"].hours == (("01:00", "04:00"), ("06:00", "10:00"))
    assert (windows["peak"].is_outside, windows["off_peak"].is_outside) == (False, True)
    hour = [START + timedelta(hours=number) for number in range(24)]
    assert [at.hour for at in hour if windows["peak"].contains(at)] == [1, 2, 3, 6, 7, 8, 9]
    assert all(windows["peak"].contains(at) != windows["off_peak"].contains(at) for at in hour)


def test_the_same_page_after_that_instant_has_the_new_prices_only(captures: Path) -> None:
    body = (captures / "pages/deepseek/md_history/2026-08-14_en_pricing.md").read_bytes()
    want = stated(OFF_PEAK, "off_peak", "USD", "active") | stated(PEAK, "peak", "USD", "active")
    assert facts(rows_of(body, "2026-08-16T16:00:00")) == want


def test_the_change_log_is_no_price_page(captures: Path) -> None:
    with pytest.raises(ScrapeError) as raised:
        rows_of((captures / "pages/deepseek/2026-07-27_updates_changelog.html").read_bytes())
    assert raised.value.name == "no_prices"


Change = Callable[[random.Random, Tag], None]
PRICES = ("CACHE HIT", "CACHE MISS", "OUTPUT TOKENS")


def price_lines(table: Tag) -> list[Tag]:
    return [tr for tr in table.find_all("tr") if any(words in tr.get_text() for words in PRICES)]


def swap_models(dice: random.Random, table: Tag) -> None:
    """Both model columns change places, header and cells."""
    for tr in table.find_all("tr"):
        cells = tr.find_all("td")
        if len(cells) > 2 and not cells[-1].get("colspan"):
            cells[-1].insert_after(cells[-2].extract())


def move_lines(dice: random.Random, table: Tag) -> None:
    """The lines of features move below the prices."""
    for tr in table.find_all("tr")[1:7]:
        table.append(tr.extract())


def add_model(dice: random.Random, table: Tag) -> None:
    """A model between the two, priced like the first."""
    for tr in table.find_all("tr"):
        cells = tr.find_all("td")
        if cells[-1].get("colspan"):
            cells[-1]["colspan"] = "3"
        else:
            new = BeautifulSoup(f"<td>{cells[-2].get_text()}</td>", "lxml").td
            assert new is not None
            if "MODEL" in tr.get_text() and "VERSION" not in tr.get_text():
                new.string = "deepseek-v4-mini"
            cells[-1].insert_before(new)


def add_other_column(dice: random.Random, table: Tag) -> None:
    add_model(dice, table)
    found = table.find(string="deepseek-v4-mini")
    assert found is not None
    found.replace_with("DISCOUNT")


def drop_cell(dice: random.Random, table: Tag) -> None:
    dice.choice(price_lines(table)).find_all("td")[-dice.randint(1, 2)].decompose()


def empty_cell(dice: random.Random, table: Tag) -> None:
    dice.choice(price_lines(table)).find_all("td")[-1].string = ""


def drop_line(dice: random.Random, table: Tag) -> None:
    dice.choice(table.find_all("tr")).decompose()


def rename_label(dice: random.Random, table: Tag) -> None:
    cell = dice.choice(price_lines(table)).find_all("td")[-3]
    cell.string = dice.choice(
        ["1K INPUT TOKENS (CACHE HIT)", "1M TOKENS", "1M CACHE WRITE TOKENS", "INPUT", "5M OUTPUT TOKENS"]
    )


def other_currency(dice: random.Random, table: Tag) -> None:
    cell = dice.choice(price_lines(table)).find_all("td")[-1]
    cell.string = cell.get_text().replace("$", dice.choice(["€", "", "¥", "US cents "]))


SAME = (swap_models, move_lines, add_model)
SUBSET = (drop_line, empty_cell)
CHANGES = [*SAME, *SUBSET, drop_cell, add_other_column, rename_label, other_currency]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_broken_page_gives_no_wrong_row(captures: Path, change: Change) -> None:
    """What is still read is right, or a named error says what was found."""
    page = (captures / "pages/deepseek" / PAGE).read_bytes()
    right = facts(rows_of(page))
    for seed in range(8):
        soup = BeautifulSoup(page, "lxml")
        table = soup.find("table")
        assert isinstance(table, Tag)
        change(random.Random(seed), table)
        try:
            rows = facts(rows_of(str(soup).encode()))
        except ScrapeError:
            assert change not in SAME, (seed, "should still be read")
            continue
        known = {k: amount for k, amount in rows.items() if k[0] != "deepseek-v4-mini"}
        assert known.items() <= right.items(), seed
        if change in SAME:
            assert known == right
        assert change in (*SAME, *SUBSET), (seed, "should be a named error")
