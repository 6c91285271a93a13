"""A first look at an input file: can it be taken at all, what is it made of, what are its first records.

Belongs here: opening whatever the compression, telling JSON lines from a JSON document, CSV and Parquet
by content (never by name), and the sample formats are recognised from. Does not belong here: copying the
file (`landing.py`), reading it whole (`reading.py`), knowing any format (`formats/`).
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from pipelines.errors import BadInputError
from pipelines.logs import otlp_protobuf

Container = Literal["jsonl", "json", "csv", "parquet", "protobuf"]
Compression = Literal["gz", "zst"]

SAMPLE_BYTES: Final = 256 * 1024
SAMPLE_RECORDS: Final = 50
CHUNK_BYTES: Final = 4 * 1024 * 1024
# Of the piece that meets a damage nothing comes back, so damaged streams are read in small ones.
DAMAGED_PIECE_BYTES: Final = 4096
# The engine's blanks: lines of these alone are no records.
BLANK: Final = b" \t\r\n\x0b\x0c"

_MAGIC: Final[dict[bytes, Compression]] = {b"\x1f\x8b": "gz", b"\x28\xb5\x2f\xfd": "zst"}
# What structures JSON, strings whole so that nothing within them counts; a lone quote is a string cut short.
_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|["{}\[\],]', re.DOTALL)
ARROW_CODECS: Final[dict[Compression, str]] = {"gz": "gzip", "zst": "zstd"}


@dataclass(frozen=True)
class Sample:
    """What a first look found.

    `records` are the first JSON objects (a document's elements for `json`), `columns` the column names of
    a CSV or Parquet file; the other of the two is empty. `delimiter` is a CSV file's.
    """

    path: Path
    container: Container
    compression: Compression | None
    records: list[dict[str, Any]] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    delimiter: str = ","


def look_at(path: Path) -> Sample:
    """Look at the head of a file. Raises BadInputError naming the file, what is wrong and what to do."""
    if path.is_dir():
        raise BadInputError(f"{path} is a directory; name the files in it, for example {path}/*.jsonl")
    if not path.exists():
        raise BadInputError(f"{path} does not exist; check the path")
    if not path.is_file():
        raise BadInputError(f"{path} is not a regular file; write it to a file first")
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        compression = next((name for start, name in _MAGIC.items() if magic.startswith(start)), None)
        head = _head(path, compression)
    except OSError as error:
        raise BadInputError(f"{path} cannot be read ({error.strerror or error}); check it and its rights") from error
    if not head.strip():
        what = "holds nothing readable: its compressed stream is damaged at the start" if compression else "is empty"
        raise BadInputError(f"{path} {what}; there is nothing to ingest")
    if head.startswith(b"PAR1"):
        if compression:
            raise BadInputError(f"{path} is a compressed Parquet file; decompress it first, Parquet compresses itself")
        return Sample(path, "parquet", None, columns=_parquet_columns(path))
    return _look_at_text(path, compression, head)


def _head(path: Path, compression: Compression | None) -> bytes:
    """The first bytes, decompressed; what precedes a damage where the stream is damaged."""
    if compression is None:
        with path.open("rb") as file:
            return file.read(SAMPLE_BYTES)
    import pyarrow as pa

    head = b""
    with pa.input_stream(str(path), compression=ARROW_CODECS[compression]) as stream:
        try:
            while len(head) < SAMPLE_BYTES and (piece := stream.read(4096)):
                head += piece
        except OSError:
            return head
    return head


def _parquet_columns(path: Path) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInputError(
            f"{path} starts like a Parquet file and is not a whole one ({str(error).splitlines()[0]}); copy it again"
        ) from error


def _look_at_text(path: Path, compression: Compression | None, head: bytes) -> Sample:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadInputError(f"{path} is UTF-16 text; convert it to UTF-8 (iconv -f utf-16 -t utf-8)")
    text = head.decode("utf-8-sig", errors="replace")
    strange = sum(character in "\x00\ufffd" for character in text)
    if strange and (framing := otlp_protobuf.framing_of(head)):
        return Sample(path, "protobuf", compression, records=_spans(path, compression, framing))
    if strange > len(text) // 50 + 4:
        raise BadInputError(f"{path} is a binary file; logs are JSON lines, JSON, CSV (plain, .gz, .zst) or Parquet")
    lines = [line for line in text.splitlines() if line.strip()]
    if text.lstrip().startswith("["):
        if len(lines) > 1 and isinstance(_parsed(lines[0]), list) and lines[1].lstrip().startswith("["):
            # Batches as they were posted, one array per line.
            batches = [batch for line in lines[:SAMPLE_RECORDS] if isinstance(batch := _parsed(line), list)]
            records = [record for batch in batches for record in batch if isinstance(record, dict)]
            return Sample(path, "jsonl", compression, records=records[:SAMPLE_RECORDS])
        return Sample(path, "json", compression, records=_elements(text))
    objects = [value for line in lines[:SAMPLE_RECORDS] if isinstance(value := _parsed(line), dict)]
    if text.lstrip().startswith("{"):
        # A lone line may be the start of one longer than the sample.
        spread = len(lines) > 1 and _parsed(lines[0]) is None and lines[0].rstrip().endswith(("{", "[", ","))
        if spread or (not objects and decode_elements(text, limit=1)[0]):
            return Sample(path, "json", compression, records=_elements(text))
        return Sample(path, "jsonl", compression, records=objects or _elements(text))
    if objects:
        return Sample(path, "jsonl", compression, records=objects)
    delimiter, columns = _csv_header(text)
    return Sample(path, "csv", compression, columns=columns, delimiter=delimiter)


def _spans(path: Path, compression: Compression | None, framing: otlp_protobuf.Framing) -> list[dict[str, Any]]:
    with open_text(path, compression) as stream:
        first = next(otlp_protobuf.documents(stream, framing), None)
    if first is None:
        raise BadInputError(f"{path} starts like OTLP protobuf and cannot be decoded; copy or export it again")
    return [first]


def open_text(path: Path, compression: Compression | None) -> BinaryIO:
    """The bytes of a file, decompressed; reading past a damage raises OSError."""
    if compression is None:
        return path.open("rb")
    import pyarrow as pa

    stream: BinaryIO = pa.input_stream(str(path), compression=ARROW_CODECS[compression])
    return stream


def _csv_header(text: str) -> tuple[str, list[str]]:
    """The delimiter that splits the first line most, and the column names, made unique.

    Told from the header alone, so that a damaged row cannot turn the file into another dialect.
    """
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t|", key=first.count)
    names: list[str] = []
    for place, name in enumerate(next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), []), start=1):
        unique = name.strip() or f"column_{place}"
        names.append(unique if unique not in names else f"{unique}_{place}")
    return delimiter, names


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _elements(text: str) -> list[dict[str, Any]]:
    """The first objects of a JSON document (an array, one object, or several one after another).

    Where the first is longer than the sample, what of it is whole: enough to recognise it by.
    """
    found, _ = decode_elements(text, limit=SAMPLE_RECORDS)
    if not found:
        found, _ = decode_elements(_closed(text), limit=1)
    return [value for value in found if isinstance(value, dict)]


def _closed(text: str) -> str:
    """A document cut short, closed after its last whole value."""
    opened: list[str] = []
    end, closers = 0, ""
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "{" | "[" as bracket:
                opened.append("}" if bracket == "{" else "]")
            case "}" | "]":
                if not opened:
                    break
                opened.pop()
            case '"':  # a string without an end
                break
            case ",":
                pass
            case _:
                continue
        end, closers = token.start() if token[0] == "," else token.end(), "".join(reversed(opened))
    return text[:end] + closers


def decode_elements(text: str, limit: int | None = None) -> tuple[list[Any], int]:
    """Elements of a JSON document up to its first damage, and where in `text` reading stopped."""
    found: list[Any] = []
    decoder, at = json.JSONDecoder(), 0
    skipped = " \t\r\n,\ufeff[" if text.lstrip("\ufeff \t\r\n").startswith("[") else " \t\r\n\ufeff"
    while limit is None or len(found) < limit:
        while at < len(text) and text[at] in skipped:
            at += 1
        if at >= len(text) or text[at] == "]":
            break
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        found.append(value)
    return found, at
