"""The report page, drawn and read back. Importing the drawing takes seconds."""

from __future__ import annotations

import pytest
from lxml import html

from pipelines import warehouse
from pipelines.settings import Settings
from reports import page
from reports.errors import NothingToReportError

EVIL = "<script>alert('&')</script>"
# A namespace is a name in the form of an address; nobody fetches it.
NAMES = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink")

_MARTS = """
create table marts.cost_calls (
    request_id varchar, tenant varchar, occurred_on date, provider varchar, provider_reported varchar, model varchar,
    cost decimal(38, 18), cost_usd decimal(38, 18), cost_status varchar, status varchar, latency_ms double);
create table marts.cost_daily (
    tenant varchar, occurred_on date, model varchar, attempt_count bigint, unpriced_count bigint,
    cost_usd decimal(38, 18), failed_cost_usd decimal(38, 18));
create table marts.cost_gaps (
    provider varchar, provider_reported varchar, model varchar, cost_status varchar, attempt_count bigint,
    cost_reported decimal(38, 18));
create table marts.latency_hourly (hour_at timestamptz, provider varchar, latency_p95_ms double, answered_count bigint);
create table marts.slo_attainment_daily (
    occurred_on date, slo_name varchar, indicator varchar, target decimal(9, 8), good_count bigint, total_count bigint,
    attainment double, is_met boolean);
create table marts.forecast_daily (
    tenant varchar, forecast_on date, forecast_usd double, lo_80_usd double, hi_80_usd double, lo_95_usd double,
    hi_95_usd double);
"""

_ROWS = """
insert into marts.cost_calls values
    ('r1', 'acme', '2026-10-01', 'openai', 'openai', 'gpt-4o', 1.25, 1.25, 'exact', 'ok', 800),
    ('r1', 'acme', '2026-10-02', 'openai', 'openai', 'gpt-4o', 1233.31, 1233.31, 'exact', 'error', 9000),
    ('r2', '{evil}', '2026-10-02', null, '{evil}', '{evil}', null, null, 'unknown_model', 'ok', 2500),
    ('r3', 'acme', '2026-10-02', 'openai', 'openai', 'tiny', 0.0001234, 0.0001234, 'exact', 'ok', null);
insert into marts.cost_daily values
    ('acme', '2026-10-01', 'gpt-4o', 1, 0, 1.25, 0), ('acme', '2026-10-02', 'gpt-4o', 1, 0, 1233.31, 1233.31),
    ('acme', '2026-10-02', 'tiny', 1, 0, 0.0001234, 0), ('{evil}', '2026-10-02', '{evil}', 1, 1, null, null);
insert into marts.cost_gaps values (null, '{evil}', '{evil}', 'unknown_model', 1, 0.5);
insert into marts.latency_hourly values ('2026-10-01 10:00:00+00', '{evil}', 800, 1);
insert into marts.slo_attainment_daily values
    ('2026-10-01', '{evil}', 'availability', 0.5, 1, 1, 1, true),
    ('2026-10-02', '{evil}', 'availability', 0.5, 0, 2, 0, false);
insert into marts.forecast_daily values
    ('', '2026-10-03', 10.5, 9, 12, 8, 13), ('', '2026-10-04', 20.25, 18, 22, 17, 24), ('acme', '2026-10-03', 99, 1, 1, 1, 1);
"""


@pytest.fixture
def marts(tmp_path):
    with warehouse.writing(Settings(home=tmp_path / "home", threads=2, memory_limit="1GB")) as connection:
        connection.execute(_MARTS)
        yield connection


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    with warehouse.writing(Settings(home=folder / "home", threads=2, memory_limit="1GB")) as connection:
        connection.execute(_MARTS)
        connection.execute(_ROWS.format(evil=EVIL.replace("'", "''")))
        file = page.write(connection, folder / "reports" / "overview.html", title=f"Spend {EVIL}")
    text = file.read_text(encoding="utf-8")
    return text, html.fromstring(text)


def cells(document, heading):
    """The rows of the first table after a heading, without its header."""
    (table,) = document.xpath(f"//h2[. = '{heading}']/following::table[1]")
    return [[cell.text_content() for cell in row] for row in table.xpath(".//tr")[1:]]


def test_the_page_holds_the_numbers_given(made):
    _, document = made
    tiles = {tile.findtext("span"): tile.findtext("b") for tile in document.xpath("//div[@class='tile']")}
    assert tiles == {
        "spent on priced calls": "$1,234.56",
        "attempts of 3 requests": "4",
        "attempts not answered well": "25 %",
        "latency, p95": "2.42 s",  # of the two answered attempts with a duration: 800 + 0.95 (2500 - 800)
        "attempts without a cost": "1",
        "expected, next 30 days": "$30.75",
    }
    assert "2026-10-01 to 2026-10-02, days in UTC" in document.text_content()
    assert "$30.75 expected from 2026-10-03 to 2026-10-04" in document.text_content()
    assert cells(document, "Spend") == [
        ["openai", "gpt-4o", "2", "$1,234.56", "0", "800 ms"],
        ["openai", "tiny", "1", "$0.0001234", "0", "–"],
        [EVIL, EVIL, "1", "–", "1", "2.50 s"],  # unknown is not zero
    ]
    assert cells(document, "Tenants") == [["acme", "3", "$1,234.56", "$1,233.31", "0"], [EVIL, "1", "–", "–", "1"]]
    assert cells(document, "Service levels") == [[EVIL, "availability", "50 %", "33.3 %", "1"]]
    assert cells(document, "What has no cost") == [[EVIL, EVIL, "unknown model", "1", "$0.5"]]


def test_what_came_from_outside_is_text_and_not_markup(made):
    text, document = made
    assert not document.xpath("//script")
    assert "<script" not in text
    assert document.findtext(".//title") == f"Spend {EVIL}"


def test_nothing_is_fetched_from_anywhere(made):
    text, document = made
    assert len(document.xpath("//svg")) == 4
    assert document.xpath("//svg//path")
    assert not document.xpath("//link | //img | //iframe | //object | //embed | //image | //foreignobject")
    assert not [value for value in document.xpath("//@href | //@src | //@*[name() = 'xlink:href']") if value[0] != "#"]
    for name in NAMES:
        text = text.replace(f'"{name}"', "")
    for sign in ("http:", "https:", '"//', "url(h", "@import", "@font-face"):
        assert sign not in text


def test_a_report_without_prices_and_objectives_says_so(marts, tmp_path):
    marts.execute("insert into marts.cost_calls select * replace (null as cost, null as cost_usd) from (values ("
                  "'r', 't', date '2026-10-01', 'p', 'p', 'm', 1, 1, 'no_price', 'ok', 1.0)) as t (request_id, tenant,"
                  " occurred_on, provider, provider_reported, model, cost, cost_usd, cost_status, status, latency_ms)")  # fmt: skip
    document = html.parse(page.write(marts, tmp_path / "overview.html")).getroot()
    assert not document.xpath("//svg")
    for words in ("No call could be priced.", "No objective had traffic.", "Every call has a cost."):
        assert words in document.text_content()
    assert document.xpath("string(//div[@class='tile'][1]/b)") == "–"


def test_before_the_first_call_there_is_nothing_to_report(marts, tmp_path):
    with pytest.raises(NothingToReportError, match="ratehouse ingest FILE"):
        page.write(marts, tmp_path / "overview.html")
    assert not (tmp_path / "overview.html").exists()
