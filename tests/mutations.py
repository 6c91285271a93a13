"""Pages broken at random, and whether what comes of them may be believed.

A mutation takes a page and returns another, or None where the page has nothing it could break. `verdict` reads
the broken page, passes the rows through the gates against those of the page as it was, and says what became of
them. A row that is believed and is not what the page said before is the failure.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import Tag

from pipelines.pricing import tables
from pipelines.pricing.gates import Row, judge, row_of
from scrapers.errors import ScrapeError
from scrapers.headers import header_words
from scrapers.prices import Capture
from scrapers.providers import Provider, Source
from scrapers.tables import is_markdown

Mutation = Callable[[random.Random, str], str | None]
_PRICED = re.compile(r"[$€¥￥£]\s?\d|\d\s*元")
_DIGITS = re.compile(r"(?<=[$€¥￥£])\s?\d[\d,]*(?:\.\d+)?|\d+(?:\.\d+)?(?=\s*元)")
_MILLION = re.compile(
    r"(?<![\w.,])1\s?M(?=\b)|\bMTok\b|\b1,000,000\b|(?<![a-z])million(?![a-z])|(?<=/)\s?M(?=\s?tok|\b)|百万", re.I
)
_THOUSAND = {"1m": "1K", "mtok": "KTok", "1,000,000": "1,000", "million": "thousand", "m": "K", "百万": "千"}


# --- tables, of HTML and of markdown --------------------------------------------------------------


@dataclass(slots=True)
class Grid:
    """A table as rows of cells that can be read, written and taken away. The first row is the header."""

    read: Callable[[int, int], str]
    write: Callable[[int, int, str], None]
    drop: Callable[[int, int | None], None]  # a row, or one cell of it
    drop_all: Callable[[], None]
    widths: list[int]

    @property
    def body(self) -> list[int]:
        """Rows as wide as the header, but for the header."""
        return [n for n in range(1, len(self.widths)) if self.widths[n] == self.widths[0]]

    def priced(self) -> list[int]:
        """Columns with a price in some row of the body."""
        return [c for c in range(self.widths[0]) if any(_PRICED.search(self.read(r, c)) for r in self.body)]


def _html_grids(soup: BeautifulSoup) -> Iterator[Grid]:
    for table in soup.find_all("table"):
        rows = [tr.find_all(["td", "th"], recursive=False) for tr in table.find_all("tr")]
        if rows and not any(cell.get("rowspan") or cell.get("colspan") for row in rows for cell in row):
            yield _html_grid(table, rows)


def _html_grid(table: Tag, rows: list[list[Tag]]) -> Grid:
    def write(row: int, column: int, html: str) -> None:
        cell = rows[row][column]
        cell.clear()
        for part in list(BeautifulSoup(f"<body>{html}</body>", "lxml").body or ()):
            cell.append(part)

    def drop(row: int, column: int | None) -> None:
        if column is not None:
            rows[row][column].decompose()
        elif rows[row] and rows[row][0].parent:
            rows[row][0].parent.decompose()

    return Grid(
        lambda row, column: rows[row][column].decode_contents(), write, drop, table.decompose, [len(r) for r in rows]
    )


def _markdown_grids(lines: list[str | None]) -> Iterator[Grid]:
    start = 0
    for at, line in enumerate([*lines, ""]):
        if line is None or not re.match(r"\s*(?:> ?)*\s*\|", line):
            if at - start > 2:
                yield _markdown_grid(lines, [start, *range(start + 2, at)])
            start = at + 1


def _markdown_grid(lines: list[str | None], at: list[int]) -> Grid:
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", (lines[n] or "").strip().strip("|"))] for n in at]

    def show(row: int) -> None:
        lines[at[row]] = "| " + " | ".join(rows[row]) + " |"

    def write(row: int, column: int, text: str) -> None:
        rows[row][column] = text
        show(row)

    def drop(row: int, column: int | None) -> None:
        if column is None:
            lines[at[row]] = None
            return
        del rows[row][column]
        show(row)
        if row == 0:
            lines[at[0] + 1] = "|" + " --- |" * len(rows[0])

    def drop_all() -> None:
        for n in range(at[0], at[-1] + 1):
            lines[n] = None

    return Grid(lambda row, column: rows[row][column], write, drop, drop_all, [len(r) for r in rows])


def on_table(change: Callable[[random.Random, Grid], bool]) -> Mutation:
    """A mutation of one table that holds prices in columns; `change` says whether it did anything."""

    def mutate(chance: random.Random, text: str) -> str | None:
        if is_markdown(text):
            lines: list[str | None] = list(text.split("\n"))
            changed = _changed(chance, _markdown_grids(lines), change)
            return "\n".join(line for line in lines if line is not None) if changed else None
        if text.lstrip()[:1] in ("{", "["):
            return None
        soup = BeautifulSoup(text, "lxml")
        return str(soup) if _changed(chance, _html_grids(soup), change) else None

    mutate.__name__ = change.__name__
    return mutate


def _changed(chance: random.Random, grids: Iterator[Grid], change: Callable[[random.Random, Grid], bool]) -> bool:
    """Change one of the tables with prices, any that can be."""
    priced = [grid for grid in grids if grid.body and grid.priced()]
    return any(change(chance, grid) for grid in chance.sample(priced, len(priced)))


def _two_columns(chance: random.Random, grid: Grid) -> tuple[int, int] | None:
    priced = grid.priced()
    if len(priced) < 2:
        return None
    left, right = chance.sample(priced, 2)
    return left, right


def _priced_cell(chance: random.Random, grid: Grid) -> tuple[int, int]:
    return chance.choice([(r, c) for r in grid.body for c in grid.priced() if _PRICED.search(grid.read(r, c))])


def swap_cells(chance: random.Random, grid: Grid) -> bool:
    """Two columns' cells change places, their headers stay."""
    pair = _two_columns(chance, grid)
    for row in grid.body if pair else ():
        a, b = pair or (0, 0)
        first, second = grid.read(row, a), grid.read(row, b)
        grid.write(row, a, second)
        grid.write(row, b, first)
    return pair is not None


def swap_headers(chance: random.Random, grid: Grid) -> bool:
    """Two headers change places, the cells below stay."""
    pair = _two_columns(chance, grid)
    if pair:
        first, second = (grid.read(0, column) for column in pair)
        grid.write(0, pair[0], second)
        grid.write(0, pair[1], first)
    return pair is not None


def swap_columns(chance: random.Random, grid: Grid) -> bool:
    """Two columns change places with their headers: the page says the same."""
    return swap_cells(random.Random(state := chance.random()), grid) and swap_headers(random.Random(state), grid)


def empty_cell(chance: random.Random, grid: Grid) -> bool:
    """One price is gone."""
    grid.write(*_priced_cell(chance, grid), "")
    return True


def drop_cell(chance: random.Random, grid: Grid) -> bool:
    """A row lacks one cell, and those after it slide."""
    grid.drop(*_priced_cell(chance, grid))
    return True


def drop_column(chance: random.Random, grid: Grid) -> bool:
    """A column of prices is gone, header and cells."""
    column = chance.choice(grid.priced())
    for row in (0, *grid.body):
        grid.drop(row, column)
    return True


def drop_rows(chance: random.Random, grid: Grid) -> bool:
    """Two rows of three are gone."""
    for row in chance.sample(grid.body, len(grid.body) * 2 // 3):
        grid.drop(row, None)
    return len(grid.body) > 1


def drop_table(_: random.Random, grid: Grid) -> bool:
    """A table is gone."""
    grid.drop_all()
    return True


# --- texts ----------------------------------------------------------------------------------------


def _scaled(factor: int) -> Mutation:
    def mutate(chance: random.Random, text: str) -> str | None:
        spots = [match for match in _DIGITS.finditer(text) if Decimal(match[0].strip().replace(",", "")) > 0]
        if text.lstrip()[:1] in ("{", "[") or not spots:
            return None
        if is_markdown(text):  # prose is full of examples
            spots = [spot for spot in spots if "|" in text[text.rfind("\n", 0, spot.start()) : spot.start()]] or spots
        spot = chance.choice(spots)
        # One price stated in two views of a page changes in both.
        amount = Decimal(spot[0].strip().replace(",", "")) * factor
        return text[: spot.start()] + f"{amount.normalize():f}" + text[spot.end() :]

    mutate.__name__ = f"times_{factor}"
    return mutate


def per_thousand(_: random.Random, text: str) -> str | None:
    """Every "per million" becomes "per thousand", the numbers stay. JSON says its unit by its fields."""
    if text.lstrip("\ufeff \n")[:1] in ("{", "["):
        return None
    changed = _MILLION.sub(lambda match: _THOUSAND[match[0].strip().lower()], text)
    return changed if changed != text else None


def all_times_1000(_: random.Random, text: str) -> str | None:
    """Every number of money is a thousand times what it was."""
    if text.lstrip()[:1] in ("{", "["):
        return None
    changed = _DIGITS.sub(lambda match: f"{(Decimal(match[0].strip().replace(',', '')) * 1000).normalize():f}", text)
    return changed if changed != text else None


def shell(_: random.Random, text: str) -> str | None:
    """The page is an empty frame and a script."""
    del text
    return '<!doctype html><html><head><title>Pricing</title></head><body><div id="root"></div><script src="/a.js"></script></body></html>'


# --- JSON -----------------------------------------------------------------------------------------


def on_json(change: Callable[[random.Random, Any], bool]) -> Mutation:
    def mutate(chance: random.Random, text: str) -> str | None:
        try:
            document = json.loads(text.lstrip("\ufeff"))
        except ValueError:
            return None
        return json.dumps(document) if change(chance, document) else None

    mutate.__name__ = change.__name__
    return mutate


def _records(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _records(child)


def _amounts(record: Mapping[str, Any]) -> list[str]:
    """Fields that hold an amount, by their name and their value."""
    return [
        name
        for name, value in record.items()
        if re.search(r"cost|price|prompt|completion|input|output|usd|cache|mtok", name, re.I)
        and not isinstance(value, bool)
        and re.fullmatch(r"\d*\.?\d+(?:e-?\d+)?", str(value), re.I)
        and 0 < Decimal(str(value)) < 1000
    ]


def json_times_1000(chance: random.Random, document: Any) -> bool:
    """One amount of a record is a thousand times what it was."""
    spots = [(record, name) for record in _records(document) for name in _amounts(record)]
    if not spots:
        return False
    record, name = chance.choice(spots)
    value = Decimal(str(record[name])) * 1000
    record[name] = f"{value:f}" if isinstance(record[name], str) else float(value)
    return True


def json_all_times_1000(_: random.Random, document: Any) -> bool:
    """Every amount is a thousand times what it was."""
    spots = [(record, name) for record in _records(document) for name in _amounts(record)]
    for record, name in spots:
        value = Decimal(str(record[name])) * 1000
        record[name] = f"{value:f}" if isinstance(record[name], str) else float(value)
    return bool(spots)


def json_swap(chance: random.Random, document: Any) -> bool:
    """Two amounts of one record change places."""
    records = [record for record in _records(document) if len(_amounts(record)) > 1]
    if not records:
        return False
    record = chance.choice(records)
    a, b = chance.sample(_amounts(record), 2)
    record[a], record[b] = record[b], record[a]
    return True


def json_drop(chance: random.Random, document: Any) -> bool:
    """Two records of three are gone from the largest list or map."""
    nodes = [node for node in _nodes(document) if len(node) > 2]
    if not nodes:
        return False
    node = max(nodes, key=len)
    for key in chance.sample(sorted(node, key=str) if isinstance(node, dict) else range(len(node)), len(node) * 2 // 3):
        node[key] = None
    if isinstance(node, dict):
        for key in [key for key, value in node.items() if value is None]:
            del node[key]
    else:
        node[:] = [one for one in node if one is not None]
    return True


def _nodes(node: Any) -> Iterator[Any]:
    if isinstance(node, dict | list):
        yield node
        for child in node.values() if isinstance(node, dict) else node:
            yield from _nodes(child)


MUTATIONS: dict[str, Mutation] = {
    mutation.__name__: mutation
    for mutation in (
        *map(on_table, (swap_cells, swap_headers, swap_columns, empty_cell, drop_cell, drop_column, drop_rows, drop_table)),
        _scaled(10),
        _scaled(1000),
        all_times_1000,
        per_thousand,
        shell,
        *map(on_json, (json_times_1000, json_all_times_1000, json_swap, json_drop)),
    )
}  # fmt: skip

# One price of a list that only warns is let in with a note: it prices no call.
ONE_PRICE = {"json_times_1000", "json_swap"}
MUST_FAIL = {"shell"}
MUST_NOT_STAY = {"per_thousand"}


# --- verdicts -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """`wrong` is empty where nothing false is believed."""

    outcome: str  # "failed: …", "held: …", "same", "fewer"
    wrong: tuple[str, ...] = ()


def rows_of(reader: Provider, capture: Capture, source: Source) -> dict[Any, Row]:
    """The rows of a capture by their key and status, as the gates see them."""
    found = (
        row_of(tables.price_values(row, source=source.name, kind=source.kind, url=source.url, sha256=None), str(number))
        for number, row in enumerate(reader.rows(capture))
    )
    return {(row.key, row.status): row for row in found}


def verdict(reader: Provider, source: Source, good: Capture, text: str, name: str) -> Verdict:
    """What the book believes of a broken page after the page as it was."""
    before = rows_of(reader, good, source)
    broken = replace(good, body=text.encode())
    try:
        after = rows_of(reader, broken, source)
    except ScrapeError as error:
        return Verdict(f"failed: {error.name}")
    if name in MUST_FAIL:
        return Verdict("read", (f"a page without prices gave {len(after)} rows",))
    found = judge(
        list(before.values()),
        list(after.values()),
        source,
        earlier_headers=header_words(good.text),
        headers=header_words(text),
    )
    if held := [finding for finding in found if finding.scope == "reading"]:
        return Verdict(f"held: {held[0].gate}")
    waiting = {f.row.row_id for f in found if f.scope == "price" and f.row}
    wrong = []
    for key, row in after.items():
        if row.row_id in waiting:
            continue
        if key not in before:
            wrong.append(f"new: {row.model} {row.meter} {row.service_tier} {row.unit_amount:f}")
        elif before[key].unit_amount != row.unit_amount:
            wrong.append(f"{row.model} {row.meter}: {before[key].unit_amount:f} -> {row.unit_amount:f}")
    kept = [row for row in after.values() if row.per_unit == "tokens" and row.row_id not in waiting]
    if name in MUST_NOT_STAY and kept:
        wrong.append(f"the page says another unit, and {len(kept)} prices of tokens are the same")
    if source.kind == "aggregator" and name in ONE_PRICE:
        wrong.clear()
    # An announcement may be called off; a live price does not vanish in bulk.
    live, left = (sum(status == "active" for _, status in rows) for rows in (before, after))
    if not wrong and left < live / 2:
        wrong.append(f"{left} of {live} prices are left, and nothing holds them back")
    outcome = "same" if after.keys() == before.keys() else f"fewer: {len(after)} of {len(before)}"
    return Verdict(f"price held, {outcome}" if waiting else outcome, tuple(wrong))
