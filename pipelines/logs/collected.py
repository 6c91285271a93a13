"""What the collector acknowledged: its spool files, taken a segment at a time.

Belongs here: joining the many small files of one format, loading them, removing them after. Does not belong
here: writing them (`serving.spool`), the rest of the inbox (`inbox.py`).

Files are joined as the collector joins batches: every line as often as in the file that has it most often.
So nothing depends on which files a pass finds together, and a pass killed between loading and removing, whose
files come again with others, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from pipelines import warehouse
from pipelines.errors import BadInputError, UnknownFormatError
from pipelines.logs import formats, loading
from pipelines.logs.receipts import Receipt
from pipelines.logs.sampling import look_at
from pipelines.logs.sql import literal
from pipelines.settings import Settings

# One segment's worth: what one transaction loads, and what one query names.
SEGMENT_BYTES: Final = 256 * 1024**2
SEGMENT_FILES: Final = 2000
# The collector writes no longer lines.
_LONGEST_LINE: Final = 16 * 1024**2


def take(settings: Settings) -> tuple[list[Receipt], list[tuple[Path, str]]]:
    """Load all files of the spool and remove them; receipts, and files that no importer takes with why.

    A file is removed only after its load is committed.
    """
    receipts: list[Receipt] = []
    odd: list[tuple[Path, str]] = []
    by_format: dict[str, list[Path]] = {}
    for _, alike in groupby(sorted(settings.collected.glob("[!.]*.jsonl")), key=_prefix):
        files = list(alike)
        try:  # files named alike begin with the same fields: one look is enough
            form, _ = formats.recognise(look_at(files[0]))
        except (BadInputError, UnknownFormatError) as error:
            odd.extend((file, str(error)) for file in files)
        else:
            by_format.setdefault(form.name, []).extend(files)
    for name, files in by_format.items():
        for some in _portions(files):
            receipts.extend(_load(settings, name, some))
    return receipts, odd


def _prefix(file: Path) -> str:
    return file.name.rpartition("-")[0]


def _portions(files: Sequence[Path]) -> Iterator[list[Path]]:
    portion: list[Path] = []
    size = 0
    for file in files:
        if portion and (len(portion) == SEGMENT_FILES or size + file.stat().st_size > SEGMENT_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(file)
        size += file.stat().st_size
    if portion:
        yield portion


def _load(settings: Settings, format_name: str, files: list[Path]) -> list[Receipt]:
    joined = settings.tmp / f"collected-{format_name}.jsonl"
    try:
        _join(settings, files, joined)
        receipts = loading.ingest(settings, [joined], format_name=format_name)
    finally:
        joined.unlink(missing_ok=True)
    for file in files:
        file.unlink()
    return receipts


def _join(settings: Settings, files: list[Path], target: Path) -> None:
    """Write the union of the files' lines, as they are: no line holds the delimiter, a control character."""
    names = ", ".join(literal(str(file)) for file in files)
    with warehouse.engine(settings) as connection:
        connection.execute(
            f"""
            copy (
              select json::varchar from (
                select json, row_number() over (partition by filename, json) as occurrence
                from read_ndjson_objects([{names}], filename = true, maximum_object_size = {_LONGEST_LINE})
              ) group by json, occurrence
            ) to {literal(str(target))} (format csv, header false, delimiter e'\\x01', quote '', escape '')
            """
        )
