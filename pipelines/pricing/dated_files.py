"""Which source a saved page belongs to, and when it was captured, by what is stated about it.

Belongs here: a folder of files -> captures with a source, an instant and an address, or the reason why a
file cannot be taken. Does not belong here: storing or reading them (`replaying.py`).

Nothing is guessed. What a `provenance.tsv` in, above or below the folder says of a file comes first (found
by the file's hash, else by its path); then the address the page states of itself (a canonical link, front
matter), then the folder and the name: `anthropic/2026-04-26b_full_page.html`, `anthropic__2026-04-26T1008Z.md`.
A file whose day or source is not stated, or stated twice, is set aside with the reason.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.errors import BadInputError
from pipelines.pricing import readings
from scrapers import providers
from scrapers.errors import UnknownProvider
from scrapers.providers import Source
from scrapers.tables import is_markdown

PROVENANCE = "provenance.tsv"
PAGES = (".html", ".htm", ".md", ".mdx", ".txt", ".json")
_LEVELS_ABOVE = 3  # how far above the folder a provenance.tsv is looked for
_HEAD = 400_000  # how much of a page is searched for its own address

_DAY = re.compile(
    r"(?<!\d)(?P<year>20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)(?!\d)"
    r"(?:(?P<letter>[a-z])(?![a-z0-9])"
    r"|T(?P<hour>\d\d)[:-]?(?P<minute>\d\d)(?:[:-]?(?P<second>\d\d)(?:\.\d+)?)?Z?(?![0-9])"
    r"|_(?P<h>\d\d)h(?P<m>\d\d)?(?![a-z0-9]))?"
)
_CANONICAL = re.compile(r"<(?:link|meta)\b[^>]*(?:\bcanonical\b|\bog:url\b)[^>]*>", re.I)
_ADDRESS = re.compile(r"\b(?:href|content)=[\"']?(https?://[^\"'\s>]+)", re.I)
_FRONT_MATTER = re.compile(r"\A\ufeff?---\n(.*?)\n---\n", re.S)
_STATED_URL = re.compile(r"^(?:url|source|source_url):\s*[\"']?(https?://\S+?)[\"']?\s*$", re.M)
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?")
_VERSION = re.compile(r"/\d{14}(?=/)")  # AWS keeps each version of an offer file under its time


@dataclass(frozen=True, slots=True)
class DatedFile:
    """A file that says which source it is a capture of, and when it was made."""

    path: Path
    source: str
    url: str
    captured_at: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file that was not taken, and why."""

    path: Path
    reason: str


class _UnstatedError(Exception):
    """The reason why a file cannot be placed."""


def find(folder: Path) -> tuple[list[DatedFile], list[SetAside]]:
    """Every file below the folder, placed or set aside, in the order of their paths.

    Raises BadInputError if it is no folder, or a provenance.tsv is not one.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise BadInputError(f"{folder} is not a folder of captures; a single page is taken in by `scrape add`")
    provenance = _Provenance(_provenance_files(folder))
    placed: list[DatedFile] = []
    aside: list[SetAside] = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != PROVENANCE):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        try:
            placed.append(_place(path, folder, provenance))
        except _UnstatedError as reason:
            aside.append(SetAside(path, str(reason)))
    return _one_per_instant(placed, aside)


def _one_per_instant(placed: list[DatedFile], aside: list[SetAside]) -> tuple[list[DatedFile], list[SetAside]]:
    """Two contents cannot be one source's at one instant: the one in the source's own form stands; where
    that does not decide, none does, since their order would be a guess."""
    groups: dict[tuple[str, datetime], list[DatedFile]] = defaultdict(list)
    for file in placed:
        groups[file.source, file.captured_at].append(file)
    kept: list[DatedFile] = []
    for files in groups.values():
        own = files
        if len({file.sha256 for file in files}) > 1:
            own = [f for f in files if _form(f.path.read_bytes()) == _form_of(readings.sources()[f.source][1])]
        if len({file.sha256 for file in own}) > 1:
            own = []
        kept += own
        for file in files:
            if file not in own:
                first, *more = (f.path.name for f in files if f is not file)
                others = f"{first}{f' and {len(more)} more' if more else ''}"
                reason = f"another text of {file.source} at the same instant: {others}; name them a, b, c or by time"
                aside.append(SetAside(file.path, reason))
    return sorted(kept, key=lambda file: file.path), sorted(aside, key=lambda file: file.path)


def _place(path: Path, folder: Path, provenance: _Provenance) -> DatedFile:
    if path.suffix.lower() not in PAGES:
        raise _UnstatedError(f"it is not a page ({', '.join(PAGES)})")
    try:
        body = path.read_bytes()
    except OSError as error:
        raise _UnstatedError(f"it cannot be read ({error.strerror})") from error
    sha256 = hashlib.sha256(body).hexdigest()
    stated = provenance.of(path, sha256)
    captured_at = _stated_instant(stated.get("captured", "")) or _named_instant(path, folder)
    reader = _reader_of(path, folder, stated.get("provider", ""))
    url = stated.get("url", "") or _own_address(body)
    source = _source_of(reader, url, body, path, folder)
    return DatedFile(path, f"{reader}/{source.name}", url or source.url, captured_at, sha256)


# --- provenance -----------------------------------------------------------------------------------


def _provenance_files(folder: Path) -> list[Path]:
    above = [parent / PROVENANCE for parent in [*folder.parents][:_LEVELS_ABOVE]]
    return [*(path for path in above if path.is_file()), *sorted(folder.rglob(PROVENANCE))]


class _Provenance:
    """The lines of all provenance files, by the hash of a file and by its path."""

    def __init__(self, files: Iterable[Path]) -> None:
        self.by_hash: dict[str, list[dict[str, str]]] = defaultdict(list)
        self.by_name: dict[str, list[dict[str, str]]] = defaultdict(list)
        for file in files:
            for line in _lines(file):
                for hashed in {line.get("sha256", ""), line.get("raw_sha256", "")} - {""}:
                    self.by_hash[hashed].append(line)
                self.by_name[Path(line["file"]).name].append(line)

    def of(self, path: Path, sha256: str) -> dict[str, str]:
        """What is said of a file; nothing said is {}. Raises _UnstatedError where two things are."""
        named = [line for line in self.by_name.get(path.name, ()) if _ends_with(path, line)]
        found = [line for line in named if line in self.by_hash.get(sha256, ())] or self.by_hash.get(sha256, [])
        if not found and named:
            if any(line.get("sha256") for line in named):
                raise _UnstatedError(f"{PROVENANCE} states another sha256 for it: the file is not what was captured")
            found = named
        if len({(line.get("captured"), line.get("url")) for line in found}) > 1:
            raise _UnstatedError(f"{PROVENANCE} states {len(found)} captures with its content, none at its path")
        return found[0] if found else {}


def _lines(file: Path) -> Iterator[dict[str, str]]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{file} cannot be read ({error})") from error
    table = csv.DictReader(text.splitlines(), delimiter="\t")
    if not {"file", "captured"} <= set(table.fieldnames or ()):
        raise BadInputError(f"{file}: the header must name the columns file and captured, url and sha256 are welcome")
    for line in table:
        yield {name: (value or "").strip() for name, value in line.items() if name and isinstance(value, str)}


def _ends_with(path: Path, line: dict[str, str]) -> bool:
    """Whether the path a line states is the file's own, seen from some folder above it."""
    stated = Path(line["file"]).parts
    return path.parts[-len(stated) :] == stated


# --- when -----------------------------------------------------------------------------------------


def _stated_instant(text: str) -> datetime | None:
    """The instant a provenance line begins with; None where it does not name a day (`2026-08`)."""
    match = _INSTANT.match(text)
    if not match:
        return None
    day, clock, zone = match.groups()
    try:
        instant = datetime.fromisoformat(f"{day}T{clock or '00:00'}{zone or 'Z'}")
    except ValueError as error:
        raise _UnstatedError(f"{PROVENANCE} states {text!r}, which is no instant ({error})") from error
    return instant.astimezone(UTC)


def _named_instant(path: Path, folder: Path) -> datetime:
    """The day in the file's name, else in the nearest folder's. Letters a, b, c make captures of one day
    follow one another by a second."""
    for name in (path.name, *reversed(path.relative_to(folder).parts[:-1]), folder.name):
        found = list(_DAY.finditer(name))
        if len({match[0] for match in found}) > 1 and not _DAY.match(name.rpartition("__")[2]):
            raise _UnstatedError(f"its name states several days: {', '.join(match[0] for match in found)}")
        if found:
            match = _DAY.match(name.rpartition("__")[2]) or found[0]
            hour, minute = match["hour"] or match["h"] or 0, match["minute"] or match["m"] or 0
            numbers = (match["year"], match["month"], match["day"], hour, minute, match["second"] or 0)
            year, month, day, hours, minutes, seconds = map(int, numbers)
            try:
                instant = datetime(year, month, day, hours, minutes, seconds, tzinfo=UTC)
            except ValueError as error:
                raise _UnstatedError(f"its name states {match[0]!r}, which is no day ({error})") from error
            return instant + timedelta(seconds=ord(match["letter"] or "a") - ord("a"))
    raise _UnstatedError(f"no day is stated: neither in a {PROVENANCE} nor in its name (such as 2026-04-26_page.html)")


# --- whose ----------------------------------------------------------------------------------------


def _reader_of(path: Path, folder: Path, stated: str) -> str:
    """The reader a line, the name's prefix or the nearest folder names."""
    if stated:
        if reader := _reader_named(stated):
            return reader
        raise _UnstatedError(f"there is no reader for {stated!r}, which {PROVENANCE} names")
    prefix = re.match(r"(.+?)(?:__|[_-]+(?=20\d\d-\d\d-\d\d))", path.name)
    if prefix and (reader := _reader_named(prefix[1])):
        return reader
    inside = path.relative_to(folder).parts[:-1]
    for name in (*reversed(inside), folder.name, folder.parent.name):
        if reader := _reader_named(name):
            return reader
    raise _UnstatedError("no reader is named by its folder or its name")


def _reader_named(name: str) -> str | None:
    for spelling in (name, re.sub(r"[-.\s]", "_", name)):
        try:
            return providers.provider(spelling).name
        except UnknownProvider:
            continue
    return None


def _source_of(reader: str, url: str, body: bytes, path: Path, folder: Path) -> Source:
    """The one source of a reader that has this address; without an address, that has this form and name."""
    sources = [source for of, source in readings.sources().values() if of.name == reader]
    if url:
        same = [s for s in sources if _page(url) in map(_page, (s.url, *s.also_at))]
        if not same:
            raise _UnstatedError(f"no source of {reader} reads {url}")
        fitting = [s for s in same if _form_of(s) == _form(body)]
        exact = [s for s in same if s.url == url]
        # A markdown body said to come from the address of the HTML page came from its markdown twin, where
        # that is known to exist.
        sources = [s for s in exact if s in fitting] or [s for s in fitting if s.is_verified] or exact or same
    if len(sources) > 1:
        sources = [s for s in sources if _form_of(s) == _form(body)] or sources
    if len(sources) > 1:
        words = "/".join((*path.relative_to(folder).parts[:-1], path.name)).lower()
        named = [s for s in sources if re.search(rf"(?<![a-z0-9]){re.escape(s.name)}(?![a-z0-9])", words)]
        longest = max((len(s.name) for s in named), default=0)
        sources = [s for s in named if len(s.name) == longest] or sources
    if len(sources) > 1:
        raise _UnstatedError(
            f"it may be any of {reader}'s sources {', '.join(s.name for s in sources)}; state its url in a {PROVENANCE}"
        )
    return sources[0]


def _page(url: str) -> str:
    """An address as people mean it: without scheme, `www.`, query, final slash and the ending of markdown."""
    bare = re.sub(r"^https?://(?:www\.)?|[?#].*$", "", url.strip(), flags=re.I)
    return _VERSION.sub("/current", re.sub(r"\.md(?:\.txt)?$", "", bare.rstrip("/")))


def _form(body: bytes) -> str:
    text = body[:_HEAD].decode("utf-8", errors="replace")
    return "json" if text.lstrip("\ufeff \n\r\t")[:1] in ("{", "[") else "markdown" if is_markdown(text) else "html"


def _form_of(source: Source) -> str:
    if source.kind != "official_page":
        return "json"
    return "markdown" if re.search(r"\.md(?:\.txt)?$", source.url) else "html"


def _own_address(body: bytes) -> str:
    """The address a page states of itself; "" if none."""
    head = body[:_HEAD].decode("utf-8", errors="replace")
    if front := _FRONT_MATTER.match(head):
        stated = _STATED_URL.search(front[1])
        return stated[1] if stated else ""
    tags = (_ADDRESS.search(tag[0]) for tag in _CANONICAL.finditer(head))
    return next((address[1] for address in tags if address), "")
