"""Whatever is in a file: no crash, no hang, the good part kept, the bad counted."""

from __future__ import annotations

import gzip
import json
import random
import resource

import pytest

from pipelines.errors import RatehouseError
from pipelines.logs import loading
from pipelines.settings import Settings

MEGABYTE = 1024 * 1024


def record(number, **more):
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return {
        "timestamp": "2026-10-01T10:00:00Z", "request_id": f"r{number}", "provider_id": "openai", "model_id": "gpt-5",
        "execution_latency_ms": 9, "usage": usage, **more,
    }  # fmt: skip


def line(number, **more):
    return json.dumps(record(number, **more)).encode()


GOOD = [line(number) for number in range(10)]
DEEP = 20_000

# What stands between good lines, and whether it is a record that can be taken.
ODD = {
    "a line of 100 MB": (b'{"prompt": "' + b"x" * (100 * MEGABYTE) + b'"}', False),
    "a line of 40 MB of text": (line("long", note="y" * (40 * MEGABYTE)), True),
    "a line of 40 MB of numbers": (line("numbers", vector=[0] * (13 * MEGABYTE)), True),
    "bad UTF-8": (line("bad")[:-2] + b', "a": "\xff\xfe"}', False),
    "a zero byte": (line("zero")[:-1] + b', "a": "\x00"}', False),
    "a lone surrogate": (line("half")[:-1] + b', "prompt": "\\ud800"}', None),
    "NaN": (line("nan").replace(b": 10", b": NaN"), False),
    "infinity": (line("inf").replace(b": 10", b": -Infinity"), False),
    "a huge number": (line("huge").replace(b": 10", b": 1" + b"0" * 5000), False),
    "a huge exponent": (line("exponent").replace(b": 10", b": 1e999"), False),
    "a huge fraction": (line("fraction").replace(b": 9,", b": 0." + b"3" * 5000 + b","), None),
    "deep lists": (line("deep")[:-1] + b', "a": ' + b"[" * DEEP + b"]" * DEEP + b"}", None),
    "deep objects with a prompt": (
        line("deeper")[:-1] + b', "a": ' + b'{"prompt":' * DEEP + b"1" + b"}" * DEEP + b"}",
        None,
    ),
    "deep lists without an end": (b"[" * DEEP, False),
    "two records": (line("one") + line("two"), False),
    "names twice": (line("twice")[:-1] + b', "usage": {"prompt_tokens": 1}}', None),
    "an empty name": (line("empty")[:-1] + b', "": {"": ""}}', True),
    "carriage returns": (line("return") + b"\r\r", True),
    "a name of a megabyte": (line("name")[:-1] + b', "' + b"n" * MEGABYTE + b'": 1}', True),
}


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home", threads=2, memory_limit="1GB")


@pytest.mark.parametrize("name", ODD)
def test_an_odd_line_leaves_the_good_ones(tmp_path, settings, name):
    odd, is_taken = ODD[name]
    path = tmp_path / "odd.jsonl"
    path.write_bytes(b"\n".join([*GOOD[:5], odd, *GOOD[5:]]) + b"\n")
    (receipt,) = loading.ingest(settings, [path])
    assert receipt.read_count == 11
    assert receipt.accepted_count + receipt.quarantined_count == 11
    assert receipt.accepted_count >= 10
    if is_taken is not None:
        assert receipt.accepted_count == 10 + is_taken
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4 * MEGABYTE  # kilobytes


def test_a_bomb_is_refused_soon(tmp_path, settings):
    path = tmp_path / "bomb.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(GOOD[0] + b"\n")
        for _ in range(1200):
            file.write(b" " * MEGABYTE)
    with pytest.raises(RatehouseError, match="decompressed, as no log is"):
        loading.ingest(settings, [path])
    assert list(settings.segments.iterdir()) == []
    assert [file for file in settings.tmp.iterdir() if file.is_file()] == []


@pytest.mark.parametrize("seed", range(12))
def test_mutated_files_never_crash(tmp_path, settings, seed):
    chance = random.Random(seed)
    content = bytearray(
        b"\n".join(line(n, messages=[{"content": f"said {n}"}], note="ann@example.com") for n in range(60))
    )
    for _ in range(chance.randint(1, 60)):
        at = chance.randrange(len(content))
        match chance.randrange(4):
            case 0:
                content[at] = chance.randrange(256)
            case 1:
                del content[at : at + chance.randint(1, 40)]
            case 2:
                content[at:at] = chance.choice([b'"', b"{", b"}", b"\n", b"[", b"\x00", b"\\", b"1e400", b"\xf0\x9f"])
            case _:
                other = chance.randrange(len(content))
                content[at:at] = content[other : other + 50]
    whole = bytes(content) if seed % 3 else gzip.compress(bytes(content))[: -chance.randint(1, 30)]
    path = tmp_path / "mutated.jsonl"
    path.write_bytes(whole)
    try:
        (receipt,) = loading.ingest(settings, [path], format_name="ailib")
    except RatehouseError:
        return
    assert receipt.accepted_count + receipt.duplicate_count + receipt.quarantined_count == receipt.read_count
    assert receipt.read_count == sum(bool(part.strip()) for part in content.split(b"\n")) or not seed % 3
    for file in settings.root.rglob("*"):
        assert not file.is_file() or b"ann@example.com" not in file.read_bytes()
