"""Dated price lists into `raw.price_statements`: the bundled list of the sample's and older models.

Belongs here: reading and validating lists whose rows carry their own time and source. Does not belong
here: prices observed on pages (`readings.py`); those are never edited by a list, they stand beside it.
"""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipelines import warehouse
from pipelines.errors import BadPriceListError
from pipelines.pricing import tables
from pipelines.settings import Settings
from scrapers.prices import PriceRow

BUNDLED = Path(__file__).with_name("bundled.csv")
_COLUMNS = ("provider", "model", "meter", "service_tier", "region", "context_from", "context_inclusive", "currency",
            "amount", "per", "valid_from", "valid_to", "source_url", "read_on", "note")  # fmt: skip
# Columns a price row reads by itself; instants are not among them: it would take 20240718 for seconds since 1970.
_OWN = ("provider", "model", "meter", "service_tier", "region", "context_from", "context_inclusive", "currency",
        "amount")  # fmt: skip


def read(path: Path = BUNDLED, source: str = "bundled") -> list[dict[str, Any]]:
    """Every row of a dated list as values of `raw.price_statements`.

    Raises BadPriceListError with the line and the field at fault; a bad row sinks the list, since a
    price book with a hole nobody saw is worse than none.
    """
    try:
        body = path.read_bytes()
        text = body.decode("utf-8")
    except OSError as error:
        raise BadPriceListError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise BadPriceListError(f"{path} line {line}: is not UTF-8 text") from error
    digest = hashlib.sha256(body).hexdigest()
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise BadPriceListError(f"{path}: the header must be {','.join(_COLUMNS)}")
        return [_row(path, reader.line_num, line, source, digest) for line in reader]
    except csv.Error as error:
        raise BadPriceListError(f"{path} line {reader.line_num}: {error}") from error


def _row(path: Path, number: int, line: dict[str, str], source: str, digest: str) -> dict[str, Any]:
    if None in line or None in line.values():  # what DictReader makes of too many fields, and of too few
        raise BadPriceListError(f"{path} line {number}: there must be {len(_COLUMNS)} fields")
    field = "read_on"
    try:
        known_from = datetime.strptime(line[field], "%Y-%m-%d").replace(tzinfo=UTC)
        instants = {}
        for field in ("valid_from", "valid_to"):
            instants[field] = datetime.fromisoformat(line[field]) if line[field] else None
    except ValueError as error:
        raise BadPriceListError(f"{path} line {number}: {field}: {error}") from error
    quantity, _, unit = line["per"].partition(" ")
    own = {field: line[field] for field in _OWN}
    given = {
        "model_label": line["model"],
        "per": {"quantity": quantity, "unit": unit},
        "valid_from_basis": "stated",
        "where": f"{path.name} line {number}",
        "text": line["note"] or line["amount"],
    }
    try:
        row = PriceRow.model_validate(own | given | instants)
    except ValidationError as error:
        first = error.errors()[0]
        # A rule over several fields has no place of its own; its words name the field.
        field = ".".join(str(part) for part in first["loc"])
        words = first["msg"].removeprefix("Value error, ")
        raise BadPriceListError(f"{path} line {number}: {field}{': ' if field else ''}{words}") from error
    return tables.price_values(row, source=source, kind="manual", url=line["source_url"], sha256=digest) | {
        "known_from": known_from,
        "fetched_at": known_from,
        "last_seen_at": known_from,
    }


def load(settings: Settings, path: Path = BUNDLED, source: str = "bundled") -> int:
    """Make `raw.price_statements` hold exactly this list's rows for its source; returns how many."""
    rows = read(path, source)
    with warehouse.writing(settings) as connection:
        tables.create(connection)
        connection.begin()
        connection.execute("delete from raw.price_statements where source = ?", [source])
        tables.insert(connection, "raw.price_statements", rows)
        connection.commit()
    return len(rows)
