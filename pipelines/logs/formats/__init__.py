"""One file per log format: how it is recognised, what its records look like, what they report.

Belongs here: the shape of an importer and the list of them. Does not belong here: any format's facts (one
file each), checks and conversions (`canonicalising.py`).

To add a format: a file with one `Format`, its name in `FORMAT_MODULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, Final

from pipelines.errors import UnknownFormatError
from pipelines.logs.sampling import Sample

FORMAT_MODULES: Final = (
    "ailib", "litellm_spend", "ailib_callstats", "ailib_logger", "ailib_costs", "ailib_usage", "litellm_payload",
    "helicone", "bedrock", "azure_apim", "openrouter", "otlp", "langfuse",
)  # fmt: skip

# The shape of a record for `json_transform`: names to "VARCHAR", "JSON", a nested shape, or a list of one.
Structure = Mapping[str, Any]


@dataclass(frozen=True)
class Format:
    """How one kind of log is read.

    `structure` names the fields of a record that are read; in `fields` (reported column -> SQL) and
    `rejects` (reason -> SQL condition) it is the struct `r`, and `record` the whole JSON. `within` reads
    JSON within a record: a name -> (SQL of the JSON, its structure), a struct beside `r`; `names` gives
    further SQL over these a name. `detect` says why a sample is of this format, or None.

    `records` is for documents that wrap their records: SQL from the whole document (`record`, JSON) to the
    list of its records (JSON, each with what it needs of its parents); `structure`, `fields` and `rejects`
    then speak of those. A document that gives none is itself quarantined, as `no_records`, unless
    `nothing_meant` (SQL condition on `record`) says that it is sound and holds nothing of this format.
    """

    name: str
    structure: Structure
    fields: Mapping[str, str]
    detect: Callable[[Sample], str | None]
    rejects: Mapping[str, str] = field(default_factory=dict)
    within: Mapping[str, tuple[str, Structure]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    records: str | None = None
    nothing_meant: str = "false"


@cache
def formats() -> dict[str, Format]:
    """Every format recognised by itself, by name, in the order they are tried."""
    found = [import_module(f"pipelines.logs.formats.{name}").FORMAT for name in FORMAT_MODULES]
    return {form.name: form for form in found}


def recognise(sample: Sample) -> tuple[Format, str]:
    """The format of a sample and why. Raises UnknownFormatError saying what was seen and what to do."""
    for form in formats().values():
        if reason := form.detect(sample):
            return form, reason
    seen = ", ".join(sorted({key for record in sample.records for key in record})[:12]) or ", ".join(
        sample.columns[:12]
    )
    raise UnknownFormatError(
        f"{sample.path} is {sample.container} with fields {seen or 'none'}, which no importer recognises; name one "
        f"with --format ({', '.join(formats())}) or declare a mapping with --mapping"
    )


def named(name: str) -> Format:
    """A format by name. Raises UnknownFormatError listing the names."""
    try:
        return formats()[name]
    except KeyError:
        raise UnknownFormatError(
            f"there is no log format {name!r}; there are {', '.join(formats())}, and generic with --mapping"
        ) from None
