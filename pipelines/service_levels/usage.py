"""What was used, over any window, zone and grouping.

Belongs here: the one query over `marts.usage_15m`. Does not belong here: windows and groups themselves
(`windows.py`), the sums (dbt's macro `usage_sums`, rendered here as it is).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipelines.logs.canonical import METER_COLUMNS
from pipelines.service_levels import macros

if TYPE_CHECKING:
    import duckdb

    from pipelines.service_levels.windows import Question

COLUMNS: Final = (*macros.listed("quarter_hours", "attributions"), "status", "error_class")


def usage(connection: duckdb.DuckDBPyConnection, question: Question) -> list[dict[str, Any]]:
    """One row per group, in the groups' order: attempts, requests, users, every meter and `cost_usd`, exact.

    Without groups one row of everything; a window without calls has no rows. `cost_usd` is null where nothing billed
    could be priced; `unpriced_count` says what it leaves out.
    """
    condition, values = question.condition()
    groups = question.groups()
    named = "".join(f"{sql} as {name}, " for name, sql in groups.items())
    result = connection.execute(
        f"select {named}{macros.rendered('quarter_hours', 'usage_sums', list(METER_COLUMNS.items()))}"
        f" from marts.usage_15m where {condition}"
        f" group by {', '.join(str(n + 1) for n in range(len(groups))) or '()'} having count(*) > 0"
        f" order by {', '.join(f'{n + 1} nulls last' for n in range(len(groups))) or '1'}",
        values,
    )
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
