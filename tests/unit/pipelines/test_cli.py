"""The commands as a person or a script meets them: what is said, where, and with which exit code."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import zlib
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app

SHELL_PAGE = '<html><body><div id="root"></div><script src="/app.js"></script></body></html>'


def record(number: int, **usage: Any) -> dict[str, Any]:
    return {
        "timestamp": "2026-11-01T10:00:00Z",
        "request_id": f"r{number}",
        "execution_metadata": {
            "provider_id": "openai",
            "model_id": "gpt-4o-mini",
            "execution_latency_ms": 800 + number,
            "translation_latency_ms": 1,
            "micro_retry_count": 0,
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120} | usage,
        },
    }


def lines(count: int) -> str:
    return "".join(json.dumps(record(number)) + "\n" for number in range(count))


class Program:
    def __init__(self, folder):
        self.folder = folder
        self.home = folder / "home"

    def run(self, *words, code=0):
        result = CliRunner().invoke(app, [*map(str, words), "--home", str(self.home)])
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        assert "defect" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    def json(self, *words, code=0):
        return json.loads(self.run(*words, "--json", code=code).stdout)

    def error(self, *words):
        """The error's name and words, which are the same for people, on stderr, and for machines."""
        told = self.run(*words, code=1)
        error = self.json(*words, code=1)["error"]
        assert told.stdout == ""
        assert told.stderr.strip() == f"error ({error['name']}): {error['message']}"
        return error["name"], error["message"]

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.setenv("RATEHOUSE_THREADS", "2")
    monkeypatch.setenv("RATEHOUSE_MEMORY_LIMIT", "1GB")
    monkeypatch.chdir(tmp_path)
    return Program(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.jsonl", None, "does not exist"),
        ("[/b]missing:boom:.jsonl", None, "does not exist"),
        ("empty.jsonl", b"", "is empty"),
        ("binary.jsonl", bytes(range(256)) * 20, "is a binary file"),
        ("not_gzip.jsonl.gz", gzip.compress(b""), "there is nothing to ingest"),
    ],
)
def test_a_file_that_cannot_be_taken_is_named_with_what_is_wrong(program, name, content, words):
    path = program.folder / name
    if content is not None:
        program.file(name, content)
    error, message = program.error("ingest", path)
    assert error == "bad_input"
    assert str(path) in message
    assert words in message
    assert not (program.home / "warehouse.duckdb").exists()


def test_a_folder_is_no_file(program):
    error, message = program.error("ingest", program.folder)
    assert (error, str(program.folder) in message, "is a directory" in message) == ("bad_input", True, True)


def test_one_bad_name_among_good_ones_takes_nothing(program):
    good = program.file("good.jsonl", lines(3))
    program.error("ingest", good, program.folder / "missing.jsonl")
    assert program.json("ingest", "status") == {"files": []}


def test_fields_nobody_knows_are_listed(program):
    error, message = program.error("ingest", program.file("odd.jsonl", '{"colour": "red"}\n'))
    assert error == "unknown_format"
    assert "colour" in message
    assert "--mapping" in message


def test_a_clean_file_is_done(program):
    (receipt,) = program.json("ingest", program.file("good.jsonl", lines(3)))["files"]
    assert (receipt["read_count"], receipt["accepted_count"], receipt["quarantined_count"]) == (3, 3, 0)
    assert receipt["damage"] is None
    assert receipt["first_occurred_at"] == "2026-11-01T10:00:00Z"


def test_a_truncated_gzip_keeps_what_precedes_the_cut(program):
    usages = ({"prompt_tokens": n * 7919, "total_tokens": n * 7919 + 20} for n in range(2000))
    whole = gzip.compress("".join(json.dumps(record(n, **usage)) + "\n" for n, usage in enumerate(usages)).encode())
    cut = whole[: len(whole) // 2]
    path = program.file("cut.jsonl.gz", cut)
    (receipt,) = program.json("ingest", path, code=3)["files"]
    before_the_cut = zlib.decompressobj(wbits=31).decompress(cut)
    told = int(re.search(r"Truncated .* after about ([\d,]+) bytes", receipt["damage"])[1].replace(",", ""))
    assert len(before_the_cut) - 4096 < told <= len(before_the_cut)
    assert receipt["accepted_count"] == before_the_cut[:told].count(b"\n")
    assert receipt["quarantined_count"] == 1  # the line the cut is in
    assert receipt["read_count"] == receipt["accepted_count"] + receipt["quarantined_count"]
    assert "damaged: Truncated" in program.run("ingest", path, code=3).stdout


@pytest.mark.parametrize(
    "bad",
    [
        json.dumps(record(9))[:60],
        json.dumps(record(9, prompt_tokens="many")),
        json.dumps(record(9)).replace("809", '"soon"'),
    ],
    ids=["cut in half", "tokens of another type", "latency of another type"],
)
def test_a_bad_line_is_counted_and_the_good_ones_are_kept(program, bad):
    path = program.file("[b]mixed:boom:.jsonl", lines(3) + bad)  # and no line end
    (receipt,) = program.json("ingest", path, code=3)["files"]
    assert (receipt["read_count"], receipt["accepted_count"], receipt["quarantined_count"]) == (4, 3, 1)
    told = program.run("ingest", path, code=3)  # the receipt of the first time
    assert "[b]mixed:boom:.jsonl\tailib\t4\t3\t0\t1" in told.stdout
    assert "raw.call_quarantine" in told.stdout
    assert program.json("ingest", "status") == {"files": [receipt]}


@pytest.mark.parametrize(
    "words",
    [
        ["nothing"],
        ["ingest"],
        ["ingest", "--nope"],
        ["sample", "--out", "x", "--rows", "0"],
        ["export", "cost_daily", "--format", "xml"],
        ["scrape", "read", "openai", "page.html", "--captured-at", "soon"],
    ],
)
def test_wrong_usage_exits_with_2_and_says_so(program, words):
    program.file("page.html", SHELL_PAGE)
    told = program.run(*words, code=2)
    assert told.stdout == ""
    assert "Error: " in told.stderr


def test_a_bad_variable_is_named(program, monkeypatch):
    monkeypatch.setenv("RATEHOUSE_PORT", "many")
    name, message = program.error("prices")
    assert name == "bad_settings"
    assert message.startswith("RATEHOUSE_PORT: ")


def test_reading_a_page_of_nobody(program):
    name, message = program.error("scrape", "read", "nobody", program.file("page.html", SHELL_PAGE))
    assert name == "unknown_provider"
    assert "'nobody'" in message
    assert "openai" in message


def test_reading_a_page_that_is_missing(program):
    name, message = program.error("scrape", "read", "openai", program.folder / "page.html")
    assert name == "bad_input"
    assert "page.html" in message


def test_reading_a_shell_page_names_the_error_and_gives_no_rows(program):
    page = program.file("page.html", SHELL_PAGE)
    answer = program.json("scrape", "read", "openai", page, "--captured-at", "2026-08-14T09:00:00+02:00", code=1)
    assert (answer["status"], answer["error"]["name"], answer["rows"]) == ("failed", "no_prices", [])
    assert answer["captured_at"] == "2026-08-14T07:00:00Z"
    told = program.run("scrape", "read", "openai", page, code=1)
    assert told.stderr.startswith("error (no_prices): ")
    assert not program.home.exists()


def test_prices_before_any_run_say_what_to_run(program):
    for _ in ("no warehouse", "a warehouse without the table"):
        name, message = program.error("prices")
        assert name == "warehouse_missing"
        assert "ratehouse run" in message
        program.run("ingest", program.file("good.jsonl", lines(1)))


def test_doctor_answers_check_by_check(program):
    for _ in ("no warehouse", "a warehouse without marts"):
        answer = program.json("doctor", code=1)
        checks = {check["check"]: check for check in answer["checks"]}
        assert answer["home"] == str(program.home)
        assert not answer["ok"]
        assert checks["versions"]["ok"]
        assert checks["writer's lock"]["ok"]
        assert not checks["freshness"]["ok"]
        assert "ratehouse run" in checks["freshness"]["found"]
        program.run("ingest", program.file("good.jsonl", lines(1)))


def test_the_program_starts_without_the_heavy_parts():
    code = "import sys; from pipelines.cli import main; print(*{'dagster', 'dbt', 'polars', 'pyarrow', 'pydantic'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "\n"
