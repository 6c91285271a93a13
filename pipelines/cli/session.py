"""What every command shares: home, output for people or machines, errors, exit codes.

Belongs here: `command`, which turns a plain function into a command with the common options, and
`Session`, what it is given. Does not belong here: any single command.

Exit codes: 0 done, 1 failed, 2 bad usage, 3 done but some input was quarantined, 130 interrupted.
"""

from __future__ import annotations

import inspect
import json
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol

import typer
from rich.console import Console
from rich.table import Table

from pipelines.errors import RatehouseError
from reports.errors import ReportError
from scrapers.errors import ScrapeError
from serving.errors import ServingError

if TYPE_CHECKING:
    from pipelines.settings import Settings

KNOWN_ERRORS: Final = (RatehouseError, ScrapeError, ReportError, ServingError)
QUARANTINED: Final = 3

Home = Annotated[Path | None, typer.Option("--home", help="Where the data lives (or RATEHOUSE_HOME).")]
Json = Annotated[bool, typer.Option("--json", help="Print machine output: one JSON object.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


class Report(Protocol):
    """Tells a person how far long work is; `done` of `total` where they are known."""

    def __call__(self, stage: str, done: int | None = None, total: int | None = None) -> None: ...


def _console(*, stderr: bool = False) -> Console:
    """Words as they are: a file named `[b].jsonl` is neither markup nor an emoji."""
    return Console(stderr=stderr, soft_wrap=True, markup=False, highlight=False, emoji=False)


@dataclass(slots=True)
class Session:
    """One run of one command."""

    settings: Settings
    is_json: bool
    console: Console = field(default_factory=_console)
    progress: Console = field(default_factory=lambda: _console(stderr=True))

    def say(self, words: str) -> None:
        """A line for people; silent under --json."""
        if not self.is_json:
            self.console.print(words)

    def table(
        self, title: str, header: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()
    ) -> None:
        """A table on a terminal, tab-separated lines in a pipe; silent under --json."""
        if self.is_json:
            return
        if not self.console.is_terminal:
            self.console.print(f"# {title}")
            for row in (header, *rows):
                sys.stdout.write("\t".join(row) + "\n")  # a console would make blanks of the tabs
            return
        drawn = Table(title=title, title_justify="left", header_style="bold")
        for index, name in enumerate(header):
            drawn.add_column(name, justify="right" if index in right else "left")
        for row in rows:
            drawn.add_row(*row)
        self.console.print(drawn)

    def emit(self, content: Any) -> None:
        """The machine's answer, only under --json."""
        if self.is_json:
            sys.stdout.write(json.dumps(content, default=plain, ensure_ascii=False, indent=1) + "\n")

    @contextmanager
    def working(self, total: int | None = None) -> Iterator[Report]:
        """Progress of long work: a bar on a terminal, a plain line per stage elsewhere, on stderr.

        Gives `report(stage, done, total)`; done and total may be None.
        """
        if self.progress.is_terminal:
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            with Progress(*columns, console=self.progress, transient=True) as bar:
                task = bar.add_task("", total=total)

                def report(stage: str, done: int | None = None, total: int | None = None) -> None:
                    bar.update(task, description=stage, completed=done, total=total)

                yield report
        else:
            told: set[str] = set()

            def tell(stage: str, done: int | None = None, total: int | None = None) -> None:
                del done, total  # a pipe gets a line per stage, not a bar
                if stage not in told:
                    told.add(stage)
                    self.progress.print(stage)

            yield tell


def plain(value: Any) -> Any:
    """Values JSON has no word for: exact decimals as text, instants and days as ISO text."""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date | Path):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def command(app: typer.Typer, name: str, **options: Any) -> Callable[[Callable[..., int | None]], Callable[..., None]]:
    """Register a function of (session, …) as a command: the common options are added and errors become words."""

    def register(function: Callable[..., int | None]) -> Callable[..., None]:
        hints = typing.get_type_hints(function, include_extras=True)
        own = [p.replace(annotation=hints[p.name]) for p in inspect.signature(function).parameters.values()][1:]
        common = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, default, annotation in (("home", None, Home), ("json_", False, Json), ("debug", False, Debug))
        ]

        @wraps(function)
        def run(**given: Any) -> None:
            from pipelines import settings as settings_module

            home, is_json, debug = given.pop("home"), given.pop("json_"), given.pop("debug")
            try:
                session = Session(settings_module.load(home), is_json)
                code = function(session, **given)
            except KNOWN_ERRORS as error:
                if debug:
                    raise
                _fail(error.name, str(error), is_json=is_json)
            except (typer.Exit, typer.BadParameter):
                raise  # typer words wrong usage itself, and exits with 2
            except KeyboardInterrupt:
                _fail("interrupted", "interrupted; what was committed stays", is_json=is_json, code=130)
            except Exception as error:
                if debug:
                    raise
                words = f"{type(error).__name__}: {error}; this is a defect, run again with --debug to see where"
                _fail("unexpected_error", words, is_json=is_json)
            else:
                raise typer.Exit(code or 0)

        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what typer reads
            [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + common
        )
        run.__annotations__ = {p.name: p.annotation for p in [*own, *common]}
        del run.__wrapped__  # else the signature below it is read instead
        app.command(name, **options)(run)
        return run

    return register


def _fail(name: str, words: str, *, is_json: bool, code: int = 1) -> None:
    if is_json:
        sys.stdout.write(json.dumps({"error": {"name": name, "message": words}}, ensure_ascii=False) + "\n")
    else:
        _console(stderr=True).print(f"error ({name}): {words}")
    raise typer.Exit(code)
