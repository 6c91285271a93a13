"""Rows per second and peak memory of every stage, each beside the plain engine doing the like in this run.

Belongs here: measuring. Does not belong here: passing or failing; machines are noisy, so what counts is
the ratio of two runs of the same minute. Each stage runs in a process of its own, so that its peak
memory is its own. Run it with `make bench`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import resource
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pipelines import dbt, warehouse
from pipelines.forecasting import daily
from pipelines.logs import loading
from pipelines.pricing import statements
from pipelines.sample import generate
from pipelines.settings import Settings, load
from pipelines.slo import documents, feeds
from reports import exports, publication

REQUESTS = 300
CLIENTS, POSTS, PER_POST = 8, 50, 100  # of the collector


def _in_child(work: Callable[..., Any], arguments: tuple[Any, ...], answer: Any) -> None:
    begun = time.perf_counter()
    work(*arguments)
    own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    answer.put((time.perf_counter() - begun, max(own, children) / 1024))


def measured(work: Callable[..., Any], *arguments: Any) -> tuple[float, float]:
    """Seconds and peak MB of one piece of work in a fresh process."""
    context = multiprocessing.get_context("spawn")
    answer: Any = context.Queue()
    child = context.Process(target=_in_child, args=(work, arguments, answer))
    child.start()
    child.join()
    if child.exitcode:
        raise SystemExit(f"{work.__name__} failed; its own words are above")
    seconds, megabytes = answer.get()
    return seconds, megabytes


def ingest(settings: Settings, files: list[Path]) -> None:
    """Land, check, deduplicate, load."""
    loading.ingest(settings, files)


def read_alone(settings: Settings, folder: Path) -> None:
    """The engine reading the same files into Parquet, types given, nothing checked."""
    usage = "struct(prompt_tokens bigint, completion_tokens bigint, total_tokens bigint, reasoning_tokens bigint, "
    usage += "cache_read_tokens bigint, cache_creation_tokens bigint)"
    text = ("request_id", "tenant", "project", "team", "user_id", "api_key_id", "session_id", "region", "operation",
            "provider_id", "model_id", "model_requested", "status", "error_code")  # fmt: skip
    number = (
        "attempt",
        "http_status",
        "ttft_ms",
        "execution_latency_ms",
        "translation_latency_ms",
        "micro_retry_count",
    )
    columns = {"timestamp": "timestamptz", "usage": usage, "stream": "boolean"}
    columns |= dict.fromkeys(text, "varchar") | dict.fromkeys(number, "bigint")
    with warehouse.engine(settings) as connection:
        connection.execute(
            f"copy (select * from read_json('{folder}/*.jsonl', format='newline_delimited', columns={columns}))"
            f" to '{settings.tmp}/floor.parquet' (format parquet)"
        )


def build(settings: Settings, *models: str) -> None:
    """Build models with dbt, parsing left out by the manifest made before."""
    with warehouse.writer_lock(settings):
        dbt.run(settings, "run", "--select", *models)


def query(settings: Settings, sql: str) -> None:
    """One statement on the warehouse, written to Parquet."""
    with warehouse.reading(settings) as connection:
        connection.execute(f"copy ({sql}) to '{settings.tmp}/floor.parquet' (format parquet)")


def export(settings: Settings) -> None:
    """The largest mart as Parquet, sorted and hashed."""
    with warehouse.reading(settings) as connection:
        exports.export(connection, "cost_calls", "parquet", settings.tmp / "cost_calls.parquet")


def serving(published: str, port: int) -> None:
    """The pricing API."""
    from serving.server import serve

    serve(Path(published), "127.0.0.1", port)


def plain_server(folder: str, port: int) -> None:
    """The standard library's file server over the same bytes."""
    import functools
    import http.server

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing: the table is the output."""

    handler = functools.partial(Quiet, directory=folder)
    http.server.ThreadingHTTPServer(("127.0.0.1", port), handler).serve_forever()


def requests_per_second(server: Callable[..., None], folder: str, port: int, path: str) -> float:
    """Requests a second of one client, one after the other, over loopback."""
    child = multiprocessing.get_context("spawn").Process(target=server, args=(folder, port))
    child.start()
    url = f"http://127.0.0.1:{port}{path}"
    try:
        await_answer(url)
        begun = time.perf_counter()
        for _ in range(REQUESTS):
            urllib.request.urlopen(url, timeout=5).read()
        return REQUESTS / (time.perf_counter() - begun)
    finally:
        child.terminate()
        child.join()


def collecting(folder: str, port: int) -> None:
    """The collector, with the API it lives in."""
    from serving.collector import Collecting
    from serving.server import serve

    serve(Path(folder), "127.0.0.1", port, Collecting(Path(folder) / "collected"))


def bodies(client: int) -> list[bytes]:
    """Posts of one client, no two records alike."""
    usage = {"prompt_tokens": 900, "completion_tokens": 120, "total_tokens": 1020}
    call = {"provider_id": "openai", "model_id": "gpt-4o-mini", "execution_latency_ms": 800, "usage": usage}
    record = {"timestamp": "2026-11-01T10:00:00Z", "tenant": "acme", "prompt": "x" * 100, "execution_metadata": call}
    return [
        b"".join(
            json.dumps(record | {"request_id": f"{client}-{post}-{number}"}).encode() + b"\n"
            for number in range(PER_POST)
        )
        for post in range(POSTS)
    ]


def post_all(port: int, mine: list[bytes], took: list[float]) -> None:
    """Post one after the other and note how long each waited for its acknowledgement, in seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for body in mine:
        begun = time.perf_counter()
        connection.request("POST", "/v1/logs", body, {"Content-Type": "application/x-ndjson"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 202:
            raise SystemExit(f"the collector answered {answer.status}")
        took.append(time.perf_counter() - begun)


def collected_per_second(folder: Path, port: int) -> tuple[float, float, float]:
    """Records a second acknowledged, the 99th percentile of the wait in seconds, and the floor's records a second.

    The floor writes the same bytes, a file and two syncs for each post, one after the other, reading nothing.
    """
    child = multiprocessing.get_context("spawn").Process(target=collecting, args=(str(folder), port))
    child.start()
    posts = [bodies(client) for client in range(CLIENTS)]
    took: list[float] = []
    try:
        await_answer(f"http://127.0.0.1:{port}/healthz")
        threads = [threading.Thread(target=post_all, args=(port, mine, took)) for mine in posts]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - begun
    finally:
        child.terminate()
        child.join()
    begun = time.perf_counter()
    handle = os.open(folder, os.O_RDONLY)
    for number, body in enumerate(body for mine in posts for body in mine):
        with (folder / f"floor-{number}").open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.fsync(handle)
    os.close(handle)
    floor = time.perf_counter() - begun
    records = CLIENTS * POSTS * PER_POST
    return records / seconds, sorted(took)[len(took) * 99 // 100], records / floor


def await_answer(url: str) -> None:
    """Wait for a server to answer."""
    for _ in range(100):
        try:
            urllib.request.urlopen(url, timeout=5).read()
            break
        except OSError:
            time.sleep(0.1)


JOIN = """
    select calls.event_id, cast(cards.input_rate as double) * calls.input_tokens as cost
    from raw.calls as calls inner join intermediate.int_prices__rate_cards as cards
        on calls.provider = cards.provider and calls.model_served = cards.model
        and calls.occurred_at >= cards.valid_from and calls.occurred_at < cards.valid_to and cards.tokens_from = 0
"""
ROLL_UP = """
    select date_trunc('hour', occurred_at) as hour_at, provider, model_served, count(*) as calls,
        sum(input_tokens) as input_tokens, quantile_cont(latency_ms, [0.5, 0.9, 0.95, 0.99]) as latency
    from raw.calls group by all
"""


def main() -> None:
    """Run every stage once and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        settings = load(Path(folder) / "home")
        settings.create_home()
        sample = Path(folder) / "sample"
        files = generate(sample, rows=rows, days=30, seed=1, format_name="ailib")
        read_alone(settings, sample)  # the page cache drops when idle: both sides read warm files
        alone = measured(read_alone, settings, sample)
        results = [("ingest", measured(ingest, settings, files), alone)]
        results.append(("the same again", measured(ingest, settings, files), alone))
        day = Path(folder) / "day"
        (later,) = generate(day, rows=max(rows // 30, 1), days=1, seed=2, format_name="ailib")
        results.append(("one more day", measured(ingest, settings, [later]), measured(read_alone, settings, day)))
        statements.load(settings)
        documents.load(settings)
        daily.ensure_table(settings)
        feeds.ensure_table(settings)
        dbt.manifest(settings)
        with warehouse.writer_lock(settings):
            dbt.run(settings, "build", "--exclude-resource-type", "test", "unit_test")
        roll_ups = (
            "cost_daily",
            "usage_15m",
            "usage_daily",
            "latency_hourly",
            "int_slo__events",
            "slo_attainment_daily",
        )
        start_up = measured(build, settings, "prices_current")[0]  # what dbt takes to do next to nothing
        results += [
            ("costing", measured(build, settings, "cost_calls"), measured(query, settings, JOIN)),
            ("roll-ups", measured(build, settings, *roll_ups), measured(query, settings, ROLL_UP)),
            ("export", measured(export, settings), measured(query, settings, "select * from marts.cost_calls")),
        ]
        with warehouse.reading(settings) as connection:
            snapshot = publication.publish(connection, settings.published)
        served = requests_per_second(serving, str(settings.published), 18787, "/v1/snapshots/current")
        plain = requests_per_second(plain_server, str(snapshot.folder), 18788, "/prices.json")
        spool = Path(folder) / "collecting"
        spool.mkdir()
        collected, waited, bare = collected_per_second(spool, 18789)
    table = Table("stage", "seconds", "rows/s", "peak MB", "floor seconds", "floor MB", "times the floor")
    for name, (seconds, memory), (floor, floor_memory) in results:
        table.add_row(name, f"{seconds:.2f}", f"{rows / seconds:,.0f}", f"{memory:,.0f}", f"{floor:.2f}",
                      f"{floor_memory:,.0f}", f"{seconds / floor:.2f}")  # fmt: skip
    console = Console(width=110)
    console.print(table)
    console.print(f"{rows:,} rows; costing and roll-ups include dbt's start-up of {start_up:.2f} s")
    console.print(f"snapshot: {served:,.0f} requests/s, plain file server {plain:,.0f}: {served / plain:.2f} of it")
    console.print(
        f"collector: {collected:,.0f} records/s acknowledged durably, 99 % within {waited * 1000:,.0f} ms, {CLIENTS} "
        f"clients of {PER_POST} a post; a bare loop writing and syncing the same posts {bare:,.0f}: "
        f"{collected / bare:.2f} of it"
    )


if __name__ == "__main__":
    main()
