"""The pricing API: `/v1/prices`, `/v1/snapshots/…`, `/healthz`; and the collector's routes beside it.

Belongs here: routes, their parameters, and errors as problem details (RFC 9457). Does not belong here:
where publications are (`snapshots.py`), or starting a server (`server.py`).

Litestar was chosen over FastAPI for speed on the same server (13.3 against 11.0 thousand snapshot
requests a second, two cores) and for its typed handlers; whole snapshots leave as prepared bytes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from litestar import Litestar, Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.params import FromPath, Parameter
from litestar.types import ControllerRouterHandler

from serving.collector import Collecting, Collector, router
from serving.snapshots import Snapshot, Snapshots

CACHE_CONTROL = "public, max-age=60, must-revalidate"
PAGE_LIMIT = 1000
# gzip among the codings a caller takes, but not `gzip;q=0`, which refuses it.
_TAKES_GZIP = re.compile(r"(?:^|,)\s*gzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", re.IGNORECASE)

_TITLES = {
    400: "Bad request", 404: "Not found", 405: "Method not allowed", 413: "Too large", 415: "Not a type taken here",
    429: "Come again later", 503: "Not available now",
}  # fmt: skip

Filter = Annotated[str | None, Parameter(max_length=200)]


@get("/healthz", sync_to_thread=False)
def healthz(state: State) -> dict[str, Any]:
    """Alive, and which snapshot is served (null before the first publication)."""
    current: Snapshot | None = state.snapshots.current()
    return {"status": "ok", "snapshot_id": current.snapshot_id if current else None}


@get("/v1/prices", sync_to_thread=False)
def prices(
    state: State,
    provider: Filter = None,
    model: Filter = None,
    meter: Filter = None,
    limit: Annotated[int, Parameter(ge=1, le=PAGE_LIMIT)] = 100,
    offset: Annotated[int, Parameter(ge=0)] = 0,
) -> dict[str, Any]:
    """Current prices, filtered by equality, a page at a time; amounts are decimal text."""
    snapshot = _current(state)
    wanted = {name: value for name, value in (("provider", provider), ("model", model), ("meter", meter)) if value}
    found = [row for row in snapshot.prices if all(row[name] == value for name, value in wanted.items())]
    return {
        "snapshot_id": snapshot.snapshot_id,
        "price_book_version": snapshot.manifest["price_book_version"],
        "total": len(found),
        "offset": offset,
        "prices": found[offset : offset + limit],
    }


@get("/v1/snapshots/current", sync_to_thread=False)
def current_snapshot(state: State, request: Request[Any, Any, State]) -> Response[bytes]:
    """The whole current snapshot, with a strong ETag; 304 if the caller has it."""
    return _whole(_current(state), request)


@get("/v1/snapshots/{snapshot_id:str}", sync_to_thread=False)
def snapshot_by_id(state: State, request: Request[Any, Any, State], snapshot_id: FromPath[str]) -> Response[bytes]:
    """One publication by its id; they never change."""
    found: Snapshot | None = state.snapshots.get(snapshot_id)
    if found is None:
        raise HTTPException(status_code=404, detail=f"there is no snapshot {snapshot_id[:64]!r}")
    return _whole(found, request)


def _current(state: State) -> Snapshot:
    found: Snapshot | None = state.snapshots.current()
    if found is None:
        raise HTTPException(status_code=503, detail="nothing is published yet; run `ratehouse run` first")
    return found


def _whole(snapshot: Snapshot, request: Request[Any, Any, State]) -> Response[bytes]:
    headers = {"ETag": snapshot.etag, "Cache-Control": CACHE_CONTROL, "Vary": "Accept-Encoding"}
    known = request.headers.get("if-none-match", "")
    if known == "*" or snapshot.etag in (tag.strip().removeprefix("W/") for tag in known.split(",")):
        return Response(b"", status_code=304, headers=headers)
    if _TAKES_GZIP.search(request.headers.get("accept-encoding", "")):
        return Response(snapshot.gzipped, media_type="application/json", headers=headers | {"Content-Encoding": "gzip"})
    return Response(snapshot.body, media_type="application/json", headers=headers)


def _problem(_: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Any error as problem details; what went wrong inside is not told outside."""
    known = isinstance(error, HTTPException)
    status = error.status_code if known else 500  # type: ignore[attr-defined]  # known says it is one
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "detail": error.detail if known else "internal error",  # type: ignore[attr-defined]  # known says it is one
    }
    if known and getattr(error, "extra", None):
        body["errors"] = error.extra  # type: ignore[attr-defined]  # known says it is one
    headers = error.headers if isinstance(error, HTTPException) else None
    return Response(body, status_code=status, media_type="application/problem+json", headers=headers)


def create(published: Path, collecting: Collecting | None = None) -> Litestar:
    """The application over a folder of publications; where logs go makes it a collector too."""
    state = State({"snapshots": Snapshots(published)})
    handlers: list[ControllerRouterHandler] = [healthz, prices, current_snapshot, snapshot_by_id]
    if collecting:
        state.collector = Collector(collecting)
        handlers.append(router(collecting))
    return Litestar(
        route_handlers=handlers,
        state=state,
        exception_handlers={Exception: _problem},
        openapi_config=OpenAPIConfig(title="Ratehouse", version="1", path="/v1/schema"),
        request_max_body_size=1_000_000,
    )
