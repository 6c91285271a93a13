"""The inbox: files put into `<home>/inbox`, and what was collected over HTTP, are ingested by the next pass.

Belongs here: taking files out of the folder once they are landed, setting aside what no importer takes.
Does not belong here: landing and loading themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import BadInputError, UnknownFormatError
from pipelines.logs import collected, loading
from pipelines.logs.receipts import Receipt
from pipelines.settings import Settings

SET_ASIDE = "set-aside"


@dataclass(frozen=True, slots=True)
class Emptied:
    """What emptying the inbox came to: receipts, and files set aside with why."""

    receipts: tuple[Receipt, ...]
    set_aside: tuple[tuple[str, str], ...]


def empty(settings: Settings) -> Emptied:
    """Ingest what was collected and every file of the inbox.

    A file is removed only after its load is committed; one that no importer takes is moved to `set-aside/`
    beside a note that says why, so that it is not tried at every pass.
    """
    settings.create_home()
    receipts, odd = collected.take(settings)
    for file, reason in odd:
        _set_aside(settings, file, reason)
    set_aside = [(file.name, reason) for file, reason in odd]
    for file in sorted(path for path in settings.inbox.iterdir() if path.is_file() and not path.name.startswith(".")):
        try:
            receipts.extend(loading.ingest(settings, [file]))
        except (BadInputError, UnknownFormatError) as error:
            _set_aside(settings, file, str(error))
            set_aside.append((file.name, str(error)))
        else:
            file.unlink()
    return Emptied(tuple(receipts), tuple(set_aside))


def _set_aside(settings: Settings, file: Path, reason: str) -> None:
    folder = settings.inbox / SET_ASIDE
    folder.mkdir(exist_ok=True)
    (folder / f"{file.name}.why.txt").write_text(reason + "\n", encoding="utf-8")
    file.replace(folder / file.name)
