from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from pipelines import warehouse
from pipelines.errors import WarehouseBusyError, WarehouseMissingError, WarehouseUnreadableError
from pipelines.settings import Settings

HOLD = "import sys; from filelock import FileLock; lock = FileLock(sys.argv[1]); lock.acquire(); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home", threads=2, memory_limit="1GB", lock_timeout_seconds=0.05)


def test_a_second_writer_is_told_who_writes_and_soon(settings):
    settings.create_home()
    (settings.root / "warehouse.holder").write_text("4711")
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(settings.root / "warehouse.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with other:
        assert other.stdout.readline() == b"held\n"
        started = time.monotonic()
        with pytest.raises(WarehouseBusyError, match=r"pid 4711.* more than 0\.05 s"), warehouse.writing(settings):
            pytest.fail("two writers")
        assert time.monotonic() - started < 2
        other.kill()  # the lock of a killed writer is nobody's
    with warehouse.writing(settings) as connection:
        connection.execute("create table raw.t as select 1 as x")


def test_a_second_writer_in_another_thread_waits_as_well(settings):
    outcome = []

    def write():
        try:
            with warehouse.writer_lock(settings):
                outcome.append("wrote")
        except WarehouseBusyError:
            outcome.append("busy")

    with warehouse.writer_lock(settings):
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(5)
    assert outcome == ["busy"]


def test_reading_while_another_process_writes_says_busy(settings):
    with warehouse.writing(settings):
        pass
    code = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(settings.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(WarehouseBusyError, match="open in another process"), warehouse.reading(settings):
            pytest.fail("read beside a writer")
        other.kill()


def test_there_is_no_warehouse_before_the_first_run(settings):
    told = r"no warehouse at .*warehouse\.duckdb; run `ratehouse run`"
    with pytest.raises(WarehouseMissingError, match=told), warehouse.reading(settings):
        pytest.fail("read nothing")
    assert not settings.root.exists()


def test_a_table_that_is_not_there_yet_is_named(settings):
    with warehouse.writing(settings):
        pass
    told = r"prices_current.*ratehouse run"
    with pytest.raises(WarehouseMissingError, match=told), warehouse.reading(settings) as connection:
        connection.execute("select * from marts.prices_current")


def _damage(body: bytes, kind: str) -> bytes:
    return {
        "other file": b"x" * 5000,
        "empty": b"",
        "header": body[:4096] + b"\xff" * 8192 + body[12288:],  # its message speaks of a block
        "cut": body[:9000],
    }[kind]


@pytest.mark.parametrize("kind", ["other file", "empty", "header", "cut"])
def test_a_damaged_file_is_told_apart_from_a_busy_one(settings, kind):
    with warehouse.writing(settings) as connection:
        connection.execute("create table raw.t as select range as x, md5(range::varchar) as y from range(50000)")
    settings.database.write_bytes(_damage(settings.database.read_bytes(), kind))
    for open_ in (warehouse.reading, warehouse.writing):
        told = r"warehouse\.duckdb cannot be opened .*--rebuild"
        with pytest.raises(WarehouseUnreadableError, match=told), open_(settings):
            pytest.fail("opened")


def test_what_is_written_is_there_and_a_reader_cannot_write(settings):
    with warehouse.writing(settings) as connection:
        connection.execute("create table raw.t as select 1 as x")
    with warehouse.reading(settings) as connection:
        assert connection.execute("select x from raw.t").fetchall() == [(1,)]
        with pytest.raises(Exception, match="read-only"):
            connection.execute("insert into raw.t values (2)")
