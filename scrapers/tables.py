"""Tables out of HTML or markdown, with what gives them meaning: headings, captions, tab labels.

Belongs here: turning a document into tables of text cells whose row and column spans are expanded,
each under its heading path. Does not belong here: what a header means; readers decide that, by
the header's words and never by a column's position.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

from scrapers.errors import LayoutChanged, PageNotFound, UnknownDocument
from scrapers.prices import Capture

# Bounds on what a hostile or broken page can make us build.
MAX_SPAN = 200
MAX_CELLS = 200_000
MAX_STRAY_NULLS = 8

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_UNESCAPED_PIPE = re.compile(r"(?<!\\)\|")
_BLOCKS = {"br", "p", "div", "li", "ul", "ol", "tr", "section"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its visible text (blocks and <br> become newlines), and the element it came from."""

    text: str
    is_header: bool
    element: Tag
    spanned: bool = False  # a copy made by rowspan or colspan

    @property
    def line(self) -> str:
        """The text on one line."""
        return " ".join(self.text.split())


@dataclass(frozen=True, slots=True)
class Table:
    """A table as a full grid (every row has the same width), header rows apart.

    `path` is the chain of headings above it, outermost first; `before` is the text of the nearest
    paragraph before it; `header` joins stacked header rows per column with " / ".
    """

    path: tuple[str, ...]
    before: str
    header_rows: tuple[tuple[Cell, ...], ...]
    rows: tuple[tuple[Cell, ...], ...]
    element: Tag

    @property
    def header(self) -> tuple[str, ...]:
        if not self.header_rows:
            return ()
        columns = zip(*self.header_rows, strict=True)
        return tuple(" / ".join(dict.fromkeys(c.line for c in column if c.line)) for column in columns)

    @property
    def where(self) -> str:
        return " > ".join(self.path)


def is_markdown(text: str) -> bool:
    """Told apart by content: an HTML document begins with a tag and closes one; markdown does not."""
    head = text.lstrip()[:2000].lower()
    return not head.startswith(("<", "{", "[")) and "<html" not in head


def soup_of(capture: Capture, *, is_flattened: bool = False) -> BeautifulSoup:
    """The capture as an HTML tree; markdown is rendered to HTML first, so readers see one form.

    Raises PageNotFound for an empty body or a "Not Found" page served with status 200, UnknownDocument
    for a binary body, and LayoutChanged for a markdown row with more cells than its header, or fewer
    (unless the page `is_flattened`: its tables had spans, and its reader puts the cells in their places).
    """
    if not capture.body.strip():
        raise PageNotFound(f"{capture.url}: the body is empty")
    text = _without_nulls(capture)
    soup = (
        BeautifulSoup(_rendered(text, capture.url, is_flattened=is_flattened), "lxml")
        if is_markdown(text)
        else BeautifulSoup(text, "lxml")
    )
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    visible = len(soup.get_text(" ", strip=True))
    if re.search(r"\b(404|not found|page not found)\b", title, re.IGNORECASE) and visible < 5000:
        raise PageNotFound(f"{capture.url}: the page is titled {title!r}")
    return soup


def _without_nulls(capture: Capture) -> str:
    """The text without the few NUL bytes that stray into some pages: one ends an HTML tree early.

    Raises UnknownDocument for a binary body, and where a NUL stands in a number.
    """
    nulls = capture.body.count(b"\x00")
    if nulls and (nulls > MAX_STRAY_NULLS or "\ufffd" in capture.text):
        raise UnknownDocument(f"{capture.url}: the body is binary, not a page")
    if nulls and re.search(rb"[\d.,]\x00|\x00[\d.,]", capture.body):
        raise UnknownDocument(f"{capture.url}: a NUL byte stands in a number, which may lack a digit")
    return capture.text.replace("\x00", "")


def _rendered(text: str, url: str, *, is_flattened: bool) -> str:
    """Markdown as HTML. The renderer drops the cells a row has beyond its header without a word, and adds
    at the end those it lacks; either way a cell slid somewhere to the left, so LayoutChanged is raised.
    A row of a first cell alone is a heading."""
    from markdown_it import MarkdownIt

    text = re.sub(r"\A---\n.*?\n---\n", "", text, count=1, flags=re.DOTALL)  # front matter
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(text)
    lines = text.split("\n")
    width = 0
    for token in tokens:
        if token.type == "table_open":
            width = 0
        elif token.type == "th_open":
            width += 1
        elif token.type == "tr_open" and width and token.map:
            line = lines[token.map[0]].lstrip("> \t").strip()
            cells = _UNESCAPED_PIPE.split(line.removeprefix("|").removesuffix("|"))
            is_short = not is_flattened and len(cells) < width and any(re.search(r"\d", cell) for cell in cells[1:])
            if is_short or any(cell.strip() for cell in cells[width:]):
                raise LayoutChanged(f"{url}: a row has {len(cells)} cells under a header of {width}: {line[:200]!r}")
    return str(parser.renderer.render(tokens, parser.options, {}))


def text_of(element: Tag) -> str:
    """Visible text; blocks and <br> become newlines, runs of blanks one blank."""
    parts: list[str] = []

    def walk(node: Tag) -> None:
        for child in node.children:
            if isinstance(child, Tag):
                if child.name in ("script", "style", "template", "noscript"):
                    continue
                if child.name in _BLOCKS:
                    parts.append("\n")
                walk(child)
                if child.name in _BLOCKS:
                    parts.append("\n")
            elif type(child) is NavigableString:  # comments and declarations are subclasses
                parts.append(str(child))

    walk(element)
    lines = (" ".join(line.split()) for line in "".join(parts).replace("\u200b", "").split("\n"))
    return "\n".join(line for line in lines if line)


def tables(soup: BeautifulSoup) -> list[Table]:
    """Every table of the document in order; nested tables are tables of their own."""
    return list(_tables(soup))


def _tables(soup: BeautifulSoup) -> Iterator[Table]:
    path: list[tuple[int, str]] = []
    before = ""
    for element in soup.find_all([*_HEADINGS, "p", "table"]):
        if element.name in _HEADINGS:
            level = int(element.name[1])
            path = [*(p for p in path if p[0] < level), (level, " ".join(text_of(element).split()))]
            before = ""
        elif element.name == "p":
            if element.find_parent("table") is None:
                before = " ".join(text_of(element).split())
        else:
            header_rows, rows = _grid(element)
            yield Table(tuple(text for _, text in path), before, header_rows, rows, element)


def _span(element: Tag, name: str) -> int:
    value: Any = element.get(name, "1")
    return max(1, min(int(value), MAX_SPAN)) if str(value).isdigit() else 1


def _grid(table: Tag) -> tuple[tuple[tuple[Cell, ...], ...], tuple[tuple[Cell, ...], ...]]:
    grid: list[dict[int, Cell]] = []
    held: dict[int, tuple[int, Cell]] = {}  # column -> rows still to fill, and with what
    in_head: list[bool] = []
    cells = 0
    for tr in table.find_all("tr"):
        if tr.find_parent("table") is not table:
            continue
        row: dict[int, Cell] = {}
        for column, (left, cell) in list(held.items()):
            row[column] = cell
            if left == 1:
                del held[column]
            else:
                held[column] = (left - 1, cell)
        column = 0
        for td in tr.find_all(["td", "th"], recursive=False):
            while column in row:
                column += 1
            cell = Cell(text_of(td), td.name == "th", td)
            copy = Cell(cell.text, cell.is_header, td, spanned=True)
            for offset in range(_span(td, "colspan")):
                row[column + offset] = cell if offset == 0 else copy
                if (down := _span(td, "rowspan")) > 1:
                    held[column + offset] = (down - 1, copy)
                cells += 1
            if cells > MAX_CELLS:
                raise UnknownDocument(f"a table has more than {MAX_CELLS} cells")
        grid.append(row)
        in_head.append(tr.find_parent("thead") is not None)
    width = max((max(row, default=-1) + 1 for row in grid), default=0)
    empty = Cell("", False, table)
    full = [tuple(row.get(i, empty) for i in range(width)) for row in grid]
    head = 0
    if any(in_head):
        head = in_head.index(False) if False in in_head else len(full)
    else:
        while head < len(full) and full[head] and all(c.is_header for c in full[head]):
            head += 1
    return tuple(full[:head]), tuple(full[head:])
