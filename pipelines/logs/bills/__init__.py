"""Bills: reports of providers on what was used and what it costs, in sums and without call ids.

Belongs here: the shape of a report's reader, the list of them, telling a report from a log. Does not belong
here: any report's facts (one file each), the SQL they share (`reading.py`), which report wins (`loading.py`),
logs of single calls (`pipelines/logs/formats`).

To add a report: a file with `BILLS`, a tuple of `Bill`, its name in `BILL_MODULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, Final

from pipelines.errors import MissingColumnError, UnknownFormatError
from pipelines.logs.formats import Format
from pipelines.logs.sampling import Sample

BILL_MODULES: Final = (
    "openai_usage", "openai_costs", "anthropic_usage", "anthropic_costs", "anthropic_console", "openrouter_activity",
    "aws_cur", "gcp_billing",
)  # fmt: skip


@dataclass(frozen=True)
class Lines:
    """Lines an item gives to a table: column -> SQL over the item `r`, giving text.

    With `each`, a line for each element `x` of that list.
    """

    fields: Mapping[str, str]
    each: str | None = None


@dataclass(frozen=True)
class Bill:
    """How one report is read.

    An item is a result within a bucket, or a row. `structure` names what is read of it: it is the struct `r`
    in all SQL here, and every scalar in it is text, numbers as they were written. `records` unwraps documents
    (see `Format`).

    `start` and `end` are what the item is about, and `scope_start` and `scope_end` the time its report
    replaces as a whole (that same time unless said otherwise), all as instants. `account` and `report` are
    text, `version` the instant the report was made. `part` finds a file's number within a scope in its name.

    `columns` must be in a file with columns. `required` (name -> SQL), `counts` and `amounts` are checked of
    each item: there, a whole number, a decimal; `rejects` are further reasons not to take one.
    """

    name: str
    detect: Callable[[Sample], str | None]
    structure: Mapping[str, Any]
    start: str
    end: str
    usage: Lines | None = None
    costs: tuple[Lines, ...] = ()
    records: str | None = None
    is_nothing: str = "false"  # the item only says that its bucket is empty
    scope_start: str = ""
    scope_end: str = ""
    report: str = ""
    account: str = "null"
    version: str = "null::timestamptz"
    part: str = ""
    columns: tuple[str, ...] = ()
    required: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, str] = field(default_factory=dict)
    amounts: Mapping[str, str] = field(default_factory=dict)
    rejects: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Sample], None] = lambda _: None

    @property
    def format(self) -> Format:
        """What reads its records."""
        return Format(
            name=self.name, structure=self.structure, fields={}, detect=self.detect, records=self.records
        )  # fmt: skip


@cache
def bills() -> dict[str, Bill]:
    """Every report by name, in the order they are tried."""
    modules = [import_module(f"pipelines.logs.bills.{name}") for name in BILL_MODULES]
    return {bill.name: bill for module in modules for bill in module.BILLS}


def recognise(sample: Sample) -> tuple[Bill, str] | None:
    """The report a sample is of and why, or None where it is none.

    Raises UnknownFormatError for buckets that are all empty, which do not say what was not used.
    """
    for bill in bills().values():
        if reason := bill.detect(sample):
            return bill, reason
    start = _empty_buckets(sample)
    if start is None:
        return None
    maker = "openai" if start == "start_time" else "anthropic"
    names = ", ".join(name for name in bills() if name.startswith(f"{maker}_") and "console" not in name)
    raise UnknownFormatError(
        f"{sample.path} is a page of empty buckets, which does not say what was not used; say so with --format "
        f"(one of {names})"
    )


def check(bill: Bill, sample: Sample) -> None:
    """Raise MissingColumnError naming what a file lacks, BadInputError where it must not be taken alone."""
    missing = [name for name in bill.columns if sample.columns and name not in sample.columns]
    if missing:
        raise MissingColumnError(
            f"{sample.path} is read as {bill.name} and has no column {', '.join(map(repr, missing))}; it has "
            f"{', '.join(sample.columns[:30])}. Export it again with that column"
        )
    bill.check(sample)


def page_buckets(sample: Sample) -> list[dict[str, Any]]:
    """The buckets among a sample's records: themselves, or in the pages that hold them."""
    found = []
    for record in sample.records:
        inner = record.get("data")
        candidates = inner if isinstance(inner, list) else [record]
        found += [one for one in candidates if isinstance(one, dict) and isinstance(one.get("results"), list)]
    return found


def page_results(sample: Sample) -> list[dict[str, Any]]:
    """The results in those buckets."""
    return [one for bucket in page_buckets(sample) for one in bucket["results"] if isinstance(one, dict)]


def _empty_buckets(sample: Sample) -> str | None:
    buckets = page_buckets(sample)
    if not buckets or page_results(sample):
        return None
    return next((name for name in ("start_time", "starting_at") if name in buckets[0]), None)


def plan(sample: Sample, format_name: str | None) -> tuple[str, str] | None:
    """The report a file is, by name or by its look, and why; None where it is none. Raises as `check` does."""
    if format_name:
        found = (bills()[format_name], "the format was given") if format_name in bills() else None
    else:
        found = recognise(sample)
    if found is None:
        return None
    check(found[0], sample)
    return found[0].name, found[1]
