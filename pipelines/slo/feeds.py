"""What providers say of themselves: minutes of outage per service and day, from their status pages.

Belongs here: reading such a table (CSV or Parquet) into `raw.provider_outages`, and the availability it states.
Does not belong here: fetching status pages, our own measurements (dbt: `provider_availability_daily` puts the two
side by side).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from pipelines import warehouse
from pipelines.errors import RatehouseError

if TYPE_CHECKING:
    from pipelines.settings import Settings

OUTAGE_COLUMNS: Final = {
    "provider": "VARCHAR",
    "service": "VARCHAR",
    "occurred_on": "DATE",
    "partial_outage_minutes": "DOUBLE",
    "major_outage_minutes": "DOUBLE",
}
NEEDED: Final = ("provider", "service", "date", "partial_outage_minutes", "major_outage_minutes")


class BadFeedError(RatehouseError):
    """A provider's incident feed cannot be taken; the message says what is missing or wrong."""

    name = "bad_feed"


def ensure_table(settings: Settings) -> int:
    """Make `raw.provider_outages`, empty, where there is none; returns its rows."""
    with warehouse.writing(settings) as connection:
        _ensure(connection)
        (count,) = connection.execute("select count(*) from raw.provider_outages").fetchone() or (0,)
    return int(count)


def _ensure(connection: duckdb.DuckDBPyConnection) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in OUTAGE_COLUMNS.items())
    connection.execute(f"create table if not exists raw.provider_outages ({columns})")


def load(settings: Settings, file: Path) -> int:
    """Take a feed: its days replace what was known of the same provider, service and day. Returns its rows.

    Columns, whatever their case: provider, service, date, partial_outage_minutes, major_outage_minutes; others are
    left. Raises BadFeedError; nothing is written then.
    """
    with warehouse.writing(settings) as connection:
        _ensure(connection)
        connection.begin()
        with _readable(connection, file):
            connection.execute(
                "delete from raw.provider_outages as known using feed where known.provider = feed.provider"
                " and known.service = feed.service and known.occurred_on = feed.occurred_on"
            )
            connection.execute("insert into raw.provider_outages by name select * from feed")
            (count,) = connection.execute("select count(*) from feed").fetchone() or (0,)
        connection.commit()
    return int(count)


@contextmanager
def _readable(connection: duckdb.DuckDBPyConnection, file: Path) -> Iterator[None]:
    """The file's rows as a table `feed`, checked, while inside."""
    if not file.is_file():
        raise BadFeedError(f"{file} does not exist, or is no file")
    reader = "read_parquet" if file.suffix == ".parquet" else "read_csv"
    path = str(file).replace("'", "''")
    try:
        names = {str(row[0]).lower() for row in connection.execute(f"describe from {reader}('{path}')").fetchall()}
        missing = [name for name in NEEDED if name not in names]
        if missing:
            raise BadFeedError(f"{file} lacks the column {missing[0]!r}; it needs {', '.join(NEEDED)}")
        connection.execute(
            "create temporary table feed as select provider, service, cast(date as date) as occurred_on,"
            " cast(partial_outage_minutes as double) as partial_outage_minutes,"
            f" cast(major_outage_minutes as double) as major_outage_minutes from {reader}('{path}')"
        )
    except duckdb.Error as error:
        raise BadFeedError(f"{file} cannot be read: {str(error).splitlines()[0]}") from error
    wrong = connection.execute(
        "select provider, service, occurred_on from feed group by all having count(*) > 1 or bool_or(coalesce("
        "least(partial_outage_minutes, major_outage_minutes) < 0 or greatest(partial_outage_minutes,"
        " major_outage_minutes) > 1440 or partial_outage_minutes is null or major_outage_minutes is null, true))"
        " or provider is null or service is null or occurred_on is null limit 1"
    ).fetchone()
    if wrong:
        raise BadFeedError(
            f"{file}: {wrong[0]} {wrong[1]} on {wrong[2]} is there twice, or has no minutes between 0 and 1,440"
        )
    yield
    connection.execute("drop table feed")
