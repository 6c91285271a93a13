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
        ("7d", "7w", 11, "duration"),
        ("Occurrences", "Timeslices", 12, "spec.budgetingMethod"),
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
    assert rows == [("mine", "latency", None, "gpt-4o", None, 2000.0, Decimal("0.90000000"), 7)]


def test_a_name_used_twice_is_named(settings):
    for name in ("a.yml", "b.yaml"):
        (settings.root / "slos" / name).write_text(DOCUMENT)
    with pytest.raises(BadSloError, match="more than one objective is named mine"):
        documents.documents(settings)
