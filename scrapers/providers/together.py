"""Together AI: serverless prices, from the documentation's model list and the pricing page.

Two official pages, one reader; each is a source of its own and states its own prices (one cell
differs between them today, which is for the price book to report and not for a reader to settle).

The model list (docs, HTML or markdown) has one table per kind of model, with a column of API ids
and prices under headers that name meter and unit ("Cached input pricing (per 1M tokens)"). The
vision table repeats chat models: the same key twice must be the same price. The HTML carries the
tables a second time inside the compiled page source in its scripts; both views must agree.

The pricing page (HTML) shows tabs of one table each. Its traps, and the rule for each:

* It prints no ids: labels are mapped by `_together_names`; an unlisted label stays the label.
* Header cells sit in `thead` without a row; the unit is a caption above the table ("Price per 1M
  tokens"), or in the header itself ("Price per mp"). A table without a unit fails.
* A tab may list a model of another kind, with that model's own number under the tab's unit (a
  token price under "Price per video"). Every row carries its kind as a filter value: under a single
  "Price" only rows of the tab's own kind count, under "Input" and "Output" only text models.
* A switch turns all prices into batch prices, worked out from a discount: never read as prices; a
  page stored with the switch on fails. Prices of the batch tier are not printed at all.
* The cached price stands in the input cell, marked "(cached)".
* Provisioned throughput, dedicated hardware, clusters, sandboxes, storage and fine-tuning are other
  goods, known by section and header together, and skipped. An empty tab is normal only for a kind
  sold at a single price (rerank is); the chat tab empty is a failed page.

Prices are in US dollars, and every cell says so; a bare number counts only when it is zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bs4.element import Tag

from scrapers.amounts import money
from scrapers.errors import BadAmount, EmptyPane, LayoutChanged, NoPrices, ViewsDisagree
from scrapers.prices import MTOK, Capture, Per, PriceRow
from scrapers.providers import Provider, Source
from scrapers.providers._together_embedded import Grid, embedded_grids
from scrapers.providers._together_names import model_id
from scrapers.tables import Table, soup_of, tables, text_of

_MEGAPIXEL: Final = Per(quantity=Decimal(1), unit="megapixel")
_IMAGE: Final = Per(quantity=Decimal(1), unit="image")
_VIDEO: Final = Per(quantity=Decimal(1), unit="video")
_MINUTE: Final = Per(quantity=Decimal(1), unit="minute")
_CHARACTERS: Final = Per(quantity=Decimal(1_000_000), unit="characters")

# The words after "per": what they mean, and the meter of a price that names no side.
_UNITS: Final[dict[str, tuple[Per, str]]] = {
    "1m tokens": (MTOK, ""),
    "mp": (_MEGAPIXEL, "image_megapixel"),
    "megapixel": (_MEGAPIXEL, "image_megapixel"),
    "image": (_IMAGE, "image"),
    "video": (_VIDEO, "video"),
    "1m characters": (_CHARACTERS, "character"),
    "1m chars": (_CHARACTERS, "character"),
    "audio minute": (_MINUTE, "audio_minute"),
    "audio min": (_MINUTE, "audio_minute"),
    "min": (_MINUTE, "audio_minute"),
    "minute": (_MINUTE, "audio_minute"),
}
# Kinds of model sold at one price per token, and their meter (moderation bills what goes in).
_SINGLE_PRICE: Final = {"embedding": "embedding", "rerank": "rerank", "moderation": "input"}
# A tab's unit or kind -> the kinds of row that may stand in it.
_TAB_KINDS: Final = {
    "image_megapixel": {"image"},
    "image": {"image"},
    "video": {"video"},
    "character": {"audio"},
    "audio_minute": {"transcribe"},
}
_OTHER_KINDS: Final = {"image", "video", "audio", "transcribe", "embedding", "rerank", "moderation"}
_TEXT_KINDS: Final = {"chat", "code", "language", "vision", "reasoning", "multimodal"}

_ID: Final = re.compile(r"(api )?model string( for api)?|api model( string)?|model id")
_LABEL: Final = re.compile(r"model( name)?")
_SIDE: Final = re.compile(r"(?P<cached>cached )?(?P<side>input|output)( pricing| price)?( \(per (?P<unit>[^)]+)\))?")
_SINGLE: Final = re.compile(r"(price|pricing)( \(?per (?P<unit>[^)]+)\)?)?")
_IGNORED: Final = re.compile(
    r"organi[sz]ation|provider|modality|category|type|languages?|voices?|context( length| window)?|"
    r"max(imum)? .*tokens|quantization|precision|function calling|tool (calling|use)|structured outputs?|"
    r"json mode|reasoning|vision|streaming|default steps|resolution( / duration)?|duration|"
    r"(model )?(size|parameters)|embedding dimensions?|dimensions?|license|release date|status|description|notes?"
)
_OTHER_GOODS: Final = re.compile(
    r"provisioned throughput|dedicated( model| container)? inference|dedicated endpoints|gpu clusters?|sandbox|"
    r"(managed )?storage|fine-tuning"
)
_OTHER_GOODS_HEADER: Final = re.compile(r"hardware.*|compute costs|duration\??|size")
# Words in a heading of the model list under which its plain prices would mean something else.
_CONDITIONED: Final = re.compile(
    r"batch|fine-?tun|train|dedicated|provisioned|reserved|priority|flex|promo|discount|example|upcoming|announced",
    re.IGNORECASE,
)
_STATED_UNIT: Final = re.compile(r"\s*(?:/|\bper )\s*(?P<unit>[^/$]+)$", re.IGNORECASE)
_MODEL_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.:-]*")
_PRICED: Final = re.compile(r"[$€£¥￥]\s*\d|\d\s*(?:USD|EUR|CNY)|(?:USD|EUR|CNY)\s*\d")


@dataclass(frozen=True, slots=True)
class _Column:
    """What a price column's header says; `meter` is empty where unit or section decide."""

    index: int
    header: str
    meter: str
    unit: str


def read(capture: Capture) -> list[PriceRow]:
    """Rows of either page. Raises NoPrices for a page without tables, LayoutChanged for an unknown one."""
    soup = soup_of(capture)
    found = tables(soup)
    if any(_classes(toggle) & {"is-active", "active"} for toggle in soup.select("[fs-list-element=toggle]")):
        raise LayoutChanged("the batch switch is on: the page shows worked-out batch prices, not the printed ones")
    rows: list[PriceRow] = []
    for table in found:
        header = table.header or _loose_header(table.element)
        words = [_words(h) for h in header]
        if _is_other_goods(table, words):
            continue
        if any(_ID.fullmatch(w) for w in words):
            rows += _listed(_grid_of(table, header))
        elif any(_LABEL.fullmatch(w) for w in words):
            rows += _tab(table, header)
        elif _looks_priced(table, words):
            raise LayoutChanged(f"[{table.where}]: a table of prices with headers {list(header)} is of no known kind")
    second = [row for grid in embedded_grids(capture.text) if _is_listed(grid) for row in _listed(grid)]
    if rows and second:
        _agree(rows, second)
    if not rows and not second:
        raise NoPrices(f"{capture.url}: {len(found)} tables and no price in them")
    return rows or second


def _is_listed(grid: Grid) -> bool:
    return any(_ID.fullmatch(_words(h)) for h in grid.header)


# ------------------------------------------------------------------ the model list (documentation)


def _listed(grid: Grid) -> Iterator[PriceRow]:
    """Rows of one table with API ids, priced or not (an unpriced list has no price column)."""
    where = " > ".join(grid.path)
    heading = grid.path[-1] if grid.path else ""
    words = [_words(h) for h in grid.header]
    ids, labels, columns = _sort_columns(words, grid, where)
    if not columns:
        return
    if len(ids) != 1:
        raise LayoutChanged(f"[{where}]: headers {list(grid.header)} name the API id {len(ids)} times, not once")
    if _CONDITIONED.search(where):
        raise LayoutChanged(f"[{where}]: prices under a heading whose condition is not understood")
    if not any(_PRICED.search(cells[column.index]) for cells in grid.rows for column in columns):
        raise EmptyPane(f"[{where}]: the table holds no price under {', '.join(c.header for c in columns)}")
    for cells in grid.rows:
        model = " ".join(cells[ids[0]].split())
        label = " ".join(cells[labels[0]].split()) if labels else ""
        for column in columns:
            place = f"{heading} / {model} / {column.header}"
            for line, is_cached in _cell_lines(cells[column.index]):
                price = _price(line, place)
                if price is None:
                    continue
                per, meter = _meaning(column, line, heading, is_cached, place)
                if not _MODEL_ID.fullmatch(model):
                    raise LayoutChanged(f"[{place}]: {model!r} is not an API id of the form owner/model")
                yield _row(model, label or model, place, line, meter=meter, amount=price, per=per)


def _sort_columns(words: list[str], grid: Grid, where: str) -> tuple[list[int], list[int], list[_Column]]:
    """Which columns hold ids, labels and prices; every other header must be known not to be a price."""
    ids, labels, columns = [], [], []
    for index, word in enumerate(words):
        if _ID.fullmatch(word):
            ids.append(index)
        elif _LABEL.fullmatch(word):
            labels.append(index)
        elif column := _price_column(index, grid.header[index]):
            columns.append(column)
        elif not _IGNORED.fullmatch(word):
            raise LayoutChanged(f"[{where}]: the header {grid.header[index]!r} is not known")
        elif priced := [row[index] for row in grid.rows if _PRICED.search(row[index])]:
            raise LayoutChanged(f"[{where}]: the column {grid.header[index]!r} holds prices such as {priced[0]!r}")
    meanings = [c.meter or c.unit for c in columns]
    if len(labels) > 1 or len(meanings) != len(set(meanings)):
        raise LayoutChanged(f"[{where}]: two columns of headers {list(grid.header)} mean the same")
    return ids, labels, columns


def _price_column(index: int, header: str) -> _Column | None:
    word = _words(header)
    if match := _SIDE.fullmatch(word):
        if match["cached"] and match["side"] == "output":
            return None
        meter = "cache_read" if match["cached"] else match["side"]
        return _Column(index, header, meter, match["unit"] or "")
    if match := _SINGLE.fullmatch(word):
        return _Column(index, header, "", match["unit"] or "")
    return None


# ------------------------------------------------------------------ the pricing page (tabs)


def _tab(table: Table, header: tuple[str, ...]) -> Iterator[PriceRow]:
    """Rows of one tab of the pricing page."""
    if not table.path or "serverless" not in _words(table.path[-1]):
        raise LayoutChanged(f"[{table.where}]: a table of model prices outside the serverless section")
    grid = _grid_of(table, header)
    caption, unit = _caption(table)
    where = f"{table.path[-1]} / {caption or ', '.join(header)}"
    _, labels, columns = _sort_columns([_words(h) for h in header], grid, where)
    if len(labels) != 1 or not columns:
        raise LayoutChanged(f"[{where}]: headers {list(header)} name no model or no price")
    columns = [_with_unit(column, unit, where) for column in columns]
    text_columns = [column for column in columns if column.meter]
    if text_columns and not any(_PRICED.search(cells[c.index]) for cells in grid.rows for c in text_columns):
        raise EmptyPane(f"[{where}]: the tab holds no price under {', '.join(c.header for c in text_columns)}")
    for row, cells in zip(table.rows, grid.rows, strict=True):
        kind = _kind(row[0].element, where)
        label = " ".join(cells[labels[0]].split())
        for column in columns:
            place = f"{where} / {label} / {column.header}"
            for line, is_cached in _cell_lines(cells[column.index]):
                if not _belongs(column, kind, place):
                    continue
                price = _price(line, place)
                if price is not None:
                    per, meter = _meaning(column, line, kind, is_cached, place)
                    yield _row(model_id(label), label, place, line, meter=meter, amount=price, per=per)


def _with_unit(column: _Column, unit: str, where: str) -> _Column:
    """The column with its unit: from its own header or from the caption, and from one of them."""
    if column.unit and unit and column.unit != unit:
        raise LayoutChanged(f"[{where}]: the caption says per {unit}, the header {column.header!r}")
    found = column.unit or unit
    if found not in _UNITS:
        raise LayoutChanged(f"[{where}]: caption and header {column.header!r} name no known unit ({found!r})")
    return _Column(column.index, column.header, column.meter, found)


def _belongs(column: _Column, kind: str, where: str) -> bool:
    """Whether a row of this kind states its price in this column, or merely appears in its tab."""
    if kind not in _TEXT_KINDS | _OTHER_KINDS:
        raise LayoutChanged(f"[{where}]: the row is of the unknown kind {kind!r}")
    if column.meter:
        return kind in _TEXT_KINDS
    return kind in _TAB_KINDS.get(_UNITS[column.unit][1], set(_SINGLE_PRICE))


def _kind(cell: Tag, where: str) -> str:
    """The row's own kind ("Chat", "Embeddings"), singular and in lower case."""
    row = cell if cell.name == "tr" else cell.find_parent("tr")
    value = row.get("fs-filter-value") if row else None
    if not isinstance(value, str) or not value.strip():
        raise LayoutChanged(f"[{where}]: a row does not say what kind of model it is")
    return re.sub(r"s$", "", _words(value))


def _caption(table: Table) -> tuple[str, str]:
    """The one "Price per …" outside the table but in its own pane, and the unit it names."""
    pane = table.element.find_parent(attrs={"data-tabs": "content"}) or table.element.parent
    if pane is None or len(pane.find_all("table")) != 1:
        raise LayoutChanged(f"[{table.where}]: the pane of the table is not to be told apart")
    texts = pane.find_all(string=re.compile(r"^\s*per |price per ", re.IGNORECASE))
    found = [" ".join(text.split()) for text in texts if text.find_parent("table") is None]
    if not found:
        return "", ""
    match = re.fullmatch(r"price per (?P<unit>.+)", found[0], re.IGNORECASE)
    if len(found) > 1 or not match:
        raise LayoutChanged(f"[{table.where}]: the captions {found} are not one unit")
    return found[0], _words(match["unit"])


# ------------------------------------------------------------------ cells and headers


def _cell_lines(text: str) -> Iterator[tuple[str, bool]]:
    """The amounts of a cell: at most one plain, at most one marked as cached."""
    plain, cached = 0, 0
    for line in text.split("\n"):
        bare, marks = re.subn(r"\s*\(cached\)$", "", " ".join(line.split()), flags=re.IGNORECASE)
        plain, cached = plain + (not marks), cached + marks
        yield bare, bool(marks)
    if plain > 1 or cached > 1:
        raise BadAmount(f"{' | '.join(text.split(chr(10)))!r} is not one price and one cached price")


def _price(line: str, where: str) -> Decimal | None:
    """The amount of one line, in US dollars; None where no price is printed."""
    value = money(_STATED_UNIT.sub("", line))
    if value is None:
        return None
    if value.currency != "USD" and (value.currency or value.amount):
        raise BadAmount(f"[{where}]: {line!r} is not an amount in US dollars")
    return value.amount


def _meaning(column: _Column, line: str, kind: str, is_cached: bool, where: str) -> tuple[Per, str]:
    """Unit and meter of one amount. `kind` is the section's heading or the row's own kind."""
    stated = _STATED_UNIT.search(line)
    unit = _words(stated["unit"]) if stated else column.unit
    if unit not in _UNITS or (column.unit and _UNITS.get(column.unit) != _UNITS[unit]):
        raise LayoutChanged(f"[{where}]: {line!r} under {column.header!r} is per {unit!r}, not per {column.unit!r}")
    per, meter = _UNITS[unit]
    if column.meter and not meter and (column.meter == "input" or not is_cached):
        return per, "cache_read" if is_cached else column.meter
    named = [m for word, m in _SINGLE_PRICE.items() if re.search(rf"\b{word}", _words(kind))]
    if column.meter or is_cached or (not meter and len(named) != 1):
        raise LayoutChanged(f"[{where}]: {line!r} per {unit}: what it is the price of is not clear")
    return per, meter or named[0]


def _grid_of(table: Table, header: tuple[str, ...]) -> Grid:
    """The table as text. Raises LayoutChanged where a row is not as wide as the header: it would slide."""
    for row in table.rows:
        if len(row) != len(header) or any(cell.element is table.element for cell in row):
            words = [cell.line for cell in row if cell.element is not table.element]
            raise LayoutChanged(f"[{table.where}]: the row {words} has not one cell for each of {list(header)}")
    return Grid(table.path, header, tuple(tuple(cell.text for cell in row) for row in table.rows))


def _loose_header(table: Tag) -> tuple[str, ...]:
    """Header cells that sit in `thead` without a row of their own; the last such line counts."""
    for head in reversed(table.find_all("thead")):
        cells = head.find_all("th")
        if cells:
            return tuple(" ".join(text_of(cell).split()) for cell in cells)
    return ()


def _is_other_goods(table: Table, words: list[str]) -> bool:
    """Hardware, clusters, sandboxes, storage, throughput units, fine-tuning: by section and header."""
    section = _words(table.path[-1]) if table.path else ""
    return bool(_OTHER_GOODS.fullmatch(section)) and any(_OTHER_GOODS_HEADER.fullmatch(w) for w in words)


def _looks_priced(table: Table, words: list[str]) -> bool:
    return any("pric" in w or "cost" in w for w in words) or any(
        _PRICED.search(cell.text) for row in (*table.header_rows, *table.rows) for cell in row
    )


def _words(text: str) -> str:
    return " ".join(text.casefold().split())


def _classes(element: Tag) -> set[str]:
    value = element.get("class")
    return set(value) if isinstance(value, list) else set()


def _agree(rows: Iterable[PriceRow], second: Iterable[PriceRow]) -> None:
    """The tables and the page source in the scripts must state the same keys and amounts."""
    seen = {(row.key, row.unit_amount) for row in rows}
    source = {(row.key, row.unit_amount) for row in second}
    if seen != source:
        odd = sorted({f"{key[1]} {key[2]} {amount:f}" for key, amount in seen ^ source})
        raise ViewsDisagree(f"the tables and the page source in the scripts differ in: {', '.join(odd[:8])}")


def _row(model: str, label: str, where: str, text: str, *, meter: str, amount: Decimal, per: Per) -> PriceRow:
    return PriceRow(
        provider="together", model=model, model_label=label, meter=meter, amount=amount, per=per, where=where, text=text
    )


PROVIDER = Provider(
    name="together",
    sources=(
        Source(
            name="docs",
            url="https://docs.together.ai/docs/serverless-models",
            kind="official_page",
            min_rows=60,
            sentinels=("openai/gpt-oss-120b", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
            also_at=("https://docs.together.ai/docs/serverless/models",),
        ),
        Source(
            name="pricing",
            url="https://www.together.ai/pricing",
            kind="official_page",
            min_rows=60,
            sentinels=("openai/gpt-oss-120b", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        ),
    ),
    read=read,
)
