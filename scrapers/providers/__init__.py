"""One module per provider: where its pages are, and how one is read.

A module here defines `PROVIDER: Provider`. It may use `tables`, `amounts`, `prices`, `errors`; it
never fetches, never imports another provider, and is a pure function of the stored page.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from scrapers.errors import NoPrices, ScrapeError, UnknownProvider
from scrapers.prices import Capture, PriceRow, distinct
from scrapers.vocabulary import canonical_provider


@dataclass(frozen=True, slots=True)
class Source:
    """One address prices are read from. `sentinels` are models whose absence means a broken read.

    `also_at` are other addresses of the same page, former ones first of all: saved captures name them.
    `next_page` is for a list served in parts: from the bytes of one, the address of the next, or None; the
    parts are stored as one body, one after the other, as they came.
    """

    name: str
    url: str
    kind: str = "official_page"
    min_rows: int = 1
    sentinels: tuple[str, ...] = ()
    is_verified: bool = True
    also_at: tuple[str, ...] = ()
    next_page: Callable[[bytes], str | None] | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider's sources and its reader: a stored page in, rows or a ScrapeError out.

    `version` grows with every change of what the reader makes of a page, so that the book can tell
    a mended reading from a changed price. `skipped` tells what a list holds and `read` makes no row of,
    one line each: the entry, a colon, the reason.
    """

    name: str
    sources: tuple[Source, ...]
    read: Callable[[Capture], list[PriceRow]]
    version: int = 1
    notes: str = field(default="")
    skipped: Callable[[Capture], list[str]] | None = None

    def rows(self, capture: Capture) -> list[PriceRow]:
        """Rows of one capture, one per key. Raises ScrapeError; an empty answer is an error too."""
        try:
            rows = distinct(self.read(capture))
        except ScrapeError:
            raise
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            from scrapers.errors import LayoutChanged

            raise LayoutChanged(
                f"{self.name}: the page is not in a form this reader understands ({type(error).__name__}: {error})"
            ) from error
        if not rows:
            raise NoPrices(f"{self.name}: the page was read and holds no price")
        return rows


@cache
def names() -> tuple[str, ...]:
    """Every reader's name, sorted; a module in this folder is a reader."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))


def provider(name: str) -> Provider:
    """The reader by name or alias. Raises UnknownProvider, listing those there are."""
    canonical = canonical_provider(name) or name
    if canonical not in names():
        raise UnknownProvider(f"there is no reader named {name!r}; there are: {', '.join(names())}")
    found = importlib.import_module(f"{__name__}.{canonical}").PROVIDER
    assert isinstance(found, Provider)
    return found
