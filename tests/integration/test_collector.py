"""The collector as a process: killed while clients post, and fed by the clients it is made for."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import settings as settings_module
from pipelines import warehouse
from pipelines.logs import inbox

BIN = Path(sys.executable).parent
KILLS = 4
CLIENTS = 4
PER_BATCH = 10
ENOUGH_SECONDS = 60
LITELLM = "litellm==1.106.2"
SAID = "the patient's name is Ada"
KEY = "sk-" + "a1" * 12
PASS = "from pathlib import Path; import sys; from pipelines.logs import inbox; from pipelines.settings import load; "
PASS += "inbox.empty(load(Path(sys.argv[1])))"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def home(tmp_path):
    made = settings_module.Settings(home=tmp_path / "home", threads=2, memory_limit="1GB")
    made.create_home()
    return made


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`ratehouse serve`, with its workers in a process group of its own."""

    def __init__(self, home, port) -> None:
        self.process = subprocess.Popen(
            [BIN / "ratehouse", "serve", "--home", home.root, "--port", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        end = time.monotonic() + ENOUGH_SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                    return
            except OSError:
                assert self.process.poll() is None, "the server did not start"
                assert time.monotonic() < end, "the server does not answer"
                time.sleep(0.1)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def server(home, port) -> Iterator[str]:
    """The address of a running server."""
    made = Server(home, port)
    yield f"http://127.0.0.1:{port}"
    made.kill()


def rows(home, sql):
    with warehouse.reading(home) as connection:
        return connection.execute(sql).fetchall()


def written(home) -> bytes:
    return b"".join(file.read_bytes() for file in home.collected.iterdir())


def record(number):
    return {
        "timestamp": "2026-11-01T10:00:00Z", "request_id": number, "prompt": SAID,
        "execution_metadata": {
            "provider_id": "openai", "model_id": "gpt-4o-mini", "execution_latency_ms": 800, "translation_latency_ms": 1,
            "micro_retry_count": 0, "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        },
    }  # fmt: skip


class Client(threading.Thread):
    """Posts batch after batch; one without an answer is posted again, as it was, to whoever serves then."""

    def __init__(self, port, stop) -> None:
        super().__init__()
        self.port, self.stop = port, stop
        self.sent: set[str] = set()
        self.acknowledged: set[str] = set()

    def run(self) -> None:
        while not self.stop.is_set():
            numbers = [uuid.uuid4().hex for _ in range(PER_BATCH)]
            content = "".join(json.dumps(record(number)) + "\n" for number in numbers)
            self.sent.update(numbers)
            while not self.stop.is_set():
                with contextlib.suppress(OSError, http.client.HTTPException):
                    if self._post(content) == 202:
                        self.acknowledged.update(numbers)
                        break
                time.sleep(0.02)

    def _post(self, content) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", "/v1/logs", content, {"Content-Type": "application/x-ndjson"})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()


def test_kills_lose_nothing_acknowledged_and_double_nothing(home, port):
    draw, stop = random.Random(), threading.Event()
    clients = [Client(port, stop) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        for number in range(KILLS):
            server = Server(home, port)
            # A pass takes files out meanwhile, and is killed too, wherever it is.
            taking = subprocess.Popen([sys.executable, "-c", PASS, home.root]) if number % 2 else None
            time.sleep(draw.uniform(0.2, 1.2))
            server.kill()
            if taking:
                taking.kill()
                taking.wait()
    finally:
        stop.set()
        for client in clients:
            client.join()
    inbox.empty(home)
    sent = set().union(*(client.sent for client in clients))
    acknowledged = set().union(*(client.acknowledged for client in clients))
    stored = [row[0] for row in rows(home, "select request_id from raw.calls")]
    assert len(acknowledged) > PER_BATCH * KILLS
    assert acknowledged <= set(stored) <= sent
    assert len(stored) == len(set(stored))
    assert rows(home, "select count(*) from raw.call_quarantine") == [(0,)]
    assert list(home.collected.glob("[!.]*")) == []


@pytest.mark.parametrize("compression", ["none", "gzip", "deflate"])
def test_spans_of_opentelemetry_s_own_exporter(home, server, compression):
    pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")
    exporter = pytest.importorskip(
        "opentelemetry.exporter.otlp.proto.http.trace_exporter", reason="the OTLP exporter is not installed"
    )
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "checkout"}))
    sending = exporter.OTLPSpanExporter(f"{server}/v1/traces", compression=Compression(compression))
    provider.add_span_processor(BatchSpanProcessor(sending))
    tracer = provider.get_tracer("tests")
    spans = []
    for number in range(3):
        with tracer.start_as_current_span("chat gpt-4o-mini") as span:
            span.set_attributes(
                {
                    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.input_tokens": 10 + number,
                    "gen_ai.usage.output_tokens": 5, "gen_ai.input.messages": SAID, "user.id": "ada@example.com",
                }
            )  # fmt: skip
            span.add_event("gen_ai.content.prompt", {"gen_ai.prompt": SAID})
            spans.append(f"{span.get_span_context().trace_id:032x} {span.get_span_context().span_id:016x}")
    assert provider.force_flush()
    provider.shutdown()
    assert b"Ada" not in written(home)
    assert b"ada@" not in written(home)
    inbox.empty(home)
    stored = rows(
        home, "select request_id, project, provider, model_served, input_tokens, output_tokens from raw.calls"
    )
    assert sorted(stored) == sorted(
        (span, "checkout", "openai", "gpt-4o-mini", 10 + number, 5) for number, span in enumerate(spans)
    )


LITELLM_PROGRAM = """
import asyncio, json, sys
import litellm
from litellm.integrations.generic_api.generic_api_callback import GenericAPILogger

async def main(endpoint, log_format, said, key):
    logger = GenericAPILogger(endpoint=endpoint, log_format=log_format)
    litellm.callbacks = [logger]
    messages = [{"role": "user", "content": said}]
    ids = []
    for _ in range(3):
        answer = await litellm.acompletion("gpt-4o-mini", messages, mock_response=said, api_key=key)
        ids.append(answer.id)
    try:
        await litellm.acompletion("gpt-4o-mini", messages, mock_response="litellm.RateLimitError", api_key=key)
    except litellm.RateLimitError:
        pass
    for _ in range(200):  # callbacks run behind the answers
        if len(logger.log_queue) >= 4:
            break
        await asyncio.sleep(0.05)
    await logger.flush_queue()
    print(json.dumps(ids))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def litellm(tmp_path_factory) -> Path:
    """A Python with LiteLLM, apart from ours: it brings twenty packages we have no use for."""
    folder = tmp_path_factory.mktemp("litellm") / "venv"
    for command in (["venv", "--python", sys.executable, folder], ["pip", "install", "--python", folder, LITELLM]):
        done = subprocess.run(
            [BIN / "uv", *command, "--quiet"], capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode:
            pytest.skip(f"{LITELLM} cannot be installed here: {done.stderr.strip()[-300:]}")
    return folder / "bin" / "python"


@pytest.mark.parametrize("log_format", ["json_array", "ndjson", "single"])
def test_calls_of_a_litellm_process(home, server, litellm, log_format):
    done = subprocess.run(
        [litellm, "-c", LITELLM_PROGRAM, f"{server}/v1/litellm", log_format, SAID, KEY],
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        capture_output=True,
        text=True,
        timeout=ENOUGH_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ids = json.loads(done.stdout.splitlines()[-1])
    assert b"Ada" not in written(home)
    assert KEY.encode() not in written(home)
    inbox.empty(home)
    stored = rows(home, "select status, error_class, model_served, input_tokens > 0, cost_reported > 0 from raw.calls")
    assert sorted(stored, key=str) == [
        ("error", "rate_limited", "gpt-4o-mini", False, False),
        *[("ok", None, "gpt-4o-mini", True, True)] * len(ids),
    ]
