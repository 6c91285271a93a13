"""Inputs become immutable segments: copied once, named by content, never changed after.

Belongs here: the copy (hashed while streamed, synced, renamed into place), the note beside it that makes it
complete, and what its name tells. Does not belong here: what is in it (`reading.py`), loading it.

A segment is `<sha256>.<container>[.gz|.zst]`; it counts as landed when its note `<sha256>.landing.json`
exists, which is written last. A crash before that leaves at most a temporary file that the next landing of
the same content overwrites.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pipelines.errors import BadInputError
from pipelines.logs.sampling import Compression, Container, Sample, open_text
from pipelines.settings import Settings

CHUNK_BYTES: Final = 4 * 1024 * 1024
# Of the piece that meets a damage nothing comes back, so damaged streams are read in small ones.
DAMAGED_PIECE_BYTES: Final = 4096
NOTE_SUFFIX: Final = ".landing.json"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Segment:
    """A landed file and how it is to be read."""

    segment_id: str  # sha256 of the file as it came
    file_name: str  # of the input
    container: Container
    compression: Compression | None
    size_bytes: int
    landed_at: str  # ISO, UTC
    damage: str | None  # what is wrong with the compressed stream; what precedes the damage is read
    format_name: str
    detected_because: str
    mapping: dict[str, Any] | None  # the declared mapping, for the generic format

    def path(self, settings: Settings) -> Path:
        """Where the segment is; its suffix tells the engine how to read it."""
        suffix = f".{self.compression}" if self.compression else ""
        return settings.segments / f"{self.segment_id}.{self.container}{suffix}"


def land(
    settings: Settings,
    sample: Sample,
    *,
    format_name: str,
    detected_because: str,
    mapping: dict[str, Any] | None = None,
    on_progress: Progress | None = None,
) -> Segment:
    """Copy an input into the segments and give its description.

    Landing the same content again copies nothing new and gives the segment under its first name; another
    format or mapping than the first time replaces how it is to be read. Raises BadInputError where the
    input cannot be read to its end.
    """
    settings.create_home()
    total = sample.path.stat().st_size
    temporary = settings.segments / f".landing.{os.getpid()}"
    try:
        try:
            digest, size = _copy(sample.path, temporary, total, on_progress)
        except OSError as error:
            raise BadInputError(f"{sample.path} cannot be copied ({error.strerror or error})") from error
        earlier = _noted(settings, digest)
        segment = Segment(
            segment_id=digest,
            file_name=earlier.file_name if earlier else sample.path.name,
            container=sample.container,
            compression=sample.compression,
            size_bytes=size,
            landed_at=earlier.landed_at if earlier else datetime.now(UTC).isoformat(),
            damage=earlier.damage if earlier else _damage(temporary, sample.compression),
            format_name=format_name,
            detected_because=detected_because,
            mapping=mapping,
        )
        if segment != earlier:
            temporary.chmod(0o400)
            temporary.replace(segment.path(settings))
            _write_note(settings, segment)
    finally:
        temporary.unlink(missing_ok=True)
    return segment


def landed(settings: Settings) -> list[Segment]:
    """Every segment whose landing was completed, oldest first."""
    if not settings.segments.exists():
        return []
    notes = settings.segments.glob(f"*{NOTE_SUFFIX}")
    return sorted((_read_note(note) for note in notes), key=lambda segment: (segment.landed_at, segment.segment_id))


def _copy(source: Path, target: Path, total: int, on_progress: Progress | None) -> tuple[str, int]:
    digest, done = hashlib.sha256(), 0
    with source.open("rb") as reader, target.open("wb") as writer:
        while chunk := reader.read(CHUNK_BYTES):
            digest.update(chunk)
            writer.write(chunk)
            done += len(chunk)
            if on_progress:
                on_progress("landing", done, max(total, done))
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest(), done


def _damage(path: Path, compression: Compression | None) -> str | None:
    """Read a compressed stream to its end: a cut at a line's end would show nowhere else."""
    if compression is None:
        return None
    done = 0
    with open_text(path, compression) as stream:
        try:
            while piece := stream.read(DAMAGED_PIECE_BYTES):
                done += len(piece)
        except OSError as error:
            return f"{str(error).splitlines()[0]} after about {done:,} bytes; what precedes is kept"
    return None


def _write_note(settings: Settings, segment: Segment) -> None:
    note = settings.segments / f"{segment.segment_id}{NOTE_SUFFIX}"
    temporary = note.with_suffix(f".{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(asdict(segment), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(note)
    folder = os.open(settings.segments, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _noted(settings: Settings, segment_id: str) -> Segment | None:
    note = settings.segments / f"{segment_id}{NOTE_SUFFIX}"
    return _read_note(note) if note.exists() else None


def _read_note(note: Path) -> Segment:
    return Segment(**json.loads(note.read_text(encoding="utf-8")))
