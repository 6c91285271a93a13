"""OTLP in protobuf: told by its framing, and turned into the JSON form, a bounded piece at a time.

Belongs here: the framings a file of ExportTraceServiceRequest comes in, and the conversion. Does not belong
here: what a span means (`formats/otlp.py`).

A file is one request as it was posted; or requests each behind its length, as a varint (protobuf's own way)
or as four bytes, the greatest first (the OpenTelemetry collector's file exporter). Of one posted request every
resource's spans are a piece, of others every request is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

from pipelines.errors import BadInputError

if TYPE_CHECKING:
    from google.protobuf.message import Message

Framing = Literal["posted", "varint", "fixed"]

_RESOURCE_SPANS: Final = 0x0A  # ExportTraceServiceRequest.resource_spans: field 1, with a length
_PARTS: Final = (0x0A, 0x12, 0x1A)  # ResourceSpans: resource, scope_spans, schema_url
_FIXED_BYTES: Final = 4
_LONGEST: Final = 256 * 1024 * 1024  # of a piece; a longer one is damage


def framing_of(head: bytes) -> Framing | None:
    """How the requests in a file of these first bytes are framed, or None where it holds none."""
    if _is_request(head, None):
        return "posted"
    length, start = _varint(head, 0)
    if length is not None and _is_request(head[start:], length):
        return "varint"
    if _is_request(head[_FIXED_BYTES:], int.from_bytes(head[:_FIXED_BYTES], "big")):
        return "fixed"
    return None


def documents(stream: BinaryIO, framing: Framing) -> Iterator[dict[str, Any] | None]:
    """Requests in OTLP's JSON form, as dictionaries; None, at the end, where the rest cannot be read.

    Ids come as base64 and numbers of 64 bits as text: protobuf's own JSON. Raises BadInputError where the
    decoder is not installed.
    """
    try:
        from google.protobuf.json_format import MessageToDict
        from google.protobuf.message import DecodeError
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
        from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans
    except ImportError as error:
        raise BadInputError(
            "reading OTLP protobuf needs the package opentelemetry-proto; install it, or export the spans as JSON"
        ) from error
    try:
        for piece in _pieces(stream, framing):
            message: Message = ResourceSpans() if framing == "posted" else ExportTraceServiceRequest()
            message.ParseFromString(piece)
            found = MessageToDict(message)
            yield {"resourceSpans": [found]} if framing == "posted" else found
    except (DecodeError, EOFError, OSError):
        yield None


def write_lines(stream: BinaryIO, framing: Framing, target: BinaryIO) -> None:
    """Write the documents as JSON lines, and a line that is none for a rest that cannot be read."""
    for document in documents(stream, framing):
        target.write(b"{\n" if document is None else json.dumps(document).encode() + b"\n")


def _pieces(stream: BinaryIO, framing: Framing) -> Iterator[bytes]:
    """The bytes of each piece. Raises EOFError where the file ends within one or goes on with something else."""
    while first := stream.read(1):
        if framing == "fixed":
            length = int.from_bytes(first + _exactly(stream, _FIXED_BYTES - 1), "big")
        else:
            if framing == "posted":
                if first[0] != _RESOURCE_SPANS:
                    raise EOFError
                first = _exactly(stream, 1)
            prefix = first
            while prefix[-1] & 0x80:
                prefix += _exactly(stream, 1)
            length = _varint(prefix, 0)[0] or 0
        yield _exactly(stream, length)


def _exactly(stream: BinaryIO, length: int) -> bytes:
    found = stream.read(length) if length <= _LONGEST else b""
    if len(found) < length:
        raise EOFError
    return found


def _is_request(head: bytes, length: int | None) -> bool:
    """Whether bytes start with a request: of that length, or as long as the file."""
    if not head or head[0] != _RESOURCE_SPANS:
        return False
    inner, start = _varint(head, 1)
    if inner is None or start >= len(head) or head[start] not in _PARTS:
        return False
    part, after = _varint(head, start + 1)
    return part is not None and after - start + part <= inner and (length is None or start + inner <= length)


def _varint(data: bytes, at: int) -> tuple[int | None, int]:
    """The number at a place and where it ends; None where there is no number."""
    number = 0
    for place in range(10):
        if at + place >= len(data):
            return None, at
        byte = data[at + place]
        number |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            return number, at + place + 1
    return None, at
