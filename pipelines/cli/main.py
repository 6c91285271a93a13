"""The command tree, assembled. Belongs here: which commands there are. Does not belong here: what they do."""

from __future__ import annotations

import typer

from pipelines.cli import analysis, forecasting, house, logs, prices, scraping, service_levels

app = typer.Typer(
    name="ratehouse",
    help="The price book, cost ledger and service-level warehouse for LLM traffic.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
forecasting.register(app)
analysis.register(app)
house.register(app)
logs.register(app)
prices.register(app)
scraping.register(app)
service_levels.register(app)


def main() -> None:
    """The `ratehouse` program."""
    app()
