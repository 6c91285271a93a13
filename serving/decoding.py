"""Bodies of log posts as batches: lines of cleaned JSON, ready to be written.

Belongs here: content codings, content types, what each endpoint takes, and refusing by name what is damaged.
Does not belong here: what is removed (`privacy.py`), files (`spool.py`), answering (`collector.py`).

Records are looked at one by one, because every one has to be cleaned before the first write. Python's own
JSON parser does it, not orjson: it can keep numbers as they were written (10 against 3 microseconds for a
record of 500 bytes).
"""

from __future__ import annotations

import hashlib
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, Literal

import orjson

from serving.privacy import exact, without_content

Kind = Literal["logs", "litellm", "traces"]

JSON: Final = "application/json"
PROTOBUF: Final = "application/x-protobuf"
LINES: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
# Text that a page of another site could send unasked (text/plain, forms) is not among them.
TAKEN: Final[dict[Kind, tuple[str, ...]]] = {
    "logs": (*LINES, JSON),
    "litellm": (*LINES, JSON),
    "traces": (JSON, PROTOBUF),
}
# The readers of what is written take lines of 16 MiB.
LONGEST_LINE: Final = 15 * 1024 * 1024
_BLANK: Final = b" \t\r\n"


class RefusedError(Exception):
    """A body that is not taken: an HTTP status, and a sentence that quotes nothing of it."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True)
class Batch:
    """What one post comes to.

    `lines` are JSON objects with their line ends; `shape` tells batches that may share a file (those of one
    format); `receipt` is the hash of the content, the same for an identical retry. `refused` parts of it
    (spans) were not taken, for the reason `why`.
    """

    kind: Kind
    shape: str
    lines: tuple[bytes, ...]
    records: int
    refused: int = 0
    why: str = ""

    @property
    def receipt(self) -> str:
        return hashlib.sha256(b"".join((self.kind.encode(), *self.lines))).hexdigest()[:32]

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(map(len, self.lines))


def batch_of(kind: Kind, body: bytes, content_type: str, coding: str, text_limit: int) -> Batch:
    """Decode, check and clean one body. Raises RefusedError (400, 413, 415); all of it is taken or nothing.

    `text_limit` is the most it may come to once decompressed, in bytes.
    """
    if content_type not in TAKEN[kind]:
        raise RefusedError(415, f"the content type must be one of {', '.join(TAKEN[kind])}")
    body = _decompressed(body, coding, text_limit)
    if content_type == PROTOBUF:
        return _traces(_protobuf_request(body))
    body = body.removeprefix(BOM_UTF8)
    if kind == "traces":
        return _traces(_parsed("the body", body))
    return _records(kind, list(_numbered(body)) if content_type in LINES else _documents(body))


def _decompressed(body: bytes, coding: str, limit: int) -> bytes:
    if coding in ("", "identity"):
        if len(body) > limit:
            raise RefusedError(413, f"the body is longer than {limit:,} bytes; send smaller batches")
        return body
    if coding not in ("gzip", "deflate"):
        raise RefusedError(415, "the content coding must be gzip, deflate or identity")
    found, rest = bytearray(), body
    try:
        while rest:  # gzip may have several members, one after the other
            stream = zlib.decompressobj(wbits=47)
            found += stream.decompress(rest, limit + 1 - len(found))
            if len(found) > limit:
                raise RefusedError(413, f"the body is longer than {limit:,} bytes decompressed; send smaller batches")
            if not stream.eof:
                raise RefusedError(400, f"the {coding} stream ends too early")
            rest = stream.unused_data
    except zlib.error as error:
        raise RefusedError(400, f"the body is not {coding}") from error
    return bytes(found)


def _numbered(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Lines that are not blank, and how to call them."""
    for number, line in enumerate(body.split(b"\n"), start=1):
        if line.strip(_BLANK):
            yield f"line {number}", line


def _documents(body: bytes) -> list[tuple[str, bytes]]:
    """One document; or lines sent as JSON, as LiteLLM does: then each line is a document."""
    lines = list(_numbered(body))
    try:
        first = lines[0][1].strip(_BLANK) if len(lines) > 1 else b""
        orjson.loads(first)
    except ValueError:
        return [("the body", body)]
    return lines


def _records(kind: Kind, texts: list[tuple[str, bytes]]) -> Batch:
    lines, shape = [], ""
    for where, text in texts:
        value = _parsed(where, text)
        for record in value if isinstance(value, list) else [value]:
            if not isinstance(record, dict):
                raise RefusedError(400, f"{where} is no JSON object")
            shape = shape or _shape(kind, record)
            lines.append(_line(where, record))
    return Batch(kind, shape, tuple(lines), len(lines))


def _parsed(where: str, text: bytes) -> Any:
    try:
        return exact(text)
    except UnicodeDecodeError as error:
        raise RefusedError(400, f"{where} is not UTF-8 at byte {error.start + 1}") from error
    except RecursionError as error:
        raise RefusedError(400, f"{where} is nested too deep") from error
    except ValueError as error:
        column = f" at character {error.pos + 1}" if hasattr(error, "pos") else ""
        raise RefusedError(400, f"{where} is not JSON{column}") from error


def _line(where: str, record: dict[str, Any]) -> bytes:
    try:
        # A new object: the one orjson gives keeps the 4 KiB it was written in.
        line = orjson.dumps(without_content(record)) + b"\n"
    except RecursionError as error:
        raise RefusedError(400, f"{where} is nested too deep") from error
    except TypeError as error:  # half a pair of surrogates: text that no UTF-8 can hold
        raise RefusedError(400, f"{where} holds text that is not Unicode, or is nested too deep") from error
    if len(line) > LONGEST_LINE:
        raise RefusedError(413, f"{where} is longer than {LONGEST_LINE:,} bytes; send smaller batches")
    return line


def _shape(kind: Kind, record: dict[str, Any]) -> str:
    """Batches whose first records have the same fields are taken to be of one format."""
    return hashlib.sha256("\n".join(sorted(record)).encode(errors="replace")).hexdigest()[:8] if kind == "logs" else ""


def _traces(request: Any) -> Batch:
    """An ExportTraceServiceRequest as one line of its JSON form."""
    resources = request.get("resourceSpans", []) if isinstance(request, dict) else None
    if not isinstance(resources, list):
        raise RefusedError(400, "the body is no ExportTraceServiceRequest: resourceSpans is not a list")
    kept = refused = 0
    for scope in _inner(resources, "scopeSpans"):
        spans = scope.get("spans", [])
        if not isinstance(spans, list):
            raise RefusedError(400, "the body is no ExportTraceServiceRequest: spans is not a list")
        known = [span for span in spans if isinstance(span, dict) and span.get("traceId") and span.get("spanId")]
        scope["spans"] = known
        kept += len(known)
        refused += len(spans) - len(known)
    lines = (_line("the body", request),) if kept else ()
    return Batch("traces", "", lines, kept, refused, "spans need a traceId and a spanId" if refused else "")


def _inner(parents: list[Any], name: str) -> Iterator[dict[str, Any]]:
    for parent in parents:
        inner = parent.get(name, []) if isinstance(parent, dict) else None
        if not isinstance(inner, list) or not all(isinstance(one, dict) for one in inner):
            raise RefusedError(400, f"the body is no ExportTraceServiceRequest: {name} is not a list of objects")
        yield from inner


def trace_messages() -> Any:
    """OpenTelemetry's generated messages, untyped. Raises RefusedError where the package is not installed."""
    try:
        return import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    except ImportError as error:
        raise RefusedError(
            415, "protobuf is taken where the package opentelemetry-proto is installed; send application/json"
        ) from error


def _protobuf_request(body: bytes) -> dict[str, Any]:
    request = trace_messages().ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except import_module("google.protobuf.message").DecodeError as error:
        raise RefusedError(400, "the body is no ExportTraceServiceRequest in protobuf") from error
    to_json = import_module("google.protobuf.json_format").MessageToDict
    found: dict[str, Any] = to_json(request, use_integers_for_enums=True)
    # Protobuf's own JSON has ids in base64, OTLP's in hexadecimal.
    for resource, plain in zip(request.resource_spans, found.get("resourceSpans", []), strict=True):
        for scope, plain_scope in zip(resource.scope_spans, plain.get("scopeSpans", []), strict=True):
            for span, plain_span in zip(scope.spans, plain_scope.get("spans", []), strict=True):
                ids = {"traceId": span.trace_id, "spanId": span.span_id, "parentSpanId": span.parent_span_id}
                plain_span.update((name, value.hex()) for name, value in ids.items() if name in plain_span)
    return found
