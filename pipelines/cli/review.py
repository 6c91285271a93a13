"""`ratehouse prices review|accept|reject`: what the gates hold back, and a person's word on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import typer

from pipelines import warehouse
from pipelines.cli.session import QUARANTINED, Session, command
from pipelines.errors import BadPriceListError

Finding = Annotated[str, typer.Argument(help="A finding's id, or the first letters of it, as `prices review` shows.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]
By = Annotated[str | None, typer.Option("--by", help="Who decides; you, without it.")]


@dataclass(frozen=True, slots=True)
class Held:
    """One finding that holds something back, or did."""

    finding_id: str
    source: str
    captured_at: datetime
    gate: str
    scope: str
    message: str
    status: str
    unit_amount: Decimal | None


def register(group: typer.Typer) -> None:
    """Add the commands to the group of price commands."""
    command(group, "review", help="What the gates hold back, waiting for a decision.")(review)
    command(group, "accept", help="Let a held reading or price into the book.")(accept)
    command(group, "reject", help="Keep a held reading or price out of the book.")(reject)


def review(
    session: Session,
    everything: Annotated[bool, typer.Option("--all", help="Decided and noted findings too.")] = False,
) -> int:
    """Findings, newest capture first; exit code 3 while some wait."""
    found = [one for one in _findings(session) if everything or one.status == "waiting"]
    session.table(
        f"{len(found)} findings" if everything else f"{len(found)} findings wait for a decision",
        ("id", "captured", "source", "gate", "holds", "status", "what"),
        [
            (one.finding_id[:10], f"{one.captured_at:%Y-%m-%d %H:%M}", one.source, one.gate,
             "nothing" if one.scope == "note" else f"the {one.scope}", one.status, one.message)
            for one in found
        ],
    )  # fmt: skip
    session.emit({"findings": [{name: getattr(one, name) for name in Held.__slots__} for one in found]})
    return QUARANTINED if any(one.status == "waiting" for one in found) else 0


def accept(session: Session, finding: Finding, reason: Reason, by: By = None) -> int:
    """Accept, recorded with who, when and why; readings after it are judged again."""
    return _decide(session, finding, "accepted", reason, by)


def reject(session: Session, finding: Finding, reason: Reason, by: By = None) -> int:
    """Reject, recorded with who, when and why; the last good prices stay in force."""
    return _decide(session, finding, "rejected", reason, by)


def _decide(session: Session, given: str, verdict: str, reason: str, by: str | None) -> int:
    from pipelines.pricing import decisions, readings

    matching = {
        one.finding_id: one for one in _findings(session) if one.finding_id.startswith(given) and one.scope != "note"
    }
    if len(matching) != 1:
        many = f"{len(matching)} findings begin with" if matching else "no held finding has the id"
        raise BadPriceListError(f"{many} {given!r}; `ratehouse prices review --all` lists them")
    (one,) = matching.values()
    decision = decisions.Decision.model_validate(
        {
            "finding_id": one.finding_id,
            "verdict": verdict,
            "reason": reason,
            "decided_by": by or decisions.who(),
            "decided_at": decisions.now(),
            "source": one.source,
            "message": one.message,
            "amount": one.unit_amount,
        }
    )
    decisions.write(session.settings, decision)
    readings.read_stored_pages(session.settings)
    session.say(f"{verdict}: {one.source} {one.gate}: {one.message}")
    session.say("`ratehouse run` brings the tables up to date")
    session.emit({"decision": decision.model_dump(mode="json")})
    return 0


def _findings(session: Session) -> list[Held]:
    """Of each finding the newest capture that shows it."""
    with warehouse.reading(session.settings) as connection:
        rows = connection.execute(
            f"""
            select {", ".join(Held.__slots__)} from raw.price_findings
            qualify row_number() over (partition by finding_id order by captured_at desc, message) = 1
            order by captured_at desc, source, gate, message
            """
        ).fetchall()
    return [Held(*row) for row in rows]
