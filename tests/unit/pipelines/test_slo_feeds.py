from __future__ import annotations

import pytest

from pipelines import warehouse
from pipelines.settings import Settings
from pipelines.slo import feeds
from pipelines.slo.feeds import BadFeedError

HEADER = "Date,Service,provider,partial_outage_minutes,major_outage_minutes,colour\n"


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home", threads=1, memory_limit="1GB")


def rows(settings):
    with warehouse.reading(settings) as connection:
        found = connection.execute("from raw.provider_outages order by all").fetchall()
    return [(provider, service, str(on), *minutes) for provider, service, on, *minutes in found]


def test_a_day_told_again_replaces_the_one_told_before(tmp_path, settings):
    file = tmp_path / "feed.csv"
    file.write_text(HEADER + "2026-03-01,api,p,10,0,red\n2026-03-02,api,p,0,0,green\n")
    assert feeds.load(settings, file) == feeds.load(settings, file) == 2
    file.write_text(HEADER + "2026-03-02,api,p,0,1440,black\n2026-03-02,chat,p,1,2,red\n")
    assert feeds.load(settings, file) == 2
    assert rows(settings) == [
        ("p", "api", "2026-03-01", 10, 0),
        ("p", "api", "2026-03-02", 0, 1440),
        ("p", "chat", "2026-03-02", 1, 2),
    ]
    assert feeds.ensure_table(settings) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Date,Service,provider\n2026-03-01,api,p\n", "lacks the column 'partial_outage_minutes'; it needs provider"),
        (HEADER + "yesterday,api,p,0,0,x\n", "cannot be read"),
        (HEADER + "2026-03-01,api,p,0,0,x\n2026-03-01,api,p,0,0,x\n", "p api on 2026-03-01 is there twice"),
        (HEADER + "2026-03-01,api,p,0,1441,x\n", "no minutes between 0 and 1,440"),
        (HEADER + "2026-03-01,api,p,-1,0,x\n", "no minutes between 0 and 1,440"),
        (HEADER + "2026-03-01,api,p,,0,x\n", "no minutes between 0 and 1,440"),
        (HEADER + "2026-03-01,,p,0,0,x\n", "is there twice, or has no"),
    ],
)
def test_a_feed_that_cannot_be_believed_is_named_and_leaves_what_was(tmp_path, settings, text, words):
    good = tmp_path / "good.csv"
    good.write_text(HEADER + "2026-03-01,api,p,10,0,red\n")
    feeds.load(settings, good)
    file = tmp_path / "it's bad.csv"
    file.write_text(text)
    with pytest.raises(BadFeedError, match=words):
        feeds.load(settings, file)
    assert rows(settings) == [("p", "api", "2026-03-01", 10, 0)]


def test_a_file_that_is_not_there_is_named(tmp_path, settings):
    with pytest.raises(BadFeedError, match=r"nowhere\.csv does not exist"):
        feeds.load(settings, tmp_path / "nowhere.csv")
