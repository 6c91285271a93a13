"""The SQL macros of the dbt project, for questions asked outside it: one text for tables and answers.

Belongs here: rendering a macro of one file. Does not belong here: any SQL.
"""

from __future__ import annotations

from typing import Any

from jinja2 import Environment

from pipelines.settings import PROJECT_ROOT

MACROS = PROJECT_ROOT / "dbt_project" / "macros"


def rendered(file: str, macro: str, *arguments: Any) -> str:
    """The SQL a macro of `macros/<file>.sql` gives; the file's macros may call each other and no others."""
    return str(_called(file, macro, arguments)[0])


def listed(file: str, macro: str) -> list[Any]:
    """The list a macro returns."""
    return list(_called(file, macro, ())[1])


def _called(file: str, macro: str, arguments: tuple[Any, ...]) -> tuple[str, Any]:
    """What a macro writes, and what it gives to `return`, the one word of dbt's own these macros use."""
    returned: list[Any] = [None]
    text = (MACROS / f"{file}.sql").read_text(encoding="utf-8")
    environment = Environment(autoescape=False)  # noqa: S701  # SQL, no page
    module = environment.from_string(text, {"return": returned.append}).module
    return getattr(module, macro)(*arguments), returned[-1]
