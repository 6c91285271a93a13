"""The log collector: posts of logs and traces, answered when they are durable.

Belongs here: the routes, what is admitted and when to come again, and the group commit. Does not belong
here: reading bodies (`decoding.py`), files (`spool.py`), who may post: a guard on the router, when there are keys.

Posts that wait at the same time share one write to the disk: while one group is being synced the next one
gathers. Bodies are read into memory up to a limit over all posts, decoded one at a time (one interpreter
decodes no faster with more threads), and written by one thread.

Measured, 2 cores shared with the clients, 8 clients posting 100 records of 300 bytes: 40 to 55 thousand records a
second acknowledged, 99 % of the posts within 26 to 59 ms as the disk is idle or busy. A body of 32 MiB of lines
takes 0.1 GB while it is decoded, the largest trace document taken 0.2 GB.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from litestar import Request, Response, Router, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from serving.decoding import PROTOBUF, Batch, Kind, RefusedError, batch_of, trace_messages
from serving.spool import Spool, SpoolFullError

# How long the first of a group waits for others, in seconds: less than a disk takes to sync.
GATHERING_SECONDS: Final = 0.002
_BUSY_SECONDS, _FULL_SECONDS = 1, 30

Poster = Request[Any, Any, State]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Collecting:
    """Where collected logs go, and the limits, in bytes.

    `body` is a post as sent, `text` the same decompressed, `memory` all bodies and batches waiting,
    `spool` what may lie on the disk until a pass takes it.
    """

    folder: Path
    body: int = 16 * 1024**2
    text: int = 32 * 1024**2
    memory: int = 256 * 1024**2
    spool: int = 4 * 1024**3


class Collector:
    """Takes bodies, gives batches that are durable. One event loop."""

    def __init__(self, collecting: Collecting) -> None:
        self.limits = collecting
        self._spool = Spool(collecting.folder, collecting.spool)
        self._held = 0
        self._waiting: list[tuple[Batch, asyncio.Future[None]]] = []
        self._committing: asyncio.Task[None] | None = None
        self._decoder = ThreadPoolExecutor(1, "collector-decoder")
        self._writer = ThreadPoolExecutor(1, "collector-writer")

    async def take(self, kind: Kind, request: Poster) -> Batch:
        """Read, clean and keep one post. Raises HTTPException with the status its client understands."""
        content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        coding = request.headers.get("content-encoding", "").strip().lower()
        loop = asyncio.get_running_loop()
        with self._room(kind) as hold:
            body = bytearray()
            async for piece in request.stream():
                hold(len(piece))
                body += piece
            try:
                batch = await loop.run_in_executor(
                    self._decoder, batch_of, kind, bytes(body), content_type, coding, self.limits.text
                )
            except RefusedError as refused:
                raise HTTPException(status_code=refused.status, detail=refused.detail) from refused
            if batch.lines:
                hold(batch.size)
                await self._keep(batch)
        return batch

    @contextmanager
    def _room(self, kind: Kind) -> Iterator[Callable[[int], None]]:
        """A share of the memory for one post, given back at its end."""
        mine = 0

        def hold(size: int) -> None:
            nonlocal mine
            if self._held + size > self.limits.memory:
                raise _come_again(kind, _BUSY_SECONDS, "too many posts are waiting")
            self._held += size
            mine += size

        try:
            yield hold
        except SpoolFullError as full:
            raise _come_again(
                kind, _FULL_SECONDS, f"{self.limits.spool:,} bytes wait for the next pass; start `ratehouse run`"
            ) from full
        except OSError as error:
            _log.exception("collected logs cannot be written to %s", self.limits.folder)
            raise HTTPException(
                status_code=503, detail="the disk takes no logs now", headers={"Retry-After": str(_FULL_SECONDS)}
            ) from error
        finally:
            self._held -= mine

    async def _keep(self, batch: Batch) -> None:
        """Return when the batch is durable. Raises SpoolFullError, OSError."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((batch, done))
        if self._committing is None:
            self._committing = loop.create_task(self._commit())
        await done

    async def _commit(self) -> None:
        """Write group after group until nobody waits."""
        while self._waiting:
            await asyncio.sleep(GATHERING_SECONDS)
            group, self._waiting = self._waiting, []
            problem: Exception | None = None
            try:
                await asyncio.get_running_loop().run_in_executor(
                    self._writer, self._spool.write, [batch for batch, _ in group]
                )
            except Exception as error:  # whoever waits must hear of it, whatever it is
                problem = error
            for _, done in group:
                if done.done():  # its client went away
                    continue
                if problem:
                    done.set_exception(problem)
                else:
                    done.set_result(None)
        self._committing = None


def _come_again(kind: Kind, seconds: int, detail: str) -> HTTPException:
    """LiteLLM's callback gives a batch up at 429 and tries again at 503; the others know 429."""
    status = 503 if kind == "litellm" else 429
    return HTTPException(status_code=status, detail=detail, headers={"Retry-After": str(seconds)})


@post("/logs", status_code=202)
async def logs(state: State, request: Poster) -> Response[dict[str, Any]]:
    """Log records of any format `ratehouse ingest` recognises: JSON lines, or JSON (an object, or an array)."""
    return _accepted(await state.collector.take("logs", request))


@post("/litellm", status_code=202)
async def litellm(state: State, request: Poster) -> Response[dict[str, Any]]:
    """What LiteLLM's `generic_api` callback posts: one StandardLoggingPayload, an array of them, or lines."""
    return _accepted(await state.collector.take("litellm", request))


@post("/traces", status_code=200)
async def traces(state: State, request: Poster) -> Response[Any]:
    """An OTLP ExportTraceServiceRequest, JSON or protobuf; the answer is in the same encoding."""
    batch: Batch = await state.collector.take("traces", request)
    headers = {"Receipt-Id": batch.receipt}
    if request.headers.get("content-type", "").split(";")[0].strip().lower() == PROTOBUF:
        answer = trace_messages().ExportTraceServiceResponse()
        if batch.refused:
            answer.partial_success.rejected_spans = batch.refused
            answer.partial_success.error_message = batch.why
        return Response(answer.SerializeToString(), status_code=200, media_type=PROTOBUF, headers=headers)
    # 64-bit numbers are text in protobuf's JSON.
    partial = {"rejectedSpans": str(batch.refused), "errorMessage": batch.why} if batch.refused else None
    return Response({"partialSuccess": partial} if partial else {}, status_code=200, headers=headers)


def _accepted(batch: Batch) -> Response[dict[str, Any]]:
    answer = {"receipt_id": batch.receipt, "accepted": batch.records}
    return Response(answer, status_code=202, headers={"Receipt-Id": batch.receipt})


def router(collecting: Collecting) -> Router:
    """The collector's routes. Keys will be checked by guards given here."""
    return Router("/v1", route_handlers=[logs, litellm, traces], request_max_body_size=collecting.body)
