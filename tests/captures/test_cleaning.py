"""Cleaning real samples of content changes no call made of them."""

from __future__ import annotations

import orjson

from pipelines import settings as settings_module
from pipelines import warehouse
from pipelines.errors import RatehouseError
from pipelines.logs import loading
from serving import privacy


def calls(folder, content):
    """Calls and reasons for quarantine of a file's content; None where no importer takes it."""
    folder.mkdir()
    settings = settings_module.Settings(home=folder / "home", threads=1, memory_limit="1GB")
    file = folder / "sample.json"
    file.write_bytes(content)
    try:
        loading.ingest(settings, [file])
    except RatehouseError:
        return None
    with warehouse.reading(settings) as connection:
        return [
            connection.execute(sql).fetchall()
            for sql in (
                "select * exclude (segment_id, event_id, source_version) from raw.calls order by occurred_at, request_id",
                "select reason from raw.call_quarantine order by record_number",
            )
        ]


def samples(captures):
    for file in sorted((captures / "log_formats").rglob("*.json*")):
        text = file.read_bytes()
        try:
            yield file, text, orjson.dumps(privacy.without_content(privacy.exact(text)))
        except ValueError:
            lines = [line for line in text.splitlines() if line.strip()]
            try:
                cleaned = [orjson.dumps(privacy.without_content(privacy.exact(line))) for line in lines]
            except ValueError:
                continue
            yield file, text, b"\n".join(cleaned)


def test_every_sample_gives_the_same_calls(captures, tmp_path):
    compared = 0
    for number, (file, raw, cleaned) in enumerate(samples(captures)):
        expected = calls(tmp_path / f"{number}-raw", raw)
        if expected is None:
            continue
        assert calls(tmp_path / f"{number}-cleaned", cleaned) == expected, file
        compared += bool(expected[0])
    assert compared
