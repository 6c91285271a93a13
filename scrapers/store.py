"""The page store: bodies by content hash, and a record of every capture. Nothing in it is ever changed.

    pages/<first two of sha256>/<sha256>.body      a body, once, however often it was fetched
    captures/<source>/<time>-<source>-<hash>.json  one small file per capture

Every file is written beside its place, synced, and moved there in one step, the body before the record
that names it. A process killed at any moment leaves a store that is whole; at worst it holds a body
no record names, or a file `.tmp-…` nobody reads.

Belongs here: files and what they say. Does not belong here: how a page is fetched, what its rows are.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scrapers.addresses import public_url
from scrapers.errors import StoreDamaged
from scrapers.prices import Capture, Instant

# The headers that say what was served, and how to ask for it again. All others, cookies first, stay out.
KEPT_HEADERS: Final = (
    "age", "cache-control", "content-encoding", "content-language", "content-length", "content-type", "date",
    "etag", "expires", "last-modified", "server", "vary",
)  # fmt: skip


class Hop(BaseModel):
    """One address that answered with a redirect."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    status: int


class CaptureRecord(BaseModel):
    """What was asked, when, and what came of it. `outcome` "unchanged" is a 304: the body is the one before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Annotated[str, Field(min_length=1)]
    url: str
    final_url: str
    redirects: tuple[Hop, ...] = ()
    status: int
    outcome: Literal["fetched", "unchanged"]
    headers: dict[str, str]
    fetched_at: Instant
    sha256: Annotated[str, Field(pattern=r"[0-9a-f]{64}")]
    size: Annotated[int, Field(ge=0)]


class PageStore:
    """A folder of bodies and capture records. Any number of processes may add to it at once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(
        self,
        body: bytes,
        *,
        source: str,
        url: str,
        fetched_at: datetime,
        final_url: str | None = None,
        redirects: tuple[Hop, ...] = (),
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> CaptureRecord:
        """Keeps a fetched body and the record of its capture. Secrets in addresses and headers are left out."""
        record = CaptureRecord(
            source=source,
            url=public_url(url),
            final_url=public_url(final_url or url),
            redirects=tuple(Hop(url=public_url(hop.url), status=hop.status) for hop in redirects),
            status=status,
            outcome="fetched",
            headers=kept_headers(headers or {}),
            fetched_at=fetched_at,
            sha256=hashlib.sha256(body).hexdigest(),
            size=len(body),
        )
        path = self.body_path(record.sha256)
        if not path.is_file() or path.read_bytes() != body:
            _write(path, body)
        self._write_record(record)
        return record

    def add_unchanged(
        self, before: CaptureRecord, *, fetched_at: datetime, redirects: tuple[Hop, ...], headers: Mapping[str, str]
    ) -> CaptureRecord:
        """Records a 304: asked again, and the body of `before` is still what is served."""
        record = before.model_copy(
            update={
                "redirects": tuple(Hop(url=public_url(hop.url), status=hop.status) for hop in redirects),
                "status": 304,
                "outcome": "unchanged",
                "headers": before.headers | kept_headers(headers),
                "fetched_at": fetched_at.astimezone(UTC),
            }
        )
        self._write_record(record)
        return record

    def records(self, source: str | None = None) -> list[CaptureRecord]:
        """Every capture, or those of one source, in the order of time. Raises StoreDamaged."""
        found = map(_read_record, (self.root / "captures").glob(f"{_slug(source) if source else '*'}/*.json"))
        return sorted(
            (record for record in found if source in (None, record.source)),
            key=lambda record: (record.fetched_at, record.source, record.sha256),
        )

    def latest(self, source: str) -> CaptureRecord | None:
        """The last capture of a source. File names sort by time, so only the last is read."""
        paths = sorted((self.root / "captures" / _slug(source)).glob("*.json"), reverse=True)
        return next((record for path in paths if (record := _read_record(path)).source == source), None)

    def has(self, sha256: str) -> bool:
        """Whether the body is here; whether it is whole is seen when it is read."""
        return self.body_path(sha256).is_file()

    def body(self, sha256: str) -> bytes:
        """A stored body. Raises StoreDamaged if it is missing or is not what its name says."""
        path = self.body_path(sha256)
        try:
            body = path.read_bytes()
        except OSError as error:
            raise StoreDamaged(f"{path} cannot be read: {error}") from error
        if hashlib.sha256(body).hexdigest() != sha256:
            raise StoreDamaged(f"{path} is not the body it was: its hash differs from its name")
        return body

    def capture(self, record: CaptureRecord) -> Capture:
        """What a reader takes: the body with how it was come by. Raises StoreDamaged."""
        return Capture(
            source=record.source,
            url=record.url,
            captured_at=record.fetched_at,
            body=self.body(record.sha256),
            content_type=record.headers.get("content-type"),
            final_url=record.final_url,
            status_code=200 if record.outcome == "unchanged" else record.status,
            headers=dict(record.headers),
        )

    def body_path(self, sha256: str) -> Path:
        """Where a body of this hash is, or would be."""
        return self.root / "pages" / sha256[:2] / f"{sha256}.body"

    def _write_record(self, record: CaptureRecord) -> None:
        slug = _slug(record.source)
        time = record.fetched_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        path = named = self.root / "captures" / slug / f"{time}-{slug}-{record.sha256[:16]}.json"
        text = json.dumps(record.model_dump(mode="json"), ensure_ascii=False, indent=1, sort_keys=True)
        content = text.encode() + b"\n"
        number = 1
        while path.exists():  # two captures at one instant are two records; one taken in twice is one
            if path.read_bytes() == content:
                return
            number += 1
            path = named.with_name(f"{named.stem}-{number}.json")
        _write(path, content)


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers worth keeping, by lower-case name."""
    given = httpx.Headers(headers)
    return {name: given[name] for name in KEPT_HEADERS if name in given}


def _slug(source: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", source).lstrip(".") or "-"


def _read_record(path: Path) -> CaptureRecord:
    try:
        content: Any = json.loads(path.read_bytes())
        return CaptureRecord.model_validate(content)
    except (OSError, ValueError, ValidationError) as error:
        raise StoreDamaged(f"{path} is not a capture record: {error}") from error


def _write(path: Path, content: bytes) -> None:
    """Puts a file in its place whole: written beside it, synced, moved, and the move synced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".tmp-{secrets.token_hex(8)}")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
