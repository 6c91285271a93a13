"""`ratehouse prices overrides …`: the contract prices and corrections the house states itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.session import Session, command

if TYPE_CHECKING:
    from pipelines.pricing.overrides import Statement


def register(group: typer.Typer) -> None:
    """Add the commands to the group `prices`."""
    own = typer.Typer(no_args_is_help=True, help="Contract prices, discounts and corrections in the home's overrides/.")
    command(own, "check", help="Say what the files state, or what is wrong with them; nothing is written.")(check)
    group.add_typer(own, name="overrides")


def check(
    session: Session,
    file: Annotated[Path | None, typer.Argument(help="One file; without it, all in the home's overrides/.")] = None,
) -> int:
    """The statements of one file or of all; a bad one ends with its file, line and field."""
    from pipelines.pricing import overrides

    paths = [file] if file else overrides.files(session.settings)
    statements = overrides.check(paths)
    session.table(
        f"{len(statements)} statements in {file or session.settings.overrides}",
        ("file", "kind", "tenant", "provider", "model", "meter", "tier", "region", "amount", "per", "from", "to"),
        [_cells(one) for one in statements],
        right=(8,),
    )
    session.emit({"statements": [_values(one) for one in statements]})
    return 0


def _cells(one: Statement) -> tuple[str, ...]:
    row = one.row
    amount = f"{row.amount:f}" if row.meter == "multiplier" else f"{row.amount:f} {row.currency}"
    meter = f"{row.meter} of {', '.join(row.applies_to) or 'all'}" if row.meter == "multiplier" else row.meter
    return (
        f"{one.path.name}:{one.line}", "contract" if one.tenant else "correction", one.tenant or "", row.provider,
        row.model, meter, row.service_tier, row.region, amount, str(row.per), f"{row.valid_from:%Y-%m-%d %H:%M}",
        f"{row.valid_to:%Y-%m-%d %H:%M}" if row.valid_to else "",
    )  # fmt: skip


def _values(one: Statement) -> dict[str, Any]:
    row = one.row.model_dump(exclude={"where", "valid_from_basis", "status", "model_label", "per"})
    return {
        "file": one.path,
        "line": one.line,
        "kind": "contract" if one.tenant else "correction",
        "tenant": one.tenant,
        **row,
        "per": str(one.row.per),
        "evidence": one.evidence,
        "known_from": one.known_from,
    }
