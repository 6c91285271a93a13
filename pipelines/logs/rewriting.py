"""Inputs that may hold content, written anew without it: each container in the form that keeps most of it.

Belongs here: which inputs may be kept as they are, and the rewriting of lines, documents, rows, tables and
spans. Does not belong here: what is suspicious and how a record is cleaned (`cleaning.py`), names and notes
(`landing.py`).

Lines stay lines and rows stay rows, each at its place, so that what is set aside later leads to its line.
Documents and protobuf become lines, tables stay tables. Nothing of what came is written but through the cleaning.
"""

from __future__ import annotations

import io
import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import duckdb
from duckdb.func import FunctionNullHandling

from pipelines import warehouse
from pipelines.errors import BadInputError
from pipelines.logs import cleaning, otlp_protobuf
from pipelines.logs.sampling import (
    ARROW_CODECS,
    BLANK,
    CHUNK_BYTES,
    DAMAGED_PIECE_BYTES,
    Compression,
    Container,
    Sample,
    decode_elements,
    open_text,
)
from pipelines.logs.sql import identifier, literal
from pipelines.settings import Settings
from serving.privacy import LONGEST_TEXT, is_content

# A damaged JSON document is read by us, whole.
_LARGEST_DAMAGED: Final = 256 * 1024 * 1024
_BATCH: Final = 10_000
# What the engine reads in one piece, in bytes; it keeps twice that for each thread.
_LONGEST_PIECES: Final = tuple(size * 1024 * 1024 for size in (16, 64, 256))


def may_be_kept(sample: Sample) -> bool:
    """Whether an input is one that is kept as it is if a search finds nothing in it."""
    if sample.container in ("parquet", "protobuf", "json") or any(map(is_content, sample.columns)):
        return False
    with open_text(sample.path, sample.compression) as stream:
        return stream.read(len(BOM_UTF8)) != BOM_UTF8


def rewrite(
    settings: Settings, sample: Sample, target: Path, declared: frozenset[str]
) -> tuple[Container, Compression | None, int]:
    """Write a sample's file to `target` without content: what it is now, and its longest line in bytes."""
    if sample.container == "parquet":
        _rewrite_table(settings, sample, target, declared)
        return "parquet", None, 0
    compression: Compression | None = "zst" if sample.compression else None
    longest = 0
    with _opened(target, compression) as writer:
        for piece in _cleaned(settings, sample, declared):
            longest = max(longest, max(map(len, piece.split(b"\n"))) if len(piece) > LONGEST_TEXT else 0)
            writer.write(piece)
    return "csv" if sample.container == "csv" else "jsonl", compression, longest


def _opened(target: Path, compression: Compression | None) -> BinaryIO:
    if compression is None:
        return target.open("wb")
    import pyarrow as pa

    stream: BinaryIO = pa.output_stream(str(target), compression=ARROW_CODECS[compression])
    return stream


def _cleaned(settings: Settings, sample: Sample, declared: frozenset[str]) -> Iterator[bytes]:
    """An input's text, cleaned, in pieces of whole lines."""
    match sample.container:
        case "jsonl":
            for piece in whole_pieces(sample):
                yield cleaning.clean_lines(piece, declared)
        case "csv":
            text = (line for piece in whole_pieces(sample) for line in _text_lines(piece))
            for row in cleaning.clean_rows(text, sample.delimiter, sample.columns, declared):
                yield row.encode()
        case "protobuf":
            with open_text(sample.path, sample.compression) as stream:
                framing = otlp_protobuf.framing_of(stream.read(CHUNK_BYTES))
            if framing is None:
                raise BadInputError(f"{sample.path} is no OTLP protobuf any more; copy it again")
            with open_text(sample.path, sample.compression) as stream:
                for document in otlp_protobuf.documents(stream, framing):
                    yield b"{\n" if document is None else cleaning.clean_line(json.dumps(document).encode()) + b"\n"
        case _:
            yield from _elements(settings, sample, declared)


def whole_pieces(sample: Sample) -> Iterator[bytes]:
    """Whole lines up to the end, or to the damage, without a byte order mark."""
    size = DAMAGED_PIECE_BYTES if sample.compression else CHUNK_BYTES
    with open_text(sample.path, sample.compression) as stream:
        pieces = cleaning.pieces(stream, size)
        try:
            yield next(pieces, b"").removeprefix(BOM_UTF8)
            yield from pieces
        except OSError:  # the survey noted it
            return


def _text_lines(piece: bytes) -> Iterable[str]:
    return io.StringIO(piece.decode("utf-8", errors="replace").replace("\x00", "\ufffd"), newline="")


def _elements(settings: Settings, sample: Sample, declared: frozenset[str]) -> Iterator[bytes]:
    """The elements of a JSON document as lines; of a damaged one those before the damage, and a line that is none."""
    with warehouse.engine(settings) as connection:
        connection.execute("set preserve_insertion_order = true")
        try:
            elements = _elements_sql(connection, sample)
        except duckdb.Error as error:
            yield from _saved_elements(sample, declared, str(error).splitlines()[0])
            return
        found = connection.execute(f"select json(json::varchar)::varchar from {elements}")
        while rows := found.fetchmany(_BATCH):
            yield cleaning.clean_lines(b"".join(row[0].encode() + b"\n" for row in rows), declared)


def _elements_sql(connection: duckdb.DuckDBPyConnection, sample: Sample) -> str:
    """A call that reads a document's elements, tried once, with room for the longest.

    Room for long ones is kept by every thread, so it is only taken where a first reading found it wanting.
    """
    with open_text(sample.path, sample.compression) as stream:
        shape = "array" if stream.read(4096).lstrip(BLANK + BOM_UTF8).startswith(b"[") else "unstructured"
    call = f"read_json_objects({literal(str(sample.path))}, format = '{shape}'"
    *_, last = _LONGEST_PIECES
    for longest in _LONGEST_PIECES:
        reading = f"{call}, maximum_object_size = {longest})"
        try:
            connection.execute(f"select count(*) from {reading}").fetchall()
        except duckdb.InvalidInputException as error:
            if longest == last or "maximum_object_size" not in str(error):
                raise
        else:
            break
    return reading


def _saved_elements(sample: Sample, declared: frozenset[str], problem: str) -> Iterator[bytes]:
    if sample.path.stat().st_size > _LARGEST_DAMAGED:
        raise BadInputError(
            f"{sample.path} is a JSON document damaged or too long to read whole ({problem}), and too large to save "
            "parts of; export it again, as JSON lines where you can"
        )
    whole = b"".join(whole_pieces(sample)).decode("utf-8", errors="replace")
    values, at = decode_elements(whole)
    for value in values:
        yield cleaning.clean_line(json.dumps(value).encode(), declared) + b"\n"
    if whole[at:].strip():
        yield b"{\n"


def _rewrite_table(settings: Settings, sample: Sample, target: Path, declared: frozenset[str]) -> None:
    """A Parquet file with its text columns cleaned where they are suspicious, all else as it is."""
    file = f"read_parquet({literal(str(sample.path))})"
    with warehouse.engine(settings) as connection:
        connection.create_function("cleaned_cell", cleaning.clean_cell, ["varchar", "varchar"], "varchar",
                                   null_handling=FunctionNullHandling.SPECIAL)  # fmt: skip
        chosen = []
        for name, kind, *_ in connection.execute(f"describe select * from {file}").fetchall():
            column, nested = identifier(name), kind.startswith(("STRUCT", "MAP", "UNION", "JSON")) or kind.endswith("]")
            if not nested and kind not in ("VARCHAR", "BLOB"):
                chosen.append(column)
                continue
            text = f"to_json({column})::varchar" if nested else f"{column}::varchar"
            found = f"(regexp_matches({text}, {literal(cleaning.SUSPICIOUS)}) or strlen({text}) > {LONGEST_TEXT})"
            if is_content(name) and name not in declared:
                found = f"({text} is not null)"
            row = connection.execute(f"select bool_or({found}) from {file}").fetchone()
            if not row or not row[0]:
                chosen.append(column)
                continue
            under = "_" if name in declared else name
            cell = f"case when {found} then cleaned_cell({literal(under)}, {text}) else {text} end"
            chosen.append(f"({cell}){'::json' if nested else ''} as {column}")
        connection.execute(f"copy (select {', '.join(chosen)} from {file}) to {literal(str(target))} (format parquet)")
