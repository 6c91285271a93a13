"""Contract prices, discounts and corrections a house states itself: YAML files in `overrides/` of the home.

Belongs here: what such a file may say, reading it, and when each of its statements was believed. Does not
belong here: prices read from pages or lists; a statement stands beside those, never instead of them.
`overrides_example.yml` shows every field.

Known time is kept by keeping the files: each version of a file is copied once, when it is first loaded, to
`overrides/.versions/<file>/<instant>-<hash>.yml`, and nothing there is ever changed. A statement is known
from the load that brought it until the load that no longer has it; a file that is gone leaves an empty
version. So the rows of `raw.price_statements` follow from files alone, and can be made again at any time.

Whose word counts: a contract price for its tenant, then a correction, then the maker's page, then a list.
Nobody writes a correction but to be believed, so it needs no word for that; it needs a reason and a name.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pipelines import warehouse
from pipelines.errors import BadPriceListError
from pipelines.pricing import tables
from pipelines.pricing.yaml_lines import Document
from pipelines.settings import Settings
from scrapers.prices import FACTOR, Per, PriceRow, Window
from scrapers.vocabulary import METERS, canonical_provider

EXAMPLE = Path(__file__).with_name("overrides_example.yml")
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_EVER = datetime.max.replace(tzinfo=UTC)


# --- what a file may say --------------------------------------------------------------------------


def _instant(text: object) -> datetime:
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise ValueError(f"{text!r} is no instant, such as 2026-01-01T00:00:00Z") from error
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} needs a time and a zone, such as 2026-01-01T00:00:00Z")
    return instant.astimezone(UTC)


def _per(text: object) -> dict[str, str]:
    quantity, _, unit = str(text).partition(" ")
    return {"quantity": quantity, "unit": unit.strip()}


def _provider(name: str) -> str:
    known = canonical_provider(name)
    if known is None:
        raise ValueError(f"provider {name!r} is not registered in scrapers/vocabulary.py")
    return known


def _meter(name: str) -> str:
    if name not in METERS or name == "multiplier":
        raise ValueError(f"meter {name!r} is not registered in scrapers/vocabulary.py")
    return name


Words = Annotated[str, Field(min_length=1, max_length=2000)]
When = Annotated[datetime, BeforeValidator(_instant)]
ProviderName = Annotated[str, AfterValidator(_provider)]
Meter = Annotated[str, AfterValidator(_meter)]
Tier = Literal["standard", "batch", "flex", "priority", "fast"]
Number = Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")]
Count = Annotated[str, Field(pattern=r"^\d+$")]


class _Said(BaseModel):
    """What every statement says: of whom, valid when, and by which document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: ProviderName
    model: Words
    region: Words = "global"
    valid_from: When
    valid_to: When | None = None
    known_from: When | None = None
    evidence: Words

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_to and self.valid_to <= self.valid_from:
            raise ValueError("valid_to must come after valid_from")
        return self


class _Amount(_Said):
    """A price in money."""

    meter: Meter
    tier: Tier = "standard"
    context_from: Count = "0"
    context_inclusive: Literal["true", "false"] = "false"
    window: Window | None = None
    currency: Words
    amount: Number
    per: Annotated[Per, BeforeValidator(_per)]

    @model_validator(mode="after")
    def _one_model(self) -> Self:
        if self.model == "*":
            raise ValueError("a price is of one model; only a discount may say '*'")
        return self

    def rows(self, where: str) -> Iterator[PriceRow]:
        yield PriceRow(
            provider=self.provider,
            model=self.model,
            model_label=self.model,
            meter=self.meter,
            service_tier=self.tier,
            region=self.region,
            context_from=int(self.context_from),
            context_inclusive=self.context_inclusive == "true",
            window=self.window,
            currency=self.currency,
            amount=Decimal(self.amount),
            per=self.per,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            valid_from_basis="stated",
            where=where,
            text=self.words,
        )

    @property
    def words(self) -> str:
        return f"{self.amount} {self.currency} per {self.per}"


class ContractPrice(_Amount):
    """What a tenant pays for one meter by contract."""

    tenant: Words


class Correction(_Amount):
    """What the book should have said: of no tenant, with the reason and who says so."""

    reason: Words
    by: Words

    @property
    def words(self) -> str:
        return f"{self.reason} ({self.by})"


class Discount(_Said):
    """A percentage off whatever the list says, for a tenant. No `meters` means all, model "*" all models."""

    tenant: Words
    percent: Number
    meters: tuple[Meter, ...] = ()
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)] = ("standard",)

    @model_validator(mode="after")
    def _less_than_all(self) -> Self:
        if not 0 < Decimal(self.percent) <= 100:
            raise ValueError("percent must be more than 0 and at most 100")
        return self

    def rows(self, where: str) -> Iterator[PriceRow]:
        for tier in dict.fromkeys(self.tiers):
            yield PriceRow(
                provider=self.provider,
                model=self.model,
                model_label=self.model,
                meter="multiplier",
                service_tier=tier,
                region=self.region,
                amount=1 - Decimal(self.percent) / 100,
                per=FACTOR,
                valid_from=self.valid_from,
                valid_to=self.valid_to,
                valid_from_basis="stated",
                applies_to=self.meters,
                where=where,
                text=f"{self.percent} % off list",
            )


class File(BaseModel):
    """One file of overrides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    contracts: tuple[ContractPrice, ...] = ()
    discounts: tuple[Discount, ...] = ()
    corrections: tuple[Correction, ...] = ()


# --- reading --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Statement:
    """One row a file states, and where."""

    row: PriceRow
    tenant: str | None
    evidence: str
    known_from: datetime | None  # as stated
    path: Path
    line: int

    @property
    def said(self) -> tuple[Any, ...]:
        """All it says; its place in the file apart."""
        return self.tenant, self.evidence, self.known_from, self.row.model_copy(update={"where": ""})

    @property
    def price(self) -> tuple[Any, ...]:
        """The price it speaks of, whatever the time and the amount."""
        return self.tenant, *self.row.key


def read(path: Path, name: str | None = None) -> list[Statement]:
    """The statements of one file. Raises BadPriceListError naming the file, the line and the field.

    `name` is what the file was called when it was loaded, for a stored version of it.
    """
    try:
        body = path.read_bytes()
    except OSError as error:
        raise BadPriceListError(f"{path}: cannot be read ({error.strerror})") from error
    document = Document(path, body)
    try:
        file = File.model_validate(document.content)
    except ValidationError as error:
        raise document.error(error) from error
    statements: list[Statement] = []
    for place, one in _places(file):
        line = document.line(place)
        try:
            rows = list(one.rows(f"{name or path.name} line {line}"))
        except ValidationError as error:
            raise document.error(error, place) from error
        tenant = None if isinstance(one, Correction) else one.tenant
        statements += [Statement(row, tenant, one.evidence, one.known_from, path, line) for row in rows]
    return statements


def _places(file: File) -> Iterator[tuple[tuple[str, int], ContractPrice | Discount | Correction]]:
    for number, contract in enumerate(file.contracts):
        yield ("contracts", number), contract
    for number, discount in enumerate(file.discounts):
        yield ("discounts", number), discount
    for number, correction in enumerate(file.corrections):
        yield ("corrections", number), correction


def files(settings: Settings) -> list[Path]:
    """The house's files, in the order of their names."""
    return sorted(path for path in settings.overrides.glob("*.y*ml") if not path.name.startswith("."))


def check(paths: Sequence[Path]) -> list[Statement]:
    """The statements of all files together. Raises BadPriceListError where two say one thing at one time."""
    statements = [statement for path in paths for statement in read(path)]
    spoken: dict[tuple[Any, ...], list[Statement]] = {}
    for one in statements:
        for other in spoken.setdefault(one.price, []):
            starts = (one.row.valid_from or _EVER, other.row.valid_from or _EVER)
            if max(starts) < min(one.row.valid_to or _EVER, other.row.valid_to or _EVER):
                raise BadPriceListError(
                    f"{one.path} line {one.line}: valid_from: the same price is stated for the same time at "
                    f"{other.path.name} line {other.line}; end one where the other begins"
                )
        spoken[one.price].append(one)
    return statements


# --- believing ------------------------------------------------------------------------------------


def load(settings: Settings) -> int:
    """Keep what is new of the files, and make `raw.price_statements` say what they ever said.

    Returns how many statements are believed now. Raises BadPriceListError before anything is written.
    """
    settings.create_home()
    present = files(settings)
    check(present)
    with warehouse.writing(settings) as connection:
        _keep_versions(settings, present)
        rows = history(settings)
        tables.create(connection)
        connection.begin()
        connection.execute("delete from raw.price_statements where starts_with(source, 'overrides/')")
        tables.insert(connection, "raw.price_statements", rows)
        connection.commit()
    return sum(row["known_to"] is None for row in rows)


def history(settings: Settings) -> list[dict[str, Any]]:
    """Every belief the kept versions make, as values of `raw.price_statements`."""
    folders = sorted(folder for folder in _versions(settings).glob("*") if folder.is_dir())
    return [row for folder in folders for row in _beliefs(folder)]


def _beliefs(folder: Path) -> Iterator[dict[str, Any]]:
    """One file's beliefs: a statement is one from the first version that has it to the first that has not.

    A stated `known_from` counts for a price nobody had spoken of; else it would change what was believed.
    """
    open_rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    spoken: set[tuple[Any, ...]] = set()
    for path in sorted(folder.glob("*.yml")):
        loaded_at = datetime.strptime(path.name.partition("-")[0], _STAMP).replace(tzinfo=UTC)
        found = {statement.said: statement for statement in read(path, folder.name)}
        for said in [said for said in open_rows if said not in found]:
            row = open_rows.pop(said) | {"known_to": loaded_at}
            if row["known_from"] < loaded_at:
                yield row
        for said, statement in found.items():
            if said in open_rows:
                open_rows[said]["last_seen_at"] = loaded_at
                continue
            stated = None if statement.price in spoken else statement.known_from
            open_rows[said] = tables.price_values(
                statement.row,
                source=f"overrides/{Path(folder.name).stem}",
                kind="contract" if statement.tenant else "manual",
                url=statement.evidence,
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            ) | {
                "tenant": statement.tenant,
                "known_from": stated or loaded_at,
                "known_to": None,
                "fetched_at": loaded_at,
                "last_seen_at": loaded_at,
            }
        spoken |= {statement.price for statement in found.values()}
    yield from open_rows.values()


def _versions(settings: Settings) -> Path:
    return settings.overrides / ".versions"


def _keep_versions(settings: Settings, present: Sequence[Path]) -> None:
    """Copy each file that is not what its last version was; a file that is gone leaves an empty one."""
    now = tables.now()
    names = {path.name: path for path in present}
    gone = {folder.name for folder in _versions(settings).glob("*") if folder.is_dir()} - set(names)
    for name in sorted(names | dict.fromkeys(gone)):
        body = names[name].read_bytes() if name in names else b""
        folder = _versions(settings) / name
        kept = sorted(folder.glob("*.yml"))
        if kept and kept[-1].read_bytes() == body:
            continue
        last = datetime.strptime(kept[-1].name.partition("-")[0], _STAMP).replace(tzinfo=UTC) if kept else now
        at = max(now, last + timedelta(microseconds=1)) if kept else now  # a clock set back changes no order
        _write(folder / f"{at.strftime(_STAMP)}-{hashlib.sha256(body).hexdigest()[:16]}.yml", body)


def _write(path: Path, body: bytes) -> None:
    """Put a file in its place whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".tmp-{secrets.token_hex(8)}")
    with beside.open("xb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
