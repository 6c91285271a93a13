"""DeepSeek: one page per language, USD in English and CNY in Chinese; HTML or markdown.

The price table is transposed: a line MODEL with an id per column, then lines of features, and under
PRICING the lines "1M INPUT TOKENS (CACHE HIT)", "... (CACHE MISS)", "1M OUTPUT TOKENS" (百万tokens输入（缓存命中）
...), with row and column spans. A cache miss is `input`, a hit `cache_read`. The ids in the MODEL line are
what a caller sends; their footnote marks "(1)" are not.

* Since 16 August 2026, each of these lines is two: OFF-PEAK and PEAK (空闲时段, 高峰时段), windows whose hours,
  zone and weekdays a footnote states (`_deepseek_notices`).
* A notice without a date ("prices will rise soon", "peak hours will be ...") makes no row. A second table,
  with the models as lines and the meters as columns, under a notice with an instant ("take effect at
  16:00 UTC on August 16, 2026") is announced until then, and active after; the current prices of the same
  meters end then.
* "Off-peak rates are half of the peak rates" is checked against every pair.
* The currency stands in the cells ("$0.14", "1元") and must be one on the page; the unit in the labels, and
  must be the one of the sentence above the table.
* Flattened markdown drops the cells a row span covers, so that lines begin further left and end in empty
  cells: labels and prices are told apart by what they are. A line that could be read in two ways fails,
  and so does one short of cells, or of a price in markdown: nobody knows which column lacks it.
* Tables with a column "Billing Unit" (计费单位: search, fetch, OCR, speech) hold no token price: left out.

Old names that "are still accepted and billed at the Flash price" are named in a footnote only, and get
no row. A table with amounts and no MODEL line, an unknown label beside an amount, or two tables of
current prices raise LayoutChanged. Other pages of the site (the change log) hold no price: NoPrices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bs4.element import NavigableString, Tag

from scrapers.amounts import money
from scrapers.errors import BadAmount, EmptyPane, LayoutChanged, NoPrices, ViewsDisagree
from scrapers.prices import MTOK, Capture, PriceRow, Window
from scrapers.providers import Provider, Source
from scrapers.providers._deepseek_notices import sentence, start_of, windows
from scrapers.tables import Table, is_markdown, soup_of, tables, text_of

_FOOTNOTE = re.compile(r"\s*(?:[(（]\d+[)）])+\s*$")
_MODEL_LINE = ("MODEL", "模型")
_GROUPS = ("PRICING", "价格")
_MODEL = re.compile(r"deepseek(?:[.-][a-z0-9]+)+")
_WINDOWS = {"PEAK": "peak", "OFF-PEAK": "off_peak", "高峰时段": "peak", "空闲时段": "off_peak"}
_CURRENCY = re.compile(r"[$€£¥￥]|\d\s*元|\b(?:USD|CNY|RMB|EUR)\b")
_BILLING_UNIT = re.compile(r"billing unit|计费单位", re.I)
_IGNORED_HEADS = re.compile(r"CONTEXT LENGTH|MODEL VERSION|NOTES?|上下文长度|模型版本|备注")
_UNIT_STATED = re.compile(r"units? of per (\S+) tokens|以\s*[“\"']?\s*(\S+?)\s*tokens\s*[”\"']?\s*为单位", re.I)
_MILLION = ("1m", "百万", "million", "1,000,000")
_HALF = re.compile(r"off-peak rates (?:are|at) half|空闲时段价格为高峰时段(?:价格)?的一半", re.I)


@dataclass(frozen=True, slots=True)
class _Axis:
    """The MODEL line: how many cells label a line, and what each further column stands for."""

    line: int
    labels: int
    heads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Price:
    """One amount with everything the table says about it."""

    model: str
    meter: str
    window: str
    text: str
    path: str


def read(capture: Capture) -> list[PriceRow]:
    """The current and the announced prices of one language. Raises NoPrices, LayoutChanged, ViewsDisagree."""
    soup = soup_of(capture, is_flattened=True)
    page = " ".join(text_of(soup).split())
    is_flat = is_markdown(capture.text)
    stated: list[tuple[datetime | None, list[_Price]]] = []
    for table in tables(soup):
        if axis := _axis(table):
            stated.append((start_of(_notice(table)), list(_prices(table, axis, is_flat=is_flat))))
            if not stated[-1][1]:
                raise EmptyPane(f"deepseek: the price table under {table.where!r} holds no amount")
    if not stated:
        raise NoPrices(f"{capture.url}: no table with a MODEL line and token prices on the page")
    undated = [prices for start, prices in stated if start is None]
    if len(undated) > 1:
        raise LayoutChanged(f"deepseek: {len(undated)} price tables without a date: which one holds is not stated")
    periods = windows(page) if any(price.window for _, prices in stated for price in prices) else {}
    rows = [
        _row(price, start, periods.get(price.window), sentence(page), capture.captured_at)
        for start, prices in stated
        for price in prices
    ]
    rows = _without_ended(rows, capture.captured_at)
    if all(row.status == "announced" for row in rows):
        raise LayoutChanged("deepseek: every price of the page is in the future, none is current")
    _check(rows, page)
    return rows


def _plain(text: str) -> str:
    """A label without its footnote marks, in capitals, its brackets ASCII."""
    text = _FOOTNOTE.sub("", text)
    return " ".join(text.replace("（", "(").replace("）", ")").upper().split())


def _meter(label: str) -> str | None:
    """The meter of a label such as "1M INPUT TOKENS (CACHE HIT)"; None for any other text."""
    text = _plain(label)
    is_hit, is_miss = bool(re.search("CACHE HIT|缓存命中", text)), bool(re.search("CACHE MISS|缓存未命中", text))
    is_input, is_output = bool(re.search("INPUT|输入", text)), bool(re.search("OUTPUT|输出", text))
    rest, units = re.subn(r"(?<![\d.])1M|百万", "", text)
    rest, tokens = re.subn("TOKENS?", "", rest)
    rest = re.sub("CACHE HIT|CACHE MISS|缓存命中|缓存未命中|INPUT|OUTPUT|输入|输出|PRICE|价格|[()\\s/,]", "", rest)
    if rest or units != 1 or tokens != 1 or is_input == is_output or (is_hit and is_miss):
        return None
    if is_output:
        return None if is_hit or is_miss else "output"
    return "cache_read" if is_hit else "input"


def _model(label: str) -> str | None:
    name = _FOOTNOTE.sub("", label)
    return name if _MODEL.fullmatch(name) else None


def _lines(table: Table) -> list[list[str]]:
    return [[cell.line for cell in row] for row in (*table.header_rows, *table.rows)]


def _axis(table: Table) -> _Axis | None:
    """The MODEL line of a token-price table; None for a table of other things."""
    lines = _lines(table)
    is_priced = any(_CURRENCY.search(text) for line in lines for text in line)
    is_token = any(_meter(text) for line in lines for text in line)
    at = next((i for i, line in enumerate(lines) if line and _plain(line[0]) in _MODEL_LINE), None)
    if not is_token and (not is_priced or any(_BILLING_UNIT.search(text) for text in lines[0])):
        return None
    if at is None or not is_token:
        raise LayoutChanged(
            f"deepseek: the table under {table.where!r} holds prices and no MODEL line with token meters: {lines[:2]}"
        )
    line = lines[at]
    labels = next((i for i, text in enumerate(line) if text and _plain(text) not in _MODEL_LINE), len(line))
    heads = tuple(line[labels:])
    known = [head for head in heads if not _is_ignored(head)]
    if not known or not (all(map(_model, known)) or all(map(_meter, known))):
        raise LayoutChanged(f"deepseek: the columns of {table.where!r} are not all models or all meters: {list(heads)}")
    if len(set(heads)) != len(heads):
        raise LayoutChanged(f"deepseek: a column of {table.where!r} stands twice: {list(heads)}")
    return _Axis(at, labels, heads)


def _prices(table: Table, axis: _Axis, *, is_flat: bool) -> Iterator[_Price]:
    """Every amount of a table with its model, meter and window."""
    above = [""] * axis.labels
    has_windows = any(_plain(text) in _WINDOWS for line in _lines(table) for text in line)
    for row in (*table.header_rows, *table.rows)[axis.line + 1 :]:
        line = [cell.line for cell in row]
        is_meter = any(_meter(text) for text in line)
        if not is_meter and not any(_CURRENCY.search(text) for text in line):
            above = line[: axis.labels]
            continue
        if any(cell.element is table.element for cell in row):
            raise LayoutChanged(f"deepseek: a line of {table.where!r} is short of cells: {line}")
        labels, cells = _aligned(line, above, axis, table.where, is_flat=is_flat)
        above = labels
        for head, cell in zip(axis.heads, cells, strict=True):
            if _is_ignored(head):
                continue
            names = [text for text in dict.fromkeys([*labels, head]) if text]
            model, meter, window = _meaning(names, table.where)
            if has_windows and not window:
                raise LayoutChanged(f"deepseek: {names} states no window, other lines of its table do")
            if money(cell) is not None:
                yield _Price(model, meter, window, cell, " / ".join([*table.path[1:], *names]))


def _aligned(
    line: list[str], above: list[str], axis: _Axis, where: str, *, is_flat: bool
) -> tuple[list[str], list[str]]:
    """The full labels of a line and its cells, one per column of the MODEL line.

    `missing` cells at the left are those that a row span of the lines above covers, in flattened
    markdown: the line then ends in as many empty ones.
    """
    width = len(axis.heads)
    found = []
    for missing in range(axis.labels if is_flat else 1):
        split = axis.labels - missing
        labels, cells, rest = line[:split], line[split : split + width], line[split + width :]
        prices = [cell for head, cell in zip(axis.heads, cells, strict=True) if not _is_ignored(head)]
        is_read = all(map(_is_label, labels)) and any(labels) and all(map(_is_price, prices)) and not any(rest)
        if is_read and (all(prices) or not is_flat):
            found.append(([*above[:missing], *labels], cells))
    if len(found) != 1:
        raise LayoutChanged(f"deepseek: this line of {where!r} is not labels and {width} prices: {line}")
    return found[0]


def _is_ignored(head: str) -> bool:
    return bool(_IGNORED_HEADS.fullmatch(_plain(head)))


def _is_label(text: str) -> bool:
    plain = _plain(text)
    return not text or plain in _GROUPS or plain in _WINDOWS or bool(_meter(text) or _model(text))


def _is_price(text: str) -> bool:
    try:
        return money(text) is None or bool(_CURRENCY.search(text)) or not re.search(r"\d", text)
    except BadAmount:
        return False


def _meaning(names: list[str], where: str) -> tuple[str, str, str]:
    """The one model, the one meter and the window, if any, that the labels of a cell name."""
    models = [model for text in names if (model := _model(text))]
    meters = [meter for text in names if (meter := _meter(text))]
    periods = [_WINDOWS[_plain(text)] for text in names if _plain(text) in _WINDOWS]
    unknown = [text for text in names if not _is_label(text)]
    if unknown or len(models) != 1 or len(meters) != 1 or len(periods) > 1:
        raise LayoutChanged(f"deepseek: a price of {where!r} is not one model and one meter: {names}")
    return models[0], meters[0], periods[0] if periods else ""


def _notice(table: Table) -> str:
    """What stands between a table and the table or heading before it."""
    parts: list[str] = []
    for element in table.element.previous_elements:
        if isinstance(element, Tag) and element.name in ("table", "h1", "h2", "h3", "h4", "h5", "h6"):
            break
        if type(element) is NavigableString and element.find_parent(["table", "script", "style"]) is None:
            parts.append(str(element))
    return " ".join(" ".join(reversed(parts)).split())


def _row(price: _Price, start: datetime | None, window: Window | None, hours: str, at: datetime) -> PriceRow:
    amount = money(price.text)
    assert amount is not None
    if amount.currency is None:
        raise LayoutChanged(f"deepseek: {price.path}: {price.text!r} names no currency")
    return PriceRow(
        provider="deepseek",
        model=price.model,
        model_label=price.model,
        meter=price.meter,
        window=window,
        currency=amount.currency,
        amount=amount.amount,
        per=MTOK,
        valid_from=start,
        valid_from_basis="stated" if start else "first_observed",
        status="announced" if start and start > at else "active",
        where=price.path,
        text=f"{price.text} ({hours})" if window and hours else price.text,
    )


def _without_ended(rows: list[PriceRow], at: datetime) -> list[PriceRow]:
    """The rows, an undated one ending where a dated one of its model and meter starts; none that is over."""
    starts = {(row.model, row.meter): row.valid_from for row in rows if row.valid_from}
    ended = [
        row if row.valid_from else row.model_copy(update={"valid_to": starts.get((row.model, row.meter))})
        for row in rows
    ]
    return [row for row in ended if row.valid_to is None or row.valid_to > at]


def _check(rows: list[PriceRow], page: str) -> None:
    """What the page says about its prices as a whole: their unit, one currency, the half of off-peak."""
    units = {(match[1] or match[2]).lower() for match in _UNIT_STATED.finditer(page)}
    if not units <= set(_MILLION):
        raise LayoutChanged(f"deepseek: the page states prices per {sorted(units)} tokens, its labels per million")
    if len(currencies := {row.currency for row in rows}) > 1:
        raise LayoutChanged(f"deepseek: prices in {sorted(currencies)} on one page")
    if not _HALF.search(page):
        return
    prices = {(r.model, r.meter, r.status, r.window.name if r.window else ""): r for r in rows}
    for (model, meter, status, window), row in prices.items():
        off_peak = prices.get((model, meter, status, "off_peak"))
        if window == "peak" and off_peak and off_peak.amount * 2 != row.amount:
            raise ViewsDisagree(
                f"deepseek: off-peak is said to be half of peak, {model} {meter} has {off_peak.amount} and {row.amount}"
            )


PROVIDER = Provider(
    name="deepseek",
    sources=(
        Source(
            name="pricing_md",
            url="https://api-docs.deepseek.com/quick_start/pricing.md",
            min_rows=3,
            sentinels=("deepseek-v4-pro",),
            is_verified=False,
        ),
        Source(
            name="pricing",
            url="https://api-docs.deepseek.com/quick_start/pricing",
            min_rows=3,
            sentinels=("deepseek-v4-pro",),
        ),
        Source(
            name="pricing_cny",
            url="https://api-docs.deepseek.com/zh-cn/quick_start/pricing",
            min_rows=3,
            sentinels=("deepseek-v4-pro",),
        ),
    ),
    read=read,
    version=2,
)
