"""Tables out of pages: no cell slides into its neighbour, and none is lost without a word."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrapers.errors import LayoutChanged, PageNotFound, UnknownDocument
from scrapers.prices import Capture
from scrapers.tables import soup_of, tables

NOW = datetime(2026, 8, 1, tzinfo=UTC)


def page(text: str | bytes) -> Capture:
    body = text if isinstance(text, bytes) else text.encode()
    return Capture("docs", "https://vendor.example/pricing", NOW, body)


def grid(text: str) -> list[list[str]]:
    (table,) = tables(soup_of(page(text)))
    return [list(table.header), *([cell.line for cell in row] for row in table.rows)]


@pytest.mark.parametrize("row", ["| a | x | $1 | $2 |", "a | x | $1 | $2", "> | a | x | $1 | $2 |"])
def test_a_markdown_row_with_more_cells_than_its_header_is_refused(row: str) -> None:
    quoted = "> " if row.startswith(">") else ""
    head = "\n".join(f"{quoted}{line}" for line in ("| Model | Input | Output |", "| --- | --- | --- |"))
    with pytest.raises(
        LayoutChanged, match=r"vendor\.example/pricing: a row has 4 cells under a header of 3: .*a \| x"
    ):
        soup_of(page(f"# Prices\n\n{head}\n{row}\n"))


def test_a_markdown_row_that_lacks_a_cell_is_refused_unless_its_reader_places_them() -> None:
    short = page("# Prices\n\n| Model | Input | Output |\n| --- | --- | --- |\n| a | $2 |\n")
    with pytest.raises(LayoutChanged, match="a row has 2 cells under a header of 3"):
        soup_of(short)
    (table,) = tables(soup_of(short, is_flattened=True))
    assert [cell.line for cell in table.rows[0]] == ["a", "$2", ""]


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| a | $1 | $2 |", ["a", "$1", "$2"]),
        ("| a | $1 | $2 | |", ["a", "$1", "$2"]),
        (r"| a\|b | $1 | $2 |", ["a|b", "$1", "$2"]),
        ("| **Older** |", ["Older", "", ""]),
        ("| a | none |", ["a", "none", ""]),
        ("a | $1 | $2", ["a", "$1", "$2"]),
    ],
)
def test_rows_that_fit_are_read(row: str, cells: list[str]) -> None:
    head = "| Model | Input | Output |\n| --- | --- | --- |"
    assert grid(f"# Prices\n\n{head}\n{row}\n") == [["Model", "Input", "Output"], cells]


@given(st.lists(st.lists(st.sampled_from(["a", "$1.50", "", "x y"]), min_size=1, max_size=6), min_size=1, max_size=4))
def test_every_cell_of_a_markdown_table_is_in_the_grid_or_refused(rows: list[list[str]]) -> None:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    text = "# Prices\n\n| A | B | C |\n| --- | --- | --- |\n" + "\n".join(lines) + "\n"
    if any(any(row[3:]) or (len(row) < 3 and "$1.50" in row[1:]) for row in rows):
        with pytest.raises(LayoutChanged):
            grid(text)
    else:
        assert grid(text)[1:] == [[*row, "", "", ""][:3] for row in rows]


def test_a_pipe_in_a_paragraph_or_in_code_is_no_row() -> None:
    soup_of(page("# Prices\n\na | b | c\n\n```\n| A | B |\n| --- | --- |\n| 1 | 2 | 3 |\n```\n"))


@pytest.mark.parametrize("text", ["# 价\x00格\n\n| 模型 | 输入 |\n| --- | --- |\n| m | 1元 |\n",
                                  "<html><body><p>a\x00b</p><table><tr><th>模型</th><th>输入</th></tr>"
                                  "<tr><td>m</td><td>1元</td></tr></table></body></html>"])  # fmt: skip
def test_a_stray_null_changes_nothing(text: str) -> None:
    assert grid(text) == grid(text.replace("\x00", "")) == [["模型", "输入"], ["m", "1元"]]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"\x00" * 9, "is binary"),
        (b"\x89PNG\x00\xff\xfe", "is binary"),
        (b"# Prices\n\n| A |\n| --- |\n| 0.1\x004 |\n", "a NUL byte stands in a number"),
        (b"# Prices\n\n| A |\n| --- |\n| $\x001 |\n", "a NUL byte stands in a number"),
    ],
)
def test_a_binary_body_and_a_null_in_a_number_are_refused(body: bytes, words: str) -> None:
    with pytest.raises(UnknownDocument, match=words):
        soup_of(page(body))


def test_spans_are_expanded_and_a_stacked_header_is_joined() -> None:
    html = (
        "<table><thead><tr><th rowspan=2>Model</th><th colspan=2>Price</th></tr><tr><th>In</th><th>Out</th></tr></thead>"
        "<tbody><tr><td rowspan=2>m</td><td>1</td><td>2</td></tr><tr><td colspan=2>3</td></tr></tbody></table>"
    )
    assert grid(html) == [["Model", "Price / In", "Price / Out"], ["m", "1", "2"], ["m", "3", "3"]]


def test_an_empty_body_and_a_not_found_page_are_named() -> None:
    with pytest.raises(PageNotFound, match="is empty"):
        soup_of(page(b" \n"))
    with pytest.raises(PageNotFound, match="is titled"):
        soup_of(page("<html><head><title>404 Not Found</title></head><body>Sorry</body></html>"))
