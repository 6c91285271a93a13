"""`ratehouse prices …`: what the book says, now or at any instant, and where its prices come from."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from pipelines import warehouse
from pipelines.cli import overrides, review
from pipelines.cli.group import with_default
from pipelines.cli.session import Session, command

Provider = Annotated[str, typer.Argument(help="Who sends the bill.")]
Model = Annotated[str, typer.Argument(help="The id a caller sends.")]
KnownAt = Annotated[
    str | None, typer.Option("--known-at", help="As the book stood then (ISO 8601); without it, as it stands.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=with_default("list"), help="What the price book says.")
    command(group, "list", help="Prices in force now (the default).")(list_current)
    command(group, "show", help="A model's prices in force at an instant, as known at an instant.")(show)
    command(group, "history", help="All the book ever believed of a model's prices.")(history)
    command(group, "diff", help="What the prices in force at two instants differ in.")(difference)
    command(group, "sources", help="Every source: its last good capture, its age, what waits.")(sources)
    command(app, "cost", help="What one call costs, line by line.")(cost_of_call)
    overrides.register(group)
    review.register(group)
    app.add_typer(group, name="prices")


def list_current(
    session: Session,
    provider: Annotated[str | None, typer.Argument(help="Only this provider.")] = None,
    model: Annotated[str | None, typer.Argument(help="Only this model.")] = None,
) -> int:
    """Current prices with their conditions, since when, and where they were read."""
    with warehouse.reading(session.settings) as connection:
        result = connection.execute(
            """
            select provider, model, meter, service_tier, region, context_from, currency, amount, per_quantity,
                per_unit, valid_from, evidence_kind, source_url
            from marts.prices_current
            where (provider = $1 or $1 is null) and (model = $2 or $2 is null)
            order by all
            """,
            [provider, model],
        )
        names = [column[0] for column in result.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    session.table(
        f"{len(rows)} prices in force",
        ("provider", "model", "meter", "tier", "from tokens", "amount", "per", "since", "source"),
        [
            (r["provider"], r["model"], r["meter"], r["service_tier"], f"{r['context_from']:,}", _amount(r), _per(r),
             f"{r['valid_from']:%Y-%m-%d}", r["source_url"])
            for r in rows
        ],
        right=(4, 5),
    )  # fmt: skip
    session.emit({"prices": rows})
    return 0


def show(
    session: Session,
    provider: Provider,
    model: Model,
    at: Annotated[str | None, typer.Option("--at", help="In force then (ISO 8601); without it, now.")] = None,
    known_at: KnownAt = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="With this tenant's contract prices.")] = None,
) -> int:
    """Of each price the one row whose word counts, with its conditions and its age."""
    from pipelines.pricing import book

    now = datetime.now(UTC)
    when, known = _instant(at, "--at") or now, _instant(known_at, "--known-at") or now
    with warehouse.reading(session.settings) as connection:
        name, canonical = book.resolve(connection, provider, model)
        rows = book.in_force(connection, name, canonical, at=when, known_at=known, tenant=tenant)
    session.table(
        f"{len(rows)} prices of {name} {canonical} in force at {_words(when)}, as known at {_words(known)}",
        ("meter", "conditions", "amount", "per", "since", "until", "status", "seen", "source"),
        [
            (r["meter"], _conditions(r), _amount(r), _per(r), _words(r["valid_from"]), _words(r["valid_to"]),
             r["status"], _age(known, r["last_seen_at"]), r["source"])
            for r in rows
        ],
        right=(2,),
    )  # fmt: skip
    session.emit({"provider": name, "model": canonical, "at": when, "known_at": known, "prices": rows})
    return 0


def history(session: Session, provider: Provider, model: Model, known_at: KnownAt = None) -> int:
    """Every row, by every source: when it applies, and from when until when it was believed."""
    from pipelines.pricing import book

    known = _instant(known_at, "--known-at")
    with warehouse.reading(session.settings) as connection:
        name, canonical = book.resolve(connection, provider, model)
        rows = book.history(connection, name, canonical, known_at=known)
    session.table(
        f"{len(rows)} rows of {name} {canonical}",
        ("meter", "conditions", "amount", "per", "valid from", "valid to", "known from", "known to", "status", "source",
         "id"),
        [
            (r["meter"], _conditions(r), _amount(r), _per(r), _words(r["valid_from"]), _words(r["valid_to"]),
             _words(r["known_from"]), _words(r["known_to"]), r["status"], r["source"], r["price_id"])
            for r in rows
        ],
        right=(2,),
    )  # fmt: skip
    session.emit({"provider": name, "model": canonical, "known_at": known, "prices": rows})
    return 0


def difference(
    session: Session,
    a: Annotated[str, typer.Argument(metavar="A", help="An instant (ISO 8601).")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    known_at: KnownAt = None,
    provider: Annotated[str | None, typer.Option("--provider", help="Only this provider.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Only this model.")] = None,
) -> int:
    """Prices in force at B that were not, or not so, at A, and those that are no more."""
    from pipelines.pricing import book

    first, second, known = _instant(a, "A"), _instant(b, "B"), _instant(known_at, "--known-at")
    assert first is not None
    assert second is not None
    with warehouse.reading(session.settings) as connection:
        rows = book.difference(connection, first, second, known_at=known, provider=provider, model=model)
    session.table(
        f"{len(rows)} prices differ between {_words(first)} and {_words(second)}",
        ("provider", "model", "meter", "conditions", "what", "old", "new", "currency", "since", "source"),
        [
            (r["provider"], r["model"], r["meter"], _conditions(r), r["what"],
             _scaled(r["old_unit_amount"], r["per_unit"]), _scaled(r["new_unit_amount"], r["per_unit"]),
             r["currency"], _words(r["new_valid_from"]), r["new_source"] or r["old_source"])
            for r in rows
        ],
        right=(5, 6),
    )  # fmt: skip
    session.emit({"a": first, "b": second, "known_at": known, "differences": rows})
    return 0


def cost_of_call(
    session: Session,
    provider: Provider,
    model: Model,
    counts: Annotated[list[str], typer.Argument(metavar="METER=COUNT…", help="Such as input=1200 output=300.")],
    at: Annotated[str | None, typer.Option("--at", help="When the call was made (ISO 8601); without it, now.")] = None,
    known_at: KnownAt = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="With this tenant's contract prices.")] = None,
    region: Annotated[str, typer.Option("--region", help="Where it was served.")] = "global",
    tier: Annotated[str, typer.Option("--tier", help="standard, batch, flex, priority or fast.")] = "standard",
) -> int:
    """By the rules the tables are made by; a meter without a price leaves the total unknown."""
    from pipelines.pricing import book
    from pipelines.pricing.costing import Call, cost

    when = _instant(at, "--at") or datetime.now(UTC)
    known = _instant(known_at, "--known-at")
    with warehouse.reading(session.settings) as connection:
        name, canonical = book.resolve(connection, provider, model)
        call = Call(name, canonical, when, _counts(counts), tenant, region, tier)
        found = cost(call, book.for_call(connection, call, known_at=known))
    total = "unknown" if found.total is None else f"{found.total.normalize():f} {found.currency}"
    session.table(
        f"{name} {canonical} at {_words(when)}: {total}",
        ("meter", "count", "rate", "amount", "price row", "factors"),
        [
            (line.meter, f"{line.count:,}", _plain_amount(line.rate), _plain_amount(line.amount), line.price_id or "",
             ",".join(line.factor_ids))
            for line in found.lines
        ],
        right=(1, 2, 3),
    )  # fmt: skip
    if found.unpriced_meters:
        session.say(f"no price of {', '.join(found.unpriced_meters)}")
    if found.estimated_because:
        session.say(f"estimated: {'; '.join(found.estimated_because)}")
    lines = [{field: getattr(line, field) for field in line.__slots__} for line in found.lines]
    session.emit(
        {"provider": name, "model": canonical, "at": when, "currency": found.currency, "total": found.total,
         "lines": lines, "unpriced_meters": found.unpriced_meters, "estimated_because": found.estimated_because}
    )  # fmt: skip
    return 0


def _counts(given: list[str]) -> dict[str, int]:
    from scrapers.vocabulary import METERS

    found: dict[str, int] = {}
    for word in given:
        meter, _, count = word.partition("=")
        if meter not in METERS or not count.isdecimal() or meter in found:
            raise typer.BadParameter(f"{word!r} is not METER=COUNT, such as input=1200; each meter once")
        found[meter] = int(count)
    return found


def _plain_amount(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"{amount.normalize():f}"


def sources(session: Session) -> int:
    """Where prices are read, and how well that goes."""
    from pipelines.pricing import book

    with warehouse.reading(session.settings) as connection:
        rows = book.sources(connection)
    session.table(
        f"{len(rows)} sources of prices",
        ("source", "kind", "verified", "last good capture", "age in days", "prices", "last outcome", "waiting"),
        [
            (r["source"], r["kind"], "yes" if r["is_verified"] else "no", _words(r["last_good_at"]) or "never",
             "" if r["age_days"] is None else str(r["age_days"]), "" if r["row_count"] is None else str(r["row_count"]),
             r["last_outcome"] or "never read", str(r["waiting"]))
            for r in rows
        ],
        right=(4, 5, 7),
    )  # fmt: skip
    session.emit({"sources": rows})
    return 0


def _instant(text: str | None, name: str) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{name} {text!r} is not ISO 8601, such as 2026-08-14T09:00:00Z") from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _words(instant: datetime | None) -> str:
    """To the minute where it is not a day's start."""
    if instant is None:
        return ""
    utc = instant.astimezone(UTC)
    return f"{utc:%Y-%m-%d}" if (utc.hour, utc.minute) == (0, 0) else f"{utc:%Y-%m-%dT%H:%MZ}"


def _age(known: datetime, seen: datetime | None) -> str:
    return "" if seen is None else f"{max((known - seen).days, 0)} days before"


def _conditions(row: dict[str, Any]) -> str:
    parts = [row["service_tier"]]
    if row["region"] != "global":
        parts.append(row["region"])
    if row["context_from"]:
        parts.append(f"from {row['context_from']:,} tokens")
    if row["window_name"]:
        parts.append(row["window_name"])
    if row["applies_to"]:
        parts.append(f"on {row['applies_to']}")
    return ", ".join(parts)


def _amount(row: dict[str, Any]) -> str:
    return f"{row['amount'].normalize():f} {row['currency']}"


def _per(row: dict[str, Any]) -> str:
    return f"{row['per_quantity'].normalize():,f} {row['per_unit']}"


def _scaled(amount: Decimal | None, unit: str) -> str:
    """A unit's amount for people: tokens by the million."""
    if amount is None:
        return ""
    return f"{(amount * 1_000_000).normalize():f} per 1M" if unit == "tokens" else f"{amount.normalize():f} per {unit}"
