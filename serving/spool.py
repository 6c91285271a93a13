"""The spool: a folder of immutable files that hold what was acknowledged until the next pass takes it.

Belongs here: writing batches so that no power cut loses them, the names of the files, how much may lie there.
Does not belong here: taking files out (`pipelines.logs.collected`), what is in them.

A file is `<kind>[-<shape>]-<hash of its content>.jsonl`, written beside, synced, renamed, the folder synced.
It holds the batches that waited together, as a union: a line is in it as often as in the batch that has it
most often. So a retry adds nothing to its first try, and the tables do not depend on who waited with whom.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from serving.decoding import Batch

_LEFT_OVER_SECONDS: Final = 60.0


class SpoolFullError(Exception):
    """The spool holds what it may: nothing of the group was written."""


class Spool:
    """One folder, one writing thread. `limit` is in bytes."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in folder.glob(".*.part"):  # a killed server's, never acknowledged
            if time.time() - file.stat().st_mtime > _LEFT_OVER_SECONDS:
                file.unlink(missing_ok=True)
        self._used = self._measured()

    def write(self, batches: Sequence[Batch]) -> None:
        """Make batches durable; on return they are. Raises SpoolFullError, OSError."""
        size = sum(batch.size for batch in batches)
        if self._used + size > self.limit:  # passes take files out without telling
            self._used = self._measured()
            if self._used + size > self.limit:
                raise SpoolFullError
        groups: dict[str, list[Batch]] = {}
        for batch in batches:
            groups.setdefault(f"{batch.kind}-{batch.shape}" if batch.shape else batch.kind, []).append(batch)
        for name, group in groups.items():
            self._write(name, union(batch.lines for batch in group))
        _sync(self.folder)

    def _write(self, name: str, lines: Iterable[bytes]) -> None:
        content = b"".join(lines)
        part = self.folder / f".{os.getpid()}.part"
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.rename(self.folder / f"{name}-{hashlib.sha256(content).hexdigest()}.jsonl")
        self._used += len(content)

    def _measured(self) -> int:
        used = 0
        with os.scandir(self.folder) as entries:
            for entry in entries:
                try:
                    used += entry.stat().st_size
                except FileNotFoundError:  # taken out meanwhile
                    continue
        return used


def union(batches: Iterable[Sequence[bytes]]) -> list[bytes]:
    """Every line as often as in the batch that has it most often, in the order of first appearance."""
    first, *others = batches
    if not others:
        return list(first)
    counted = Counter(first)
    for lines in others:
        counted |= Counter(lines)
    return list(counted.elements())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
