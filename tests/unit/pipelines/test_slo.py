from __future__ import annotations

from decimal import Decimal

import pytest

from pipelines import warehouse
from pipelines.settings import Settings
from pipelines.slo import documents
from pipelines.slo.documents import DEFAULT, BadSloError

DOCUMENT = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: mine}
spec:
  service: llm
  indicator:
    metadata: {name: latency}
    spec:
      ratioMetric:
        total: {metricSource: {type: ratehouse, spec: {indicator: latency, threshold_ms: 2000, model: gpt-4o}}}
  timeWindow: [{duration: 7d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
"""


@pytest.fixture
def settings(tmp_path):
    made = Settings(home=tmp_path / "home", threads=2, memory_limit="1GB")
    (made.root / "slos").mkdir(parents=True)
    return made


def test_the_default_documents_are_valid():
    names = [slo.metadata.name for slo in documents.read(DEFAULT)]
    assert "availability" in names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("old", "new", "line", "field"),
    [
        ("openslo/v1", "openslo/v2", 1, "apiVersion"),
        ("kind: SLO", "kind: Service", 2, "kind"),
        ("name: mine", "name: My SLO", 3, "metadata.name"),
        ("threshold_ms: 2000, ", "", 10, "threshold_ms"),
        ("indicator: latency", "indicator: availability", 10, "threshold_ms"),
        ("model: gpt-4o", "modell: gpt-4o", 10, "modell"),
        ("7d", "7x", 11, "duration"),
        ("threshold_ms: 2000", "threshold_ms: .inf", 10, "threshold_ms"),
        ("model: gpt-4o", "model: gpt-4o, model: gpt-4", 10, "model: is given twice"),
        ("Occurrences", "RatioTimeslices", 12, "spec.budgetingMethod"),
        ("Occurrences", "Timeslices", 5, "timeSliceTarget and timeSliceWindow are given for Timeslices"),
        ("{target: 0.9}", "{target: 0.9, timeSliceTarget: 0.9}", 5, "and only for them"),
        ("{target: 0.9}", "{target: 0.9, timeSliceWindow: 7m}", 13, "spec.objectives.0.timeSliceWindow"),
        ("0.9", "0.999999999", 13, "spec.objectives.0.target"),
        ("0.9", "1.5", 13, "spec.objectives.0.target"),
        ("  objectives: [{target: 0.9}]\n", "", 5, "spec.objectives"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_field(tmp_path, old, new, line, field):
    path = tmp_path / "mine.yml"
    assert old in DOCUMENT
    path.write_text(DEFAULT.read_text(encoding="utf-8") + "---\n" + DOCUMENT.replace(old, new, 1), encoding="utf-8")
    before = len(DEFAULT.read_text(encoding="utf-8").splitlines()) + 1
    with pytest.raises(BadSloError) as caught:
        documents.read(path)
    assert str(caught.value).startswith(f"{path} line {before + line}: ")
    assert field in str(caught.value)


@pytest.mark.parametrize("text", ["a: [", "just words", "- 1", "---\n---\n", "? [a]\n: 1\n"])
def test_what_is_no_document_is_named(tmp_path, text):
    path = tmp_path / "mine.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadSloError, match=r"mine\.yml"):
        documents.read(path)


def test_documents_of_the_home_replace_the_default_ones(settings):
    assert documents.documents(settings) == documents.read(DEFAULT)
    (settings.root / "slos" / "mine.yml").write_text(DOCUMENT)
    assert documents.load(settings) == documents.load(settings) == 1
    with warehouse.reading(settings) as connection:
        rows = connection.execute("select * from raw.slo_objectives").fetchall()
    target = Decimal("0.90000000")
    assert rows == [("mine", "latency", None, "gpt-4o", None, None, 2000.0, target, 7, "Occurrences", None, None, 30)]
    assert [tuple(row.values()) for row in documents.rows(documents.documents(settings))] == rows


def test_time_slices_weeks_and_regions_are_read(settings):
    text = DOCUMENT.replace("Occurrences", "Timeslices").replace("7d", "4w")
    text = text.replace("{target: 0.9}", "{target: 0.9, timeSliceTarget: 0.95, timeSliceWindow: 15m}")
    text = text.replace(
        "indicator: latency, threshold_ms: 2000", "indicator: error_rate, region: eu, minimum_events: 5"
    )
    (settings.root / "slos" / "mine.yml").write_text(text)
    (row,) = documents.rows(documents.documents(settings))
    assert row | {"indicator": "error_rate", "region": "eu", "minimum_events": 5, "window_days": 28} == row
    assert row | {"slice_minutes": 15, "slice_target": Decimal("0.95"), "budgeting_method": "Timeslices"} == row


def test_an_alert_on_slices_needs_one(settings):
    text = DOCUMENT.replace("Occurrences", "Timeslices")
    text = text.replace("{target: 0.9}", "{target: 0.9, timeSliceTarget: 0.95, timeSliceWindow: 1h}")
    (settings.root / "slos" / "mine.yml").write_text(text)
    (row,) = documents.rows(documents.documents(settings))
    assert row["minimum_events"] == 1


def test_a_folder_is_all_its_documents_and_one_without_any_is_named(tmp_path):
    with pytest.raises(BadSloError, match="no \\*\\.yml file"):
        documents.files(tmp_path)
    for name in ("b.yml", "a.yaml", "notes.txt"):
        (tmp_path / name).write_text(DOCUMENT)
    assert documents.files(tmp_path) == [tmp_path / "a.yaml", tmp_path / "b.yml"]
    assert documents.files(tmp_path / "b.yml") == [tmp_path / "b.yml"]


def test_a_name_used_twice_is_named(settings):
    for name in ("a.yml", "b.yaml"):
        (settings.root / "slos" / name).write_text(DOCUMENT)
    with pytest.raises(BadSloError, match="more than one objective is named mine"):
        documents.documents(settings)
