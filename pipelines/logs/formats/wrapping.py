"""Records that may come alone, in an array, or wrapped in a document, for the formats that come so.

Belongs here: the SQL that opens `[…]`, `{"data": […]}`, `{"data": {…}}` and the like, and the same for a
sample. Does not belong here: documents whose records need something of their parents (each format's own).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.logs.sampling import Sample


def opened(*names: str) -> str:
    """SQL from `record` to the list of records in it: an array's, those under a name, else itself."""
    cases = []
    for name in names:
        inner = f"record -> '$.{name}'"
        cases.append(f"when json_type({inner}) = 'ARRAY' then json_extract(record, '$.{name}[*]')")
        cases.append(f"when json_type({inner}) = 'OBJECT' then [{inner}]")
    return (
        f"case when json_type(record) = 'ARRAY' then json_extract(record, '$[*]') {' '.join(cases)} else [record] end"
    )


def empty(*names: str) -> str:
    """SQL from `record` to whether it is a wrapping with nothing in it: an empty batch or page is sound."""
    places = " or ".join(f"json_type(record -> '$.{name}') = 'ARRAY'" for name in names)
    return f"(json_type(record) = 'ARRAY' or {places})"


def inner_records(sample: Sample, *names: str) -> Iterator[dict[str, Any]]:
    """The sampled records, and those they wrap under the names."""
    for record in sample.records:
        yield record
        for name in names:
            inner = record.get(name)
            yield from (one for one in (inner if isinstance(inner, list) else [inner]) if isinstance(one, dict))
