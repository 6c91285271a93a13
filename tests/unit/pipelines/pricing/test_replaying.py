"""A folder of dated pages into the book: placed by what is stated, in any order, twice as once."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines import warehouse
from pipelines.cli.main import app
from pipelines.errors import BadInputError
from pipelines.pricing import dated_files, readings, replaying
from pipelines.settings import Settings
from scrapers.store import PageStore

CASES = Path(__file__).parents[3] / "unit" / "scrapers" / "cases"
PERPLEXITY = (CASES / "perplexity/pricing/page.md").read_bytes()
PAGE = b"<html><head><title>Prices</title></head><body><p>soon</p></body></html>"
MIDNIGHT = datetime(2026, 4, 26, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home", threads=2, memory_limit="1GB")


@pytest.fixture
def put(tmp_path):
    """Puts a file into the folder of captures."""

    def write(name, body=PAGE):
        path = tmp_path / "captures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return path

    return write


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "captures"


def placed(folder):
    found, aside = dated_files.find(folder)
    assert aside == []
    return {str(file.path.relative_to(folder.resolve())): (file.source, file.captured_at) for file in found}


def reason(folder):
    found, aside = dated_files.find(folder)
    assert found == []
    (one,) = aside
    return one.reason


@pytest.mark.parametrize(
    ("name", "clock"),
    [
        ("cohere/2026-04-26_page.html", "00:00:00"),
        ("cohere/2026-04-26.html", "00:00:00"),
        ("cohere__2026-04-26_page.html", "00:00:00"),
        ("cohere-2026-04-26.html", "00:00:00"),
        ("deep/down/cohere/2026-04-26a_page.html", "00:00:00"),
        ("cohere/2026-04-26b_page.html", "00:00:01"),
        ("cohere/2026-04-26c.html", "00:00:02"),
        ("cohere/2026-04-26T10:08:12Z.html", "10:08:12"),
        ("cohere/2026-04-26T10-08_page.html", "10:08:00"),
        ("cohere/2026-04-26T100812Z_page.html", "10:08:12"),
        ("cohere/2026-04-26_07h_page.html", "07:00:00"),
        ("cohere/page_2026-04-26_d127a8a.html", "00:00:00"),
        ("cohere/2026-04-26/page.html", "00:00:00"),
        ("cohere_chat/2026-04-26.html", "00:00:00"),
        ("2026-04-26/cohere__page.html", "00:00:00"),
        ("cohere/2026-04-26_command-r-2024-08-06.html", "00:00:00"),
    ],
)
def test_day_and_source_are_in_the_names(folder, put, name, clock):
    put(name)
    assert placed(folder) == {name: ("cohere/pricing", datetime.fromisoformat(f"2026-04-26T{clock}+00:00"))}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cohere/page.html", "no day is stated"),
        ("cohere/2026-04_page.html", "no day is stated"),
        ("cohere/2026-13-45_page.html", "is no day"),
        ("cohere/page_2026-04-26_to_2026-04-27.html", "several days: 2026-04-26, 2026-04-27"),
        ("vendor/2026-04-26_page.html", "no reader is named"),
        ("2026-04-26_page.html", "no reader is named"),
        ("cohere/2026-04-26_units.yml", "it is not a page"),
        ("anthropic/2026-04-26_page.html", "any of anthropic's sources docs, marketing"),
    ],
)
def test_what_is_not_stated_is_not_guessed(folder, put, name, words):
    put(name)
    assert words in reason(folder)


def test_a_page_says_its_own_address(folder, put):
    docs = "https://platform.claude.com/docs/en/about-claude/pricing"
    put("anthropic/2026-04-26.html", f'<html><link rel="canonical" href="{docs}/"/><p>x</p>'.encode())
    put("anthropic/2025-04-26.html", b'<html><meta property="og:url" content="https://www.anthropic.com/pricing">')
    put("anthropic/2026-04-26.md", f"---\nurl: {docs}\n---\n\n# Pricing\n".encode())
    put(
        "deepseek/2026-08-08_zh.md", b"---\nsource: https://api-docs.deepseek.com/zh-cn/quick_start/pricing\n---\n# x\n"
    )
    assert {name: source for name, (source, _) in placed(folder).items()} == {
        "anthropic/2026-04-26.html": "anthropic/docs",
        "anthropic/2025-04-26.html": "anthropic/marketing",
        "anthropic/2026-04-26.md": "anthropic/docs_markdown",
        "deepseek/2026-08-08_zh.md": "deepseek/pricing_cny",
    }
    put("anthropic/2026-04-26.md", b"---\nurl: https://platform.claude.com/docs/en/models\n---\n\n# Models\n")
    _, (aside,) = dated_files.find(folder)
    assert aside.reason == "no source of anthropic reads https://platform.claude.com/docs/en/models"


def test_form_and_name_tell_sources_apart(folder, put):
    put("openai/2026-04-26_pricing.md", b"# Pricing\n")
    put("openai/2026-04-26_pricing.html")
    put("together/2026-04-26_docs.html")
    put("together/2026-04-26_pricing.html")
    assert [source for source, _ in placed(folder).values()] == [
        "openai/pricing_page", "openai/pricing_markdown", "together/docs", "together/pricing",
    ]  # fmt: skip


def provenance(put, *lines, name="provenance.tsv"):
    put(name, "\n".join(["file\turl\tcaptured\tsha256", *lines, ""]).encode())


URL = "https://cohere.com/pricing"
HASH = hashlib.sha256(PAGE).hexdigest()


@pytest.mark.parametrize(
    ("captured", "instant"),
    [
        ("2026-04-26T13:08:12+03:00 (commit)", "2026-04-26T10:08:12+00:00"),
        ("2026-04-26T05:15Z..05:50Z", "2026-04-26T05:15:00+00:00"),
        ("2026-04-26 (commit 2026-04-26T22:25:01-07:00)", "2026-04-26T00:00:00+00:00"),
        ("2026-04-26T17:47:27", "2026-04-26T17:47:27+00:00"),
    ],
)
@pytest.mark.parametrize("at", ["provenance.tsv", "a/provenance.tsv", "a/cohere/provenance.tsv"])
@pytest.mark.parametrize(
    "stated", ["cohere/whatever_2020-01-01.html\t{url}\t{captured}\t", "x\t{url}\t{captured}\t{hash}"]
)
def test_provenance_above_in_or_below_comes_before_the_name(folder, put, captured, instant, at, stated):
    put("a/cohere/whatever_2020-01-01.html")
    provenance(put, stated.format(url=URL, captured=captured, hash=HASH), name=at)
    assert placed(folder / "a") == {
        "cohere/whatever_2020-01-01.html": ("cohere/pricing", datetime.fromisoformat(instant))
    }


def test_a_file_that_is_not_what_provenance_says_is_set_aside(folder, put):
    put("cohere/2026-04-26.html")
    provenance(put, f"cohere/2026-04-26.html\t{URL}\t2026-04-26\t{'0' * 64}")
    assert "states another sha256" in reason(folder)


def test_a_provenance_that_is_none_is_named(folder, put):
    put("cohere/2026-04-26.html")
    put("provenance.tsv", b"name,when\n")
    with pytest.raises(BadInputError, match="header must name the columns file and captured"):
        dated_files.find(folder)
    with pytest.raises(BadInputError, match="is not a folder of captures"):
        dated_files.find(folder / "nothing")


def test_two_texts_of_one_instant_are_both_set_aside_and_one_text_twice_is_not(folder, put):
    put("cohere/2026-04-26_x.html")
    put("cohere/2026-04-26_y.html")
    assert len(placed(folder)) == 2
    put("cohere/2026-04-26_y.html", PAGE + b" ")
    found, aside = dated_files.find(folder)
    assert found == []
    assert all("at the same instant" in one.reason for one in aside)
    assert len(aside) == 2


def book(settings):
    with warehouse.reading(settings) as connection:
        return [
            connection.execute(f"select * exclude ({left_out}) from raw.{table} order by all").fetchall()
            for table, left_out in (("price_captures", "read_at"), ("price_observations", "source_url"))
        ]


def history(put):
    """Four captures of one source over two days, one of them a shell."""
    put("perplexity/2026-04-26a.md", PERPLEXITY)
    put("perplexity/2026-04-26b.md", PERPLEXITY.replace(b"$15", b"$16", 1))
    put("perplexity/2026-04-27.md", b"# Pricing\n\nComing soon.\n")
    put("perplexity/2026-04-28.md", PERPLEXITY + b"\nA remark.\n")


def test_a_folder_is_read_in_one_go_and_twice_changes_nothing(settings, folder, put):
    history(put)
    put("perplexity/page.md", PERPLEXITY)
    taken = replaying.take(settings, folder)
    assert [outcome.status for outcome in taken.outcomes] == ["accepted", "accepted", "failed", "accepted"]
    assert [outcome.error_name for outcome in taken.outcomes if outcome.status == "failed"] == ["no_prices"]
    assert (len(taken.stored), len(taken.known), len(taken.aside)) == (4, 0, 1)
    once, records = book(settings), PageStore(settings.pages).records()
    again = replaying.take(settings, folder)
    assert (len(again.stored), len(again.known), len(again.aside), again.outcomes) == (0, 4, 1, ())
    assert book(settings) == once
    assert PageStore(settings.pages).records() == records


def test_one_by_one_in_another_order_gives_the_same_book(settings, tmp_path, folder, put):
    history(put)
    replaying.take(settings, folder)
    other = Settings(home=tmp_path / "other", threads=2, memory_limit="1GB")
    names = sorted(path.name for path in (folder / "perplexity").iterdir())
    random.Random(3).shuffle(names)
    for name in names:
        alone = tmp_path / f"alone-{name}" / "perplexity"
        alone.mkdir(parents=True)
        (alone / name).write_bytes((folder / "perplexity" / name).read_bytes())
        replaying.take(other, alone.parent)
    assert book(other) == book(settings)


def test_stored_pages_are_read_again_and_a_reader_that_changed_is_told(settings, folder, put, monkeypatch):
    history(put)
    replaying.take(settings, folder)
    assert replaying.again(settings) == replaying.Again(4, 0, (), ())
    reader, source = readings.sources()["perplexity/docs_markdown"]

    def dearer(capture):
        return [row.model_copy(update={"amount": row.amount * 2}) for row in reader.read(capture)]

    before = book(settings)
    changed = replace(reader, read=dearer)
    monkeypatch.setattr(readings, "sources", lambda: {"perplexity/docs_markdown": (changed, source)})
    again = replaying.again(settings)
    assert (len(again.changes), len(again.unversioned), again.outcomes) == (3, 3, ())
    assert book(settings) == before
    mended = replace(changed, version=reader.version + 1)
    monkeypatch.setattr(readings, "sources", lambda: {"perplexity/docs_markdown": (mended, source)})
    again = replaying.again(settings)
    assert (len(again.changes), again.unversioned, len(again.outcomes)) == (3, (), 4)
    assert replaying.again(settings) == replaying.Again(4, 0, (), ())


def test_the_command_tells_what_was_taken_and_what_was_not(tmp_path, folder, put):
    def replay(*words, code):
        result = CliRunner().invoke(app, ["scrape", "replay", *words, "--home", str(tmp_path / "home")])
        assert result.exit_code == code, result.output
        return result.stdout

    history(put)
    put("perplexity/page.md", PERPLEXITY)
    answer = json.loads(replay(str(folder), "--json", code=3))
    assert [one["outcome"] for one in answer["files"]] == ["stored"] * 4
    assert [one["source"] for one in answer["files"]] == ["perplexity/docs_markdown"] * 4
    assert [(Path(one["file"]).name, "no day" in one["reason"]) for one in answer["set_aside"]] == [("page.md", True)]
    assert [(one["status"], one["error"] and one["error"]["name"]) for one in answer["readings"]] == [
        ("accepted", None), ("accepted", None), ("failed", "no_prices"), ("accepted", None),
    ]  # fmt: skip
    said = replay(str(folder), code=3)
    assert "page.md\tno day is stated" in said
    assert "0 files stored, 4 were there, 1 set aside; 0 pages read" in said
    (folder / "perplexity/page.md").unlink()
    replay(str(folder), code=0)
    again = json.loads(replay("--json", code=0))
    assert (again["captures"], again["changed"], again["unversioned"]) == (4, 0, 0)
    assert "4 captures, 0 read for the first time, 0 readings changed" in replay(code=0)
