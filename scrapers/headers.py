"""The header words of a page: what a change of layout shows in, whatever the reader made of the page.

Belongs here: finding the header cells of tables and the field names of JSON, cheaply and without knowing
whose page it is. Does not belong here: reading prices (`tables`, `providers/`), or judging a change (the
price book's gates do).
"""

from __future__ import annotations

import re
from html import unescape
from itertools import pairwise
from typing import Final

_ROW: Final = re.compile(r"<tr\b.*?</tr>", re.IGNORECASE | re.DOTALL)
_CELL: Final = re.compile(r"<th\b[^>]*>(.*?)</th>", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>")
_SPACE: Final = re.compile(r"\s+")
_RULE: Final = re.compile(r"[ \t]*\|?[ \t:]*-{2,}[-: |\t]*")  # what follows a markdown table's header
_LONGEST_RULE: Final = 2_000
_FIELD: Final = re.compile(r'"([A-Za-z_][A-Za-z0-9_]{0,40})"\s*:')
_LARGEST: Final = 8 * 1024 * 1024  # of a page; what follows has shown no new header in any page seen
_MOST: Final = 400


def header_words(text: str) -> tuple[str, ...]:
    """Each distinct header row of a page, cells in order, joined by ` | `, sorted; for JSON its field names.

    Two pages with the same words in another order of columns differ here: the order is what a reader that
    counts columns would get wrong.
    """
    text = text[:_LARGEST]
    if text.lstrip()[:1] in ("{", "["):
        return tuple(sorted(set(_FIELD.findall(text))))[:_MOST]
    rows = [_CELL.findall(row) for row in _ROW.findall(text) if "<th" in row]
    # A row headed by its own label (one header cell) says nothing of the columns.
    found = {" | ".join(map(_plain, cells)) for cells in rows if len(cells) > 1}
    lines = text.splitlines()
    found |= {
        " | ".join(map(_plain, above.strip().strip("|").split("|")))
        for above, below in pairwise(lines)
        if "|" in above and len(below) < _LONGEST_RULE and _RULE.fullmatch(below)
    }
    return tuple(sorted(found))[:_MOST]


def _plain(cell: str) -> str:
    return _SPACE.sub(" ", unescape(_TAG.sub(" ", cell))).strip().lower()
