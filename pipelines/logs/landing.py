"""Inputs become immutable segments: without content, named by what came, written once, never changed after.

Belongs here: the hash that names a segment, whether the input is kept as it is or rewritten without content,
the note beside it that makes it complete, and what its name tells. Does not belong here: what content is
(`cleaning.py`), what is in a segment (`reading.py`), loading it.

A segment is `<sha256 of the input>.<container>[.gz|.zst]`; it counts as landed when its note
`<sha256>.landing.json` exists, which is written last. A crash before that leaves at most a temporary file, free
of content too, that the next landing of the same process number overwrites. An input in which nothing is
suspicious is kept byte for byte; another is rewritten: lines stay lines, each in its place, tables stay tables,
documents become lines.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from pipelines.errors import BadInputError
from pipelines.logs import cleaning, rewriting
from pipelines.logs.sampling import CHUNK_BYTES, Compression, Container, Sample, open_text
from pipelines.settings import Settings

NOTE_SUFFIX: Final = ".landing.json"
# No log is compressed a hundredfold; what is and is large is made to fill disks.
_BOMB_BYTES: Final = 1024**3
_BOMB_RATIO: Final = 200

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Segment:
    """A landed file and how it is to be read."""

    segment_id: str  # sha256 of the file as it came
    file_name: str  # of the input
    container: Container  # of the segment
    compression: Compression | None
    size_bytes: int  # of the input
    landed_at: str  # ISO, UTC
    damage: str | None  # what is wrong with the compressed stream; what precedes the damage is read
    format_name: str
    detected_because: str
    mapping: dict[str, Any] | None  # the declared mapping, for the generic format
    is_rewritten: bool = False  # without what was suspicious; else byte for byte
    has_lines: bool = False  # its lines are the input's
    longest_line: int = 0  # in bytes, of rewritten lines; those of kept files are short

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
    declared: Iterable[str] = (),
    on_progress: Progress | None = None,
) -> Segment:
    """Make an input a segment and give its description.

    Landing the same content again costs its hash and gives the segment under its first name; another format
    or mapping than the first time replaces how it is to be read. `declared` are fields a mapping reads: they
    are kept whatever they are called. Raises BadInputError where the input cannot be read to its end.
    """
    settings.create_home()
    try:
        digest, size = _hashed(sample.path, on_progress)
        earlier = _noted(settings, digest)
        how = (format_name, detected_because, mapping)
        if earlier and (earlier.format_name, earlier.detected_because, earlier.mapping) == how:
            return earlier
        is_clean, damage = _surveyed(sample, size)
        temporary = settings.tmp / f"landing-{os.getpid()}"
        container, compression, longest = sample.container, sample.compression, 0
        try:
            if is_clean:
                _copy(sample.path, temporary, size)
            else:
                container, compression, longest = rewriting.rewrite(settings, sample, temporary, frozenset(declared))
            segment = Segment(
                segment_id=digest,
                file_name=earlier.file_name if earlier else sample.path.name,
                container=container,
                compression=compression,
                size_bytes=size,
                landed_at=earlier.landed_at if earlier else datetime.now(UTC).isoformat(),
                damage=damage,
                format_name=format_name,
                detected_because=detected_because,
                mapping=mapping,
                is_rewritten=not is_clean,
                has_lines=container == sample.container,
                longest_line=longest,
            )
            _sync(temporary)
            temporary.chmod(0o400)
            temporary.replace(segment.path(settings))
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise BadInputError(f"{sample.path} cannot be copied ({error.strerror or error})") from error
    _write_note(settings, segment)
    return segment


def landed(settings: Settings) -> list[Segment]:
    """Every segment whose landing was completed, oldest first."""
    if not settings.segments.exists():
        return []
    notes = settings.segments.glob(f"*{NOTE_SUFFIX}")
    return sorted((_read_note(note) for note in notes), key=lambda segment: (segment.landed_at, segment.segment_id))


def _hashed(path: Path, on_progress: Progress | None) -> tuple[str, int]:
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as reader:
        while chunk := reader.read(CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            if on_progress:
                on_progress("landing", done, max(total, done))
    return digest.hexdigest(), done


class _Bounded:
    """A stream that refuses to go on where it has become too much for what it came from."""

    def __init__(self, stream: BinaryIO, path: Path, size: int) -> None:
        self._stream, self._path, self._size = stream, path, size
        self._done = 0

    def read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        self._done += len(piece)
        if self._done > max(_BOMB_BYTES, self._size * _BOMB_RATIO):
            raise BadInputError(
                f"{self._path} is {self._size:,} bytes compressed and over {self._done:,} decompressed, as no log is; "
                "decompress it yourself if it is meant"
            )
        return piece


def _surveyed(sample: Sample, size: int) -> tuple[bool, str | None]:
    """Read an input's text: may it be kept as it is, and where is a compressed stream damaged.

    A cut at a line's end would show nowhere else. Pieces are searched on two threads while the next is read.
    """
    is_clean = rewriting.may_be_kept(sample)
    damage = None
    waiting: deque[Future[bool]] = deque()
    with ThreadPoolExecutor(2) as pool, open_text(sample.path, sample.compression) as stream:
        try:
            for piece in cleaning.pieces(_Bounded(stream, sample.path, size)):
                if not is_clean and sample.compression is None:
                    break
                if is_clean:
                    waiting.append(pool.submit(cleaning.is_suspicious, piece))
                if len(waiting) > 3:
                    is_clean = not waiting.popleft().result()
        except OSError as error:
            kept = sum(map(len, rewriting.whole_pieces(sample)))
            damage = f"{str(error).splitlines()[0]} after about {kept:,} bytes; what precedes is kept"
        is_clean = is_clean and not any(found.result() for found in waiting)
    return is_clean and damage is None, damage


def _copy(source: Path, target: Path, size: int) -> None:
    """Copy what was hashed: a log may have grown since."""
    left = size
    with source.open("rb") as reader, target.open("wb", buffering=0) as writer:
        with suppress(OSError, AttributeError):  # a fifth of the cost, where the system and both folders can
            while left and (done := os.copy_file_range(reader.fileno(), writer.fileno(), left)):
                left -= done
        reader.seek(size - left)
        while left and (chunk := reader.read(min(left, CHUNK_BYTES))):
            left -= writer.write(chunk)
            reader.seek(size - left)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_note(settings: Settings, segment: Segment) -> None:
    note = settings.segments / f"{segment.segment_id}{NOTE_SUFFIX}"
    temporary = note.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(asdict(segment), indent=1), encoding="utf-8")
    _sync(temporary)
    temporary.replace(note)
    _sync(settings.segments)


def _noted(settings: Settings, segment_id: str) -> Segment | None:
    note = settings.segments / f"{segment_id}{NOTE_SUFFIX}"
    return _read_note(note) if note.exists() else None


def _read_note(note: Path) -> Segment:
    return Segment(**json.loads(note.read_text(encoding="utf-8")))
