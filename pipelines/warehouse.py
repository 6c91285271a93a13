"""The only opener of the database, and the lock that keeps one writer at a time.

Belongs here: connecting, the engine's settings, the writer's lock, the raw tables' definitions being
applied. Does not belong here: what is written.

A DuckDB writer shuts out every other process, readers too, and says so with an engine error. So a
writer first takes a file lock (filelock: released by the kernel when a process dies, kill -9 too) and
whoever waits is told who holds it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb
from filelock import FileLock, Timeout

from pipelines.errors import WarehouseBusyError, WarehouseMissingError, WarehouseUnreadableError

if TYPE_CHECKING:
    from pipelines.settings import Settings

SCHEMAS = ("raw", "staging", "intermediate", "marts")

# Of new files: the newest storage writes text a third faster (calls: 2.8 against 3.8 s of a core for a million).
_STORAGE = {"storage_compatibility_version": "latest"}


@contextmanager
def writer_lock(settings: Settings) -> Iterator[None]:
    """Hold the right to write. Raises WarehouseBusyError naming the holder after the set time."""
    settings.create_home()
    lock = FileLock(settings.root / "warehouse.lock")
    holder = settings.root / "warehouse.holder"
    try:
        with lock.acquire(timeout=settings.lock_timeout_seconds):
            holder.write_text(str(os.getpid()))
            yield
    except Timeout as error:
        who = holder.read_text() if holder.exists() else "unknown"
        raise WarehouseBusyError(
            f"another process (pid {who}) has been writing to {settings.database} for more than "
            f"{settings.lock_timeout_seconds:g} s; wait for it, or stop it, and run this again"
        ) from error


@contextmanager
def writing(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that may write, alone; schemas exist. Closed in every case (Dagster's own DuckDB
    resource leaks its connection when an asset raises)."""
    with writer_lock(settings), _connect(settings, read_only=False) as connection:
        for schema in SCHEMAS:
            connection.execute(f"create schema if not exists {schema}")
        yield connection


@contextmanager
def reading(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that only reads. Raises WarehouseMissingError before the first run, and where a table
    asked for is not there yet."""
    if not settings.database.exists():
        raise WarehouseMissingError(f"there is no warehouse at {settings.database}; run `ratehouse run` first")
    with _connect(settings, read_only=True) as connection:
        try:
            yield connection
        except duckdb.CatalogException as error:
            raise WarehouseMissingError(
                f"{settings.database} lacks what is asked for ({str(error).splitlines()[0]}); run `ratehouse run` first"
            ) from error


@contextmanager
def engine(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory connection with the same settings, for work on files alone."""
    with _tuned(duckdb.connect(":memory:"), settings) as connection:
        yield connection


@contextmanager
def _connect(settings: Settings, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        connection = duckdb.connect(str(settings.database), read_only=read_only, config={**_STORAGE})
    except (duckdb.IOException, duckdb.SerializationException) as error:
        # Not "lock" alone: a damaged file's message speaks of a block.
        if "set lock" in str(error):
            raise WarehouseBusyError(
                f"{settings.database} is open in another process; wait for it, or read the published files instead"
            ) from error
        raise WarehouseUnreadableError(
            f"{settings.database} cannot be opened ({str(error).splitlines()[0]}); move it away and run "
            "`ratehouse run --rebuild`: everything in it is rebuilt from the landed files"
        ) from error
    with _tuned(connection, settings) as tuned:
        yield tuned


@contextmanager
def _tuned(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        settings.tmp.mkdir(parents=True, exist_ok=True)
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set autoinstall_known_extensions = false")
        connection.execute(f"set memory_limit = '{settings.memory_limit}'")
        connection.execute(f"set threads = {settings.threads}")
        connection.execute(f"set temp_directory = '{settings.tmp}'")
        connection.execute("set preserve_insertion_order = false")
        connection.execute("set enable_progress_bar = false")
        yield connection
    finally:
        connection.close()
