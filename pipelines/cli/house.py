"""Commands about the whole house: `demo`, `run`, `export`, `serve`, `dev`, `doctor`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines import warehouse
from pipelines.cli.session import QUARANTINED, Session, command
from pipelines.cli.summary import show_summary
from pipelines.errors import BuildFailedError, RatehouseError

DEMO_ROWS, DEMO_DAYS, DEMO_SEED = 60_000, 60, 7
# What a person reads while a step runs; a step without words here is told by its own name.
WORDS = {
    "raw__calls": "loading landed logs",
    "raw__price_statements": "loading price lists",
    "price_observations": "reading stored price pages",
    "calls_door": "checking the logs at the door",
    "prices_door": "checking the prices at the door",
    "raw__slo_objectives": "loading service-level objectives",
    "raw__provider_outages": "looking for providers' own words on outages",
    "dbt_models": "building and testing the tables (dbt)",
    "raw__forecasts": "forecasting spend",
    "dbt_forecast": "building and testing the forecast (dbt)",
    "published__snapshot": "publishing the pricing snapshot",
    "published__exports": "exporting CSV, JSON and Parquet",
    "reports__overview": "drawing the report",
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "demo", help="Make sample traffic, run everything on it, show the outcome.")(demo)
    command(app, "run", help="One full pass: load, price, roll up, forecast, publish, report.")(run)
    command(app, "export", help="Write one table, or all of them, as CSV, JSON lines or Parquet.")(export)
    command(app, "serve", help="Serve the pricing API over the published files, and collect logs.")(serve)
    command(app, "dev", help="Open Dagster's own page over this home.")(dev)
    command(app, "doctor", help="Versions, locks, disk, freshness: what is well and what is not.")(doctor)


def demo(
    session: Session,
    rows: Annotated[int, typer.Option("--rows", min=100, help="Attempts in the sample.")] = DEMO_ROWS,
) -> int:
    """Sixty days of made-up traffic through the whole house."""
    from pipelines import sample
    from pipelines.logs import loading

    session.settings.create_home()
    folder = session.settings.root / "sample"
    with session.working() as report:
        report("writing sample traffic")
        files = sample.generate(folder, rows=rows, days=DEMO_DAYS, seed=DEMO_SEED, format_name="ailib")
        report("loading it")
        loading.ingest(session.settings, files)
    return _pass(session)


def run(
    session: Session,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="First rebuild the warehouse from landed files.")] = False,
) -> int:
    """One full pass over whatever has landed."""
    if rebuild:
        _set_warehouse_aside(session)
    return _pass(session)


def _pass(session: Session) -> int:
    from pipelines.defs.jobs import run_once

    with session.working() as report:
        report("starting")

        def on_step(step: str, what: str) -> None:
            if what == "started":
                report(WORDS.get(step, step))

        done = run_once(session.settings, on_step=on_step)
    quarantined = done.facts.get("raw/calls", {}).get("quarantined", 0)
    show_summary(session)
    return QUARANTINED if quarantined else 0


def _set_warehouse_aside(session: Session) -> None:
    with warehouse.writer_lock(session.settings):
        database = session.settings.database
        if database.exists():
            database.replace(database.with_suffix(".duckdb.before-rebuild"))
            session.say(f"the old warehouse is now {database.with_suffix('.duckdb.before-rebuild')}")


def export(
    session: Session,
    table: Annotated[str | None, typer.Argument(help="A mart; without one, all of them.")] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="csv, json or parquet (all of them for all tables).")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="File for one table, folder for all.")] = Path("ratehouse-export"),
) -> int:
    """Write files atomically; a folder gets a manifest with hashes."""
    from dataclasses import asdict

    from reports import exports

    if form is not None and form not in exports.FORMATS:
        raise typer.BadParameter(f"--format must be one of {', '.join(exports.FORMATS)}")
    with warehouse.reading(session.settings) as connection, session.working() as report:
        if table:
            chosen: Any = form or (out.suffix.lstrip(".") if out.suffix.lstrip(".") in exports.FORMATS else "csv")
            file = out / f"{table.removeprefix('marts.')}.{chosen}" if out.is_dir() else out
            written = [exports.export(connection, table, chosen, file)]
        else:
            forms: Any = (form,) if form else exports.FORMATS
            written = exports.export_all(connection, out, forms, on_progress=report)
    session.table(
        f"Exported to {out}",
        ("file", "rows", "bytes", "sha256"),
        [(e.file, f"{e.row_count:,}", f"{e.byte_count:,}", e.sha256[:16]) for e in written],
        right=(1, 2),
    )
    session.emit({"out": str(out), "files": [asdict(e) for e in written]})
    return 0


def serve(
    session: Session,
    host: Annotated[str | None, typer.Option("--host", help="Only loopback unless told.")] = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535)] = None,
) -> int:
    """Serve until interrupted; logs posted to it wait for the next `ratehouse run`."""
    from serving.collector import Collecting
    from serving.server import serve as serve_forever

    settings = session.settings
    settings.create_home()
    address = (host or settings.host, port or settings.port)
    session.say(f"serving {settings.published} on http://{address[0]}:{address[1]}/v1/prices (Ctrl-C stops)")
    body = settings.collect_body_bytes
    collecting = Collecting(settings.collected, body=body, text=2 * body, spool=settings.collect_spool_bytes)
    serve_forever(settings.published, *address, collecting)
    return 0


def dev(session: Session, port: Annotated[int, typer.Option("--port", min=1, max=65535)] = 3000) -> int:
    """Dagster's web page and daemon, on loopback."""
    from pipelines import dbt
    from pipelines.defs.jobs import configure_instance
    from pipelines.settings import child_environment

    settings = session.settings
    settings.create_home()
    configure_instance(settings)
    dbt.manifest(settings)
    session.say(f"Dagster over {settings.root} on http://127.0.0.1:{port} (Ctrl-C stops)")
    program = Path(sys.executable).with_name("dagster")
    return subprocess.run(
        [str(program), "dev", "-m", "pipelines.definitions", "-h", "127.0.0.1", "-p", str(port)],
        env=child_environment(settings) | dbt.environment(settings),
        cwd=settings.root,
        check=False,
    ).returncode


def doctor(session: Session) -> int:
    """Look at everything a run needs; exit 1 if something would stop one."""
    checks = [_check(name, look, session) for name, look in _CHECKS]
    session.table(
        f"Ratehouse at {session.settings.root}",
        ("check", "state", "found"),
        [(c["check"], "well" if c["ok"] else "NOT WELL", c["found"]) for c in checks],
    )
    session.emit({"home": str(session.settings.root), "ok": all(c["ok"] for c in checks), "checks": checks})
    return 0 if all(c["ok"] for c in checks) else 1


def _check(name: str, look: Any, session: Session) -> dict[str, Any]:
    try:
        return {"check": name, "ok": True, "found": look(session)}
    except RatehouseError as error:
        return {"check": name, "ok": False, "found": str(error)}


def _versions(_: Session) -> str:
    from importlib.metadata import version

    python = ".".join(str(part) for part in sys.version_info[:3])
    names = ("ratehouse", "duckdb", "dagster", "dbt-core", "polars", "statsforecast")
    return f"python {python}, " + ", ".join(f"{name} {version(name)}" for name in names)


def _lock(session: Session) -> str:
    quick = session.settings.model_copy(update={"lock_timeout_seconds": 0.2})
    with warehouse.writer_lock(quick):
        return "nobody is writing"


def _disk(session: Session) -> str:
    session.settings.create_home()
    free = shutil.disk_usage(session.settings.root).free
    size = session.settings.database.stat().st_size if session.settings.database.exists() else 0
    # A rebuild needs the old file, the new one, and room to spill.
    if free < max(3 * size, 1_000_000_000):
        raise BuildFailedError(f"only {free / 1e9:.1f} GB free beside a warehouse of {size / 1e9:.1f} GB; make room")
    return f"{free / 1e9:,.0f} GB free, warehouse {size / 1e6:,.1f} MB"


def _freshness(session: Session) -> str:
    with warehouse.reading(session.settings) as connection:
        calls = connection.execute("select max(occurred_at) from raw.calls").fetchone()
        prices = connection.execute("select max(last_seen_at) from marts.price_history").fetchone()
    return f"newest call {calls[0] if calls else None}, newest price evidence {prices[0] if prices else None}"


_CHECKS = (("versions", _versions), ("writer's lock", _lock), ("disk", _disk), ("freshness", _freshness))
