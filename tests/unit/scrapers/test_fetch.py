"""Fetching: polite, safe, whole. Most against a stand-in for the network, the rest against loopback."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from scrapers.errors import (
    BodyTooLarge,
    FetchError,
    FetchTimeout,
    ForbiddenUrl,
    PageNotFound,
    RateLimited,
    RobotsDisallowed,
    UnexpectedRedirect,
)
from scrapers.fetch import Fetcher, Limits, fetch, same_page
from scrapers.providers import Source
from scrapers.store import PageStore

URL = "https://acme.example/docs/pricing"
SOURCE = Source(name="pricing", url=URL)
NOON = datetime(2026, 7, 27, 12, 0, tzinfo=UTC)

Answers = Callable[[httpx.Request], httpx.Response]


class Site:
    """A site made of answers, a clock that only sleeping moves, and what was asked of it."""

    def __init__(self, pages: dict[str, Any], *, robots: Any = 404, **limits: Any) -> None:
        self.pages = {"https://acme.example/robots.txt": robots} | pages
        self.asked: list[httpx.Request] = []
        self.slept: list[float] = []
        self.clock = 1000.0
        self.fetcher = Fetcher(
            limits=Limits(**({"host_delay_seconds": 0.0} | limits)),
            transport=httpx.MockTransport(self._answer),
            sleep=self._sleep,
            clock=lambda: self.clock,
            now=lambda: NOON,
        )

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock += seconds

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.pages[str(request.url)]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            answer = httpx.Response(answer)
        if isinstance(answer, str | bytes):
            answer = httpx.Response(200, content=answer)
        assert isinstance(answer, httpx.Response)
        return answer

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.asked]


def redirect(to: str, status: int = 301) -> httpx.Response:
    return httpx.Response(status, headers={"location": to})


@pytest.fixture
def store(tmp_path: Path) -> PageStore:
    return PageStore(tmp_path)


def test_a_page_is_fetched_stored_and_recorded(store: PageStore) -> None:
    headers = {"content-type": "text/html", "etag": '"1"', "set-cookie": "id=hunter2"}
    site = Site({URL: httpx.Response(200, content=b"<html>", headers=headers)})
    capture = site.fetcher.fetch(SOURCE, store, name="acme/pricing")
    assert (capture.body, capture.source, capture.url) == (b"<html>", "acme/pricing", URL)
    assert (capture.captured_at, capture.status_code, capture.content_type) == (NOON, 200, "text/html")
    (record,) = store.records()
    assert (record.outcome, record.redirects, record.final_url) == ("fetched", (), URL)
    assert "set-cookie" not in record.headers
    assert site.paths == ["/robots.txt", "/docs/pricing"]
    request = site.asked[-1]
    assert request.headers["user-agent"].startswith("ratehouse")
    assert request.headers["accept-encoding"] == "gzip"
    assert not {"cookie", "authorization", "referer"} & set(request.headers)


def test_the_source_names_the_capture_unless_told_otherwise(store: PageStore) -> None:
    assert fetch(SOURCE, store, fetcher=Site({URL: "x"}).fetcher).source == "pricing"


# Asking again.


def test_asking_again_sends_the_validators_and_records_unchanged(store: PageStore) -> None:
    stamp = "Mon, 27 Jul 2026 10:00:00 GMT"
    first = httpx.Response(200, content=b"page", headers={"etag": '"1"', "last-modified": stamp})
    site = Site({URL: [first, httpx.Response(304)]})
    site.fetcher.fetch(SOURCE, store)
    again = site.fetcher.fetch(SOURCE, store)
    assert again.body == b"page"
    assert site.asked[-1].headers["if-none-match"] == '"1"'
    assert site.asked[-1].headers["if-modified-since"] == stamp
    assert [(r.outcome, r.status) for r in store.records()] in (
        [("fetched", 200), ("unchanged", 304)],
        [("unchanged", 304), ("fetched", 200)],
    )


def test_the_same_content_again_is_one_body_and_two_records(store: PageStore) -> None:
    site = Site({URL: "page"})
    site.fetcher._now = iter([NOON, NOON.replace(hour=13)]).__next__
    first, again = site.fetcher.fetch(SOURCE, store), site.fetcher.fetch(SOURCE, store)
    assert first.sha256 == again.sha256
    assert len(store.records()) == 2
    assert len(list((store.root / "pages").rglob("*.body"))) == 1


def test_no_validators_when_the_stored_body_is_damaged_or_of_another_address(store: PageStore) -> None:
    site = Site({URL: [httpx.Response(200, content=b"page", headers={"etag": '"1"'}), "page"], f"{URL}.md": "other"})
    capture = site.fetcher.fetch(SOURCE, store)
    site.fetcher.fetch(Source(name="pricing", url=f"{URL}.md"), store)
    assert "if-none-match" not in site.asked[-1].headers
    site.fetcher.fetch(SOURCE, store)
    store.body_path(capture.sha256).write_bytes(b"harm")
    assert site.fetcher.fetch(SOURCE, store).body == b"page"
    assert "if-none-match" not in site.asked[-1].headers
    assert store.body(capture.sha256) == b"page"


def test_unchanged_without_having_asked_is_an_error(store: PageStore) -> None:
    with pytest.raises(FetchError, match="status 304"):
        Site({URL: 304}).fetcher.fetch(SOURCE, store)


# Manners.


def test_requests_to_one_host_are_apart(store: PageStore) -> None:
    other = "https://other.example/p"
    site = Site({URL: "a", other: "b", "https://other.example/robots.txt": 404}, host_delay_seconds=1.5)
    site.fetcher.fetch(SOURCE, store)
    assert site.slept == [1.5]  # between robots.txt and the page
    site.clock += 0.5
    site.fetcher.fetch(SOURCE, store)
    assert site.slept == [1.5, 1.0]
    site.fetcher.fetch(Source(name="other", url=other), store)
    assert site.slept == [1.5, 1.0, 1.5]


def test_a_crawl_delay_is_kept_up_to_a_limit(store: PageStore) -> None:
    site = Site({URL: "a"}, robots="User-agent: *\nCrawl-delay: 7")
    site.fetcher.fetch(SOURCE, store)
    assert site.slept == [7.0]
    site = Site({URL: "a"}, robots="User-agent: *\nCrawl-delay: 9999")
    site.fetcher.fetch(SOURCE, store)
    assert site.slept == [30.0]


def test_robots_are_obeyed_and_read_once_a_day(store: PageStore) -> None:
    site = Site({URL: "a"}, robots="User-agent: *\nDisallow: /docs/")
    for _ in range(2):
        with pytest.raises(RobotsDisallowed, match=r"robots\.txt asks not"):
            site.fetcher.fetch(SOURCE, store)
    assert site.paths == ["/robots.txt"]
    site.clock += 25 * 3600
    site.pages["https://acme.example/robots.txt"] = "User-agent: *\nAllow: /"
    assert site.fetcher.fetch(SOURCE, store).body == b"a"
    assert store.records()[0].source == "pricing"


def test_rules_for_others_are_not_ours(store: PageStore) -> None:
    robots = "User-agent: somebot\nDisallow: /\n\nUser-agent: ratehouse\nDisallow: /private\n"
    assert Site({URL: "a"}, robots=robots).fetcher.fetch(SOURCE, store).body == b"a"


@pytest.mark.parametrize("status", [404, 400, 410])
def test_missing_robots_allow(store: PageStore, status: int) -> None:
    assert Site({URL: "a"}, robots=status).fetcher.fetch(SOURCE, store).body == b"a"


@pytest.mark.parametrize(
    "robots", [500, 503, 429, 401, 403, 204, httpx.ConnectError("refused"), b"x" * 1_000_001], ids=repr
)
def test_robots_that_cannot_be_had_disallow(store: PageStore, robots: Any) -> None:
    site = Site({URL: "a"}, robots=robots)
    with pytest.raises(RobotsDisallowed):
        site.fetcher.fetch(SOURCE, store)
    assert URL not in [str(request.url) for request in site.asked]
    assert store.records() == []


def test_robots_may_redirect_but_not_to_a_private_address(store: PageStore) -> None:
    elsewhere = "https://www.acme.example/robots.txt"
    site = Site({URL: "a", elsewhere: "User-agent: *\nDisallow: /"}, robots=redirect(elsewhere))
    with pytest.raises(RobotsDisallowed):
        site.fetcher.fetch(SOURCE, store)
    with pytest.raises(ForbiddenUrl):
        Site({URL: "a"}, robots=redirect("http://169.254.169.254/")).fetcher.fetch(SOURCE, store)


# Trying again.


@pytest.mark.parametrize("passing", [500, 502, 503, 429, httpx.ConnectError("x"), httpx.ReadTimeout("x")], ids=repr)
def test_what_may_pass_is_tried_again(store: PageStore, passing: Any) -> None:
    site = Site({URL: [passing, passing, "a"]})
    assert site.fetcher.fetch(SOURCE, store).body == b"a"
    assert site.slept == [1.0, 2.0]


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (503, FetchError, "status 503"),
        (429, RateLimited, "status 429"),
        (httpx.ConnectError("refused"), FetchError, "ConnectError: refused"),
    ],
)
def test_what_does_not_pass_is_an_error_after_three_times(
    store: PageStore, answer: Any, error: type[FetchError], said: str
) -> None:
    site = Site({URL: answer})
    with pytest.raises(error, match=said):
        site.fetcher.fetch(SOURCE, store)
    assert site.paths.count("/docs/pricing") == 3
    assert store.records() == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (404, PageNotFound),
        (410, PageNotFound),
        (400, FetchError),
        (401, FetchError),
        (403, FetchError),
        (204, FetchError),
    ],
)
def test_a_refusal_is_not_tried_again(store: PageStore, answer: int, error: type[Exception]) -> None:
    site = Site({URL: answer})
    with pytest.raises(error, match=f"status {answer}"):
        site.fetcher.fetch(SOURCE, store)
    assert site.paths.count("/docs/pricing") == 1


@pytest.mark.parametrize(
    ("value", "waited"),
    [
        ("7", 7.0),
        ("9999", 30.0),
        ("0", 0.0),
        ("Mon, 27 Jul 2026 12:00:09 GMT", 9.0),
        ("Mon, 27 Jul 2026 11:00:00 GMT", 0.0),
        ("soon", 1.0),
        ("-5", 1.0),
    ],
)
def test_retry_after_is_honoured_up_to_a_limit(store: PageStore, value: str, waited: float) -> None:
    site = Site({URL: [httpx.Response(429, headers={"retry-after": value}), "a"]})
    site.fetcher.fetch(SOURCE, store)
    assert site.slept == [waited]


def test_no_wait_outlasts_the_total(store: PageStore) -> None:
    site = Site({URL: httpx.Response(503, headers={"retry-after": "25"})}, total_seconds=40.0)
    with pytest.raises(FetchTimeout, match="no time is left for another attempt"):
        site.fetcher.fetch(SOURCE, store)
    assert sum(site.slept) <= 40


# Redirects.


def test_a_redirect_to_the_same_page_is_followed_and_recorded(store: PageStore) -> None:
    second, third = "https://www.acme.example/docs/pricing", "https://www.acme.example/en/docs/pricing/"
    site = Site(
        {URL: redirect(second), second: redirect("/en/docs/pricing/", 308), third: "a"}
        | {"https://www.acme.example/robots.txt": 404}
    )
    capture = site.fetcher.fetch(SOURCE, store)
    assert capture.final_url == third
    (record,) = store.records()
    assert [(hop.url, hop.status) for hop in record.redirects] == [(URL, 301), (second, 308)]
    assert (record.url, record.final_url) == (URL, third)


@pytest.mark.parametrize(
    "to",
    [
        "/",
        "https://acme.example",
        "/docs",
        "/docs/pricing-old",
        "/login?next=/docs/pricing",
        "https://elsewhere.example/docs/pricing",
        "https://docs.acme.example/docs/pricing",
        "https://acme.example:8443/docs/pricing",
    ],
)
def test_a_redirect_to_another_page_is_not_followed(store: PageStore, to: str) -> None:
    site = Site({URL: redirect(to)})
    with pytest.raises(UnexpectedRedirect, match="another page"):
        site.fetcher.fetch(SOURCE, store)
    assert len(site.asked) == 2
    assert store.records() == []


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.1/docs/pricing",
        "http://169.254.169.254/docs/pricing",
        "http://[::ffff:10.0.0.1]/docs/pricing",
        "http://2130706433/docs/pricing",
        "ftp://acme.example/docs/pricing",
        "https://me:pw@acme.example/docs/pricing",
        "file:///docs/pricing",
        "https://[not-an-address/",
    ],
)
def test_a_redirect_to_a_forbidden_address_is_refused(store: PageStore, to: str) -> None:
    site = Site({URL: redirect(to)})
    with pytest.raises(ForbiddenUrl):
        site.fetcher.fetch(SOURCE, store)
    assert len(site.asked) == 2


def test_redirects_end(store: PageStore) -> None:
    site = Site({URL: redirect(f"{URL}/"), f"{URL}/": redirect(URL)})
    with pytest.raises(UnexpectedRedirect, match="more than 5 redirects"):
        site.fetcher.fetch(SOURCE, store)
    assert len(site.asked) == 7


def test_a_redirect_never_leaves_https(store: PageStore) -> None:
    with pytest.raises(UnexpectedRedirect, match="from https to http"):
        Site({URL: redirect(URL.replace("https", "http"))}).fetcher.fetch(SOURCE, store)


def test_a_redirect_must_say_where(store: PageStore) -> None:
    with pytest.raises(FetchError, match="without a location"):
        Site({URL: 302}).fetcher.fetch(SOURCE, store)


def test_robots_of_the_next_host_are_heeded_too(store: PageStore) -> None:
    site = Site(
        {URL: redirect("https://www.acme.example/docs/pricing")},
    )
    site.pages["https://www.acme.example/robots.txt"] = "User-agent: *\nDisallow: /docs"
    with pytest.raises(RobotsDisallowed):
        site.fetcher.fetch(SOURCE, store)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/pricing", "https://www.a.example/Pricing/", True),
        ("http://a.example/pricing", "https://a.example/pricing", True),
        ("https://a.example/pricing", "https://a.example/pricing.html?x=1", True),
        ("https://a.example/pricing", "https://a.example/de/pricing/index.html", True),
        ("https://a.example/pricing", "https://a.example/en-us/pricing", True),
        ("https://a.example/", "https://a.example/en/", True),
        ("https://a.example/pricing", "https://a.example/", False),
        ("https://a.example/pricing", "https://a.example/en/", False),
        ("https://a.example/pricing", "https://a.example/blog/pricing", False),
        ("https://a.example/pricing.md", "https://a.example/pricing", False),
        ("https://a.example/pricing", "https://b.example/pricing", False),
        ("https://a.example/pricing", "https://a.example:444/pricing", False),
    ],
)
def test_what_the_same_page_is(one: str, other: str, same: bool) -> None:
    assert same_page(httpx.URL(one), httpx.URL(other)) is same


@pytest.mark.parametrize("url", ["http://127.0.0.1/p", "ftp://a.example/p", "https://me@a.example/p"])
def test_a_forbidden_source_is_not_asked(store: PageStore, url: str) -> None:
    site = Site({})
    with pytest.raises(ForbiddenUrl):
        site.fetcher.fetch(Source(name="x", url=url), store)
    assert site.asked == []


def test_cookies_are_neither_kept_nor_sent(store: PageStore) -> None:
    with_cookie = httpx.Response(302, headers={"location": f"{URL}/", "set-cookie": "a=b; Path=/"})
    site = Site({URL: with_cookie, f"{URL}/": "page"})
    site.fetcher.fetch(SOURCE, store)
    assert all("cookie" not in request.headers for request in site.asked)


def test_nothing_of_the_environment_is_used(store: PageStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine acme.example login me password hunter2")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    site = Site({URL: "a"})
    site.fetcher.fetch(SOURCE, store)
    assert all("authorization" not in request.headers for request in site.asked)
    assert Fetcher()._client._mounts == {}


# A real server, on loopback.

BIG = b"0123456789" * 1000


class Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        try:
            getattr(self, "page_" + self.path.strip("/").split("/")[0].replace(".", "_"))()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass

    def say(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"content_length": str(len(body))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def page_robots_txt(self) -> None:
        self.say(b"User-agent: *\nDisallow: /secret")

    def page_plain(self) -> None:
        self.say(BIG, etag='"1"') if self.headers["if-none-match"] != '"1"' else self.say(b"", 304)

    def page_zipped(self) -> None:
        half = len(BIG) // 2
        self.say(gzip.compress(BIG[:half]) + gzip.compress(BIG[half:]), content_encoding="gzip")

    def page_bomb(self) -> None:
        self.say(gzip.compress(bytes(30_000_000)), content_encoding="gzip")

    def page_half(self) -> None:
        self.say(gzip.compress(BIG)[:-20], content_encoding="gzip")

    def page_brotli(self) -> None:
        self.say(b"\x1b\x00", content_encoding="br")

    def page_short(self) -> None:
        self.say(b"ten bytes!", content_length="1000")
        self.close_connection = True

    def page_declared(self) -> None:
        self.say(b"", content_length="99999999")
        self.close_connection = True

    def page_endless(self) -> None:
        self.send_response(200)
        self.send_header("connection", "close")
        self.end_headers()
        while True:
            self.wfile.write(BIG)

    def page_trickle(self) -> None:
        self.send_response(200)
        self.send_header("connection", "close")
        self.end_headers()
        self.drip()

    def page_heads(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
        self.drip()

    def drip(self) -> None:
        for _ in range(100):
            self.wfile.write(b".")
            self.wfile.flush()
            time.sleep(0.02)

    def page_silent(self) -> None:
        time.sleep(1)
        self.close_connection = True

    def page_moved(self) -> None:
        self.say(b"", 301, location="/moved/" if not self.path.endswith("/") else "/")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as listening:
        listening.daemon_threads = True
        listening.block_on_close = False
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()


def from_server(server: str, page: str, store: PageStore, **limits: Any) -> bytes:
    chosen = Limits(**({"host_delay_seconds": 0.0, "attempts": 1, "body_bytes": 1_000_000} | limits))
    with Fetcher(limits=chosen, allow_loopback=True, sleep=lambda _: None) as fetcher:
        return fetcher.fetch(Source(name=page, url=f"{server}/{page}"), store).body


def test_a_real_page(server: str, store: PageStore) -> None:
    assert from_server(server, "plain", store) == BIG
    assert from_server(server, "plain", store) == BIG
    assert [record.status for record in store.records()] == [200, 304]


def test_a_zipped_page_in_two_members(server: str, store: PageStore) -> None:
    assert from_server(server, "zipped", store) == BIG
    assert store.records()[0].size == len(BIG)


@pytest.mark.parametrize("page", ["bomb", "endless", "declared"])
def test_a_body_too_large_is_cut_off(server: str, store: PageStore, page: str) -> None:
    with pytest.raises(BodyTooLarge, match="larger than 1000000 bytes"):
        from_server(server, page, store)
    assert store.records() == []


@pytest.mark.parametrize(("page", "said"), [("short", "RemoteProtocolError"), ("half", "ends too soon")])
def test_a_body_that_ends_too_soon_is_no_page(server: str, store: PageStore, page: str, said: str) -> None:
    with pytest.raises(FetchError, match=said):
        from_server(server, page, store, attempts=2)
    assert store.records() == []


def test_a_coding_that_was_not_asked_for(server: str, store: PageStore) -> None:
    with pytest.raises(FetchError, match="'br'"):
        from_server(server, "brotli", store)


@pytest.mark.parametrize("page", ["trickle", "heads"])
def test_a_trickle_ends_with_the_total(server: str, store: PageStore, page: str) -> None:
    begun = time.monotonic()
    with pytest.raises(FetchTimeout, match=page):
        from_server(server, page, store, total_seconds=0.3, read_seconds=0.2, attempts=3)
    assert time.monotonic() - begun < 1.5


def test_silence_ends_with_the_read_limit(server: str, store: PageStore) -> None:
    with pytest.raises(FetchError, match="ReadTimeout"):
        from_server(server, "silent", store, read_seconds=0.1)


def test_a_redirect_home(server: str, store: PageStore) -> None:
    with pytest.raises(UnexpectedRedirect, match="another page"):
        from_server(server, "moved", store)


def test_a_disallowed_page(server: str, store: PageStore) -> None:
    with pytest.raises(RobotsDisallowed):
        from_server(server, "secret", store)


def test_loopback_is_refused_by_default(server: str, store: PageStore) -> None:
    name = server.replace("127.0.0.1", "localhost")
    with Fetcher(limits=Limits(attempts=1)) as fetcher:
        for url in (f"{server}/plain", f"{name}/plain"):
            with pytest.raises(ForbiddenUrl, match="not a public address"):
                fetcher.fetch(Source(name="x", url=url), store)


def test_a_public_name_that_resolves_to_loopback_is_refused(server: str, store: PageStore) -> None:
    port = int(server.rsplit(":", 1)[1])

    def resolve(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        return [(0, 0, 0, "", ("127.0.0.1", port))]

    with Fetcher(resolve=resolve) as fetcher, pytest.raises(ForbiddenUrl, match=r"prices\.example"):
        fetcher.fetch(Source(name="x", url=f"http://prices.example:{port}/plain"), store)


LIST = Source(name="list", url=f"{URL}?kind=tokens", next_page=lambda body: body.decode().partition(">")[2] or None)


def test_a_list_in_parts_is_fetched_to_its_end_and_stored_as_one(tmp_path: Path) -> None:
    site = Site({LIST.url: f"one>{URL}?skip=1", f"{URL}?skip=1": f"two>{URL}?skip=2", f"{URL}?skip=2": "three"})
    store = PageStore(tmp_path)
    capture = site.fetcher.fetch(LIST, store)
    assert capture.body.split(b"\n") == [f"one>{URL}?skip=1".encode(), f"two>{URL}?skip=2".encode(), b"three"]
    site.fetcher.fetch(LIST, store)
    assert "if-none-match" not in site.asked[-1].headers
    assert len([one for one in site.asked if one.url.path != "/robots.txt"]) == 6


@pytest.mark.parametrize(
    ("following", "error", "limits"),
    [
        (LIST.url, FetchError, {}),  # in circles
        ("https://other.example/docs/pricing?skip=1", UnexpectedRedirect, {}),
        ("https://acme.example/elsewhere?skip=1", UnexpectedRedirect, {}),
        ("http://127.0.0.1/docs/pricing", ForbiddenUrl, {}),
        (f"{URL}?skip=1", PageNotFound, {}),
        (f"{URL}?skip=2", FetchError, {"parts": 1}),
        (f"{URL}?skip=2", BodyTooLarge, {"body_bytes": 60}),
    ],
)
def test_a_list_that_cannot_be_had_whole_is_not_had(
    tmp_path: Path, following: str, error: type[Exception], limits: dict[str, Any]
) -> None:
    pages = {LIST.url: f"one>{following}", f"{URL}?skip=1": 404, f"{URL}?skip=2": "three" * 5}
    with pytest.raises(error):
        Site(pages, **limits).fetcher.fetch(LIST, PageStore(tmp_path))
    assert PageStore(tmp_path).records() == []
