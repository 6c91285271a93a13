"""`ratehouse usage`, `latency` and `slo` over a small warehouse made by the models themselves."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from pipelines import warehouse
from pipelines.cli.main import app
from pipelines.settings import Settings
from pipelines.slo import documents, feeds

MODELS = ("usage_15m", "latency_buckets_15m", "int_slo__events", "slo_attainment_daily", "error_budget_daily",
          "burn_rate_5m", "slo_incidents", "slo_current")  # fmt: skip
CALLS = """
    insert into marts.cost_calls by name
    select uuid() as event_id, n::varchar as request_id, 1 as attempt, 'openai' as provider, 'gpt-4o' as model,
        timestamptz '2026-03-28 23:30:00+00' + to_minutes(n) as occurred_at, if(n % 2 = 0, 'ok', 'error') as status,
        if(n % 2 = 0, null, 'server_error') as error_class, 100.0 as latency_ms, 10 as input_tokens, 5 as output_tokens,
        0.000000000000000001::decimal(38, 18) as cost_usd, 'exact' as cost_status, false as is_estimated,
        'final' as usage_status, 'key-' || n % 3 as api_key_id
    from range(120) as numbers(n)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory, renderer):
    settings = Settings(home=tmp_path_factory.mktemp("commands") / "home", threads=1, memory_limit="1GB")
    documents.load(settings)
    feeds.ensure_table(settings)
    with warehouse.writing(settings) as connection:
        renderer.empty(connection, "cost_calls")
        renderer.seed(connection, "error_classes")
        connection.execute(CALLS)
        for model in MODELS:
            renderer.create(connection, model)
    return settings.root


@pytest.fixture
def run(home):
    def run(*words, code=0):
        result = CliRunner().invoke(app, [*map(str, words), "--home", str(home)])
        assert result.exit_code == code, result.output
        return result.stdout if code == 0 else result.stderr

    return run


def test_usage_by_days_of_a_zone(run):
    lines = run("usage", "--by", "day,provider", "--zone", "Europe/Berlin").splitlines()
    assert lines[0] == "# usage, the first call to the last, days of Europe/Berlin"
    assert lines[1].split("\t")[:4] == ["day", "provider", "attempt_count", "request_count"]
    # 23:00 UTC is midnight in Berlin: all of it is of the day the clocks change
    assert [line.split("\t")[:4] for line in lines[2:]] == [["2026-03-29", "openai", "120", "120"]]
    answer = json.loads(run("usage", "--zone", "America/New_York", "--json"))
    assert [(r["day"], r["attempt_count"], r["cost_usd"]) for r in answer["usage"]] == [
        ("2026-03-28", 120, "0.00000000000000012")
    ]
    days = json.loads(run("usage", "--json"))["usage"]
    assert [(r["day"], r["attempt_count"]) for r in days] == [("2026-03-28", 30), ("2026-03-29", 90)]


def test_latency_by_anything(run):
    lines = run("latency", "--measure", "latency_ms").splitlines()
    assert lines[1].split("\t") == ["measure", "provider", "model", "sample_count", "p50", "p90", "p95", "p99", "p99_9"]
    assert lines[2].split("\t")[:5] == ["latency_ms", "openai", "gpt-4o", "60", "100.5"]
    by_key = json.loads(run("latency", "--by", "api_key_id", "--measure", "latency_ms", "--json"))["latency"]
    assert [(row["api_key_id"], row["sample_count"], row["p50"], row["is_exact"]) for row in by_key] == [
        (f"key-{n}", 20, 100.0, True) for n in range(3)
    ]


def test_objectives_as_they_stand(run):
    lines = run("slo", "status").splitlines()
    cells = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    assert cells["objective"] == "availability"
    assert (cells["attained"], cells["budget gone"], cells["alert"], cells["incidents"]) == (
        "50 %",
        "spent",
        "page",
        "1",
    )
    rows = json.loads(run("slo", "status", "--json"))["objectives"]
    assert {row["slo_name"]: row["observed_to"] is None for row in rows} == {
        "availability": False,
        "time-to-first-token": True,
    }


def test_documents_are_checked_before_they_count(run, tmp_path):
    assert "# 2 objectives" in run("slo", "check")
    path = tmp_path / "mine.yml"
    path.write_text(documents.DEFAULT.read_text().replace("0.99}", "1.99}"))
    assert f"{path} line 17: spec.objectives.0.target" in run("slo", "check", path, code=1)
    (tmp_path / "empty").mkdir()
    assert "no *.yml file" in run("slo", "check", tmp_path / "empty", code=1)


def test_what_cannot_be_asked_is_told_in_words(run):
    assert "error (bad_question): cannot group by 'mood'" in run("usage", "--by", "mood", code=1)
    assert "error (bad_question): there is no measure 'mood'" in run("latency", "--measure", "mood", code=1)
    assert "error (bad_feed)" in run("slo", "feed", "nowhere.csv", code=1)
