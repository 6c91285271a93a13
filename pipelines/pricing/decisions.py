"""What people decided about held readings and prices: one small file each, never changed, never removed.

Belongs here: writing a decision and reading them all. Does not belong here: what is held and why
(`gates.py`), or what follows from a decision (`verdicts.py`).

Files, because the warehouse can be thrown away and rebuilt and a person's word cannot.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.errors import BadPriceListError
from pipelines.settings import Settings
from scrapers.prices import Instant


class Decision(BaseModel):
    """Accept or reject one held reading, or one held price of a source wherever it is read again.

    `finding_id` is what was decided on: a reading's finding names the reading and the gate; a price's names
    the source, the price and its amount, so that the next capture of the same price needs no new decision.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    finding_id: Annotated[str, Field(min_length=8)]
    verdict: Literal["accepted", "rejected"]
    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    decided_by: Annotated[str, Field(min_length=1, max_length=200)]
    decided_at: Instant
    source: str
    message: str  # what the gate had said
    amount: Decimal | None = None  # per unit, of a held price

    @property
    def decision_id(self) -> str:
        """Names the decision: the same words about the same thing at the same instant are one."""
        words = f"{self.finding_id}|{self.verdict}|{self.decided_at.isoformat()}|{self.decided_by}"
        return hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()


def folder(settings: Settings) -> Path:
    """Where decisions are kept: beside the pages they are about."""
    return settings.pages / "decisions"


def write(settings: Settings, decision: Decision) -> Path:
    """Keep a decision; whole or not at all."""
    place = folder(settings)
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{decision.decided_at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{decision.decision_id[:12]}.json"
    beside = path.with_suffix(f".{os.getpid()}")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(decision.model_dump(mode="json"), file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return path


def read(settings: Settings) -> list[Decision]:
    """Every decision, in the order of time. Raises BadPriceListError naming a file that is none."""
    found = []
    for path in sorted(folder(settings).glob("*.json")):
        try:
            found.append(Decision.model_validate_json(path.read_bytes()))
        except (OSError, ValidationError) as error:
            raise BadPriceListError(f"{path} is not a decision ({error}); restore it, or move it away") from error
    return sorted(found, key=lambda decision: (decision.decided_at, decision.decision_id))


def standing(settings: Settings) -> dict[str, Decision]:
    """The last word on each finding."""
    return {decision.finding_id: decision for decision in read(settings)}


def who() -> str:
    """The name of the person running this, as the system knows them."""
    return pwd.getpwuid(os.getuid()).pw_name


def now() -> datetime:
    """The instant of a decision, UTC."""
    return datetime.now(UTC)
