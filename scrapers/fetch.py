"""Fetching one page politely, safely and whole, into the page store.

**Polite.** robots.txt is read first, and obeyed; requests to one host are apart by a delay; a page is asked
for with the validators of its last capture, and an answer 304 is recorded as unchanged; only network
errors, 429 and 5xx are tried again, after the time the site asks for or a growing pause.

**Safe.** Every address, each redirect's too, is checked as `addresses` says. No cookie is kept or sent, no
setting of the environment used, no secret recorded. Time is limited for one read and for the whole
fetch, waits included; size is limited while the body streams in, before and after decompression.

**Whole.** A redirect is followed by hand, and only to the same page: another host, a home page or another
path is UnexpectedRedirect, because what is there is not what was asked for. A body that ends too soon is
a network error, never a short page.

Belongs here: from an address to a capture. Does not belong here: what the page says.
"""

from __future__ import annotations

import email.utils
import re
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.robotparser import RobotFileParser

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from scrapers.addresses import Clock, Deadline, GuardedTransport, Resolve, check_url, public_url
from scrapers.errors import (
    BodyTooLarge,
    FetchError,
    FetchTimeout,
    ForbiddenUrl,
    PageNotFound,
    RateLimited,
    RobotsDisallowed,
    StoreDamaged,
    UnexpectedRedirect,
)
from scrapers.prices import Capture
from scrapers.providers import Source
from scrapers.store import CaptureRecord, Hop, PageStore

ROBOTS_NAME: Final = "ratehouse"
USER_AGENT: Final = f"{ROBOTS_NAME} (reads public price pages, seldom)"
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_ROBOTS_BYTES: Final = 1_000_000
_ROBOTS_SECONDS: Final = 24 * 3600.0
_CRAWL_DELAY_MOST: Final = 30.0
_GZIP: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Limits:
    """What one fetch may take."""

    total_seconds: float = 120.0
    connect_seconds: float = 10.0
    read_seconds: float = 20.0
    body_bytes: int = 20_000_000
    redirects: int = 5
    parts: int = 100  # of a list served in parts; Azure's longest family has 20 of 100 prices
    attempts: int = 3
    retry_after_seconds: float = 30.0  # the longest wait a site's Retry-After can ask for
    host_delay_seconds: float = 1.0


class Fetcher:
    """Fetches pages one at a time, and remembers hosts: when each was last asked, and its robots.txt.

    One object is meant to fetch all sources of a run. `transport` replaces the network, and with it
    the check of what names resolve to; addresses are checked as they are written in any case.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        transport: httpx.BaseTransport | None = None,
        allow_loopback: bool = False,
        resolve: Resolve = socket.getaddrinfo,
        sleep: Callable[[float], None] = time.sleep,
        clock: Clock = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.limits = limits or Limits()
        self._allow_loopback = allow_loopback
        self._sleep = sleep
        self._clock = clock
        self._now = now
        self._deadline = Deadline(clock)
        self._client = httpx.Client(
            transport=transport
            or GuardedTransport(deadline=self._deadline, resolve=resolve, allow_loopback=allow_loopback),
            timeout=httpx.Timeout(self.limits.read_seconds, connect=self.limits.connect_seconds),
            headers={
                "user-agent": USER_AGENT,
                "accept": "text/html, application/json, text/markdown, text/plain, */*;q=0.5",
                "accept-language": "en",
                "accept-encoding": "gzip",
            },
            follow_redirects=False,
            trust_env=False,
        )
        self._last_asked: dict[str, float] = {}
        self._host_delay: dict[str, float] = {}
        self._robots: dict[tuple[str, str, int | None], tuple[float, RobotFileParser]] = {}
        self._one_at_a_time = threading.Lock()

    def close(self) -> None:
        """Closes open connections."""
        self._client.close()

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fetch(self, source: Source, store: PageStore, *, name: str | None = None) -> Capture:
        """The page of a source as it is now, kept in the store with the record of this capture.

        `name` is what the capture is recorded under (default: the source's name). Raises FetchError
        and its kinds, or PageNotFound; nothing is recorded then.
        """
        with self._one_at_a_time:
            self._deadline.start(self.limits.total_seconds)
            # That the first part is unchanged says nothing of those after it.
            before = self._before(store, name or source.name, source.url) if source.next_page is None else None
            try:
                answer, hops = self._page(source.url, before)
                if source.next_page is not None:
                    answer = self._with_following(answer, source.next_page)
            except FetchTimeout as error:
                raise FetchTimeout(f"{public_url(source.url)}: {error}") from error
            if answer.status == 304 and before is not None:
                record = store.add_unchanged(
                    before, fetched_at=self._now(), redirects=tuple(hops), headers=answer.headers
                )
            else:
                record = store.add(
                    answer.body,
                    source=name or source.name,
                    url=source.url,
                    final_url=str(answer.url),
                    redirects=tuple(hops),
                    status=answer.status,
                    headers=answer.headers,
                    fetched_at=self._now(),
                )
            return store.capture(record)

    def _before(self, store: PageStore, name: str, url: str) -> CaptureRecord | None:
        """The last capture, if it is of this address and its body is whole."""
        before = store.latest(name)
        if before is None or before.url != public_url(url):
            return None
        try:
            store.body(before.sha256)
        except StoreDamaged:
            return None  # then the body is asked for again, and put back
        return before

    def _page(self, address: str, before: CaptureRecord | None) -> tuple[_Answer, list[Hop]]:
        asked = url = check_url(address, allow_loopback=self._allow_loopback)
        hops: list[Hop] = []
        while True:
            self._heed_robots(url)
            conditions = _conditions(before) if before and before.final_url == public_url(url) else {}
            answer = self._ask(url, conditions, self.limits.body_bytes)
            if answer.status not in _REDIRECTS:
                break
            hops.append(Hop(url=public_url(url), status=answer.status))
            target = self._target(answer, len(hops))
            if not same_page(asked, target):
                raise UnexpectedRedirect(f"{public_url(asked)} redirects to another page, {public_url(target)}")
            url = target
        if answer.status in (404, 410):
            raise PageNotFound(f"{public_url(url)}: status {answer.status}")
        if answer.status != 200 and not (answer.status == 304 and conditions):
            raise FetchError(f"{public_url(url)}: status {answer.status}")
        return answer, hops

    def _with_following(self, first: _Answer, next_page: Callable[[bytes], str | None]) -> _Answer:
        """The parts of a list as one answer, each as it came; all of them, or none."""
        bodies, asked = [first.body], {str(first.url)}
        while (address := next_page(bodies[-1])) is not None:
            url = check_url(address, allow_loopback=self._allow_loopback)
            if url.copy_with(query=None) != first.url.copy_with(query=None):
                raise UnexpectedRedirect(f"{public_url(first.url)} goes on at another page, {public_url(url)}")
            if str(url) in asked or len(asked) >= self.limits.parts:
                words = f"the list goes in circles, or has more than {self.limits.parts} parts"
                raise FetchError(f"{public_url(first.url)}: {words}")
            asked.add(str(url))
            part, _ = self._page(str(url), None)
            bodies.append(part.body)
            if sum(map(len, bodies)) > self.limits.body_bytes:
                raise BodyTooLarge(f"{public_url(first.url)}: the parts are larger than {self.limits.body_bytes} bytes")
        return replace(first, body=b"\n".join(bodies))

    def _target(self, answer: _Answer, hops: int) -> httpx.URL:
        """Where a redirect leads, checked."""
        here = public_url(answer.url)
        if hops > self.limits.redirects:
            raise UnexpectedRedirect(f"{here}: more than {self.limits.redirects} redirects")
        location = answer.headers.get("location")
        if not location:
            raise FetchError(f"{here}: status {answer.status} without a location")
        try:
            target = answer.url.join(location)
        except (httpx.InvalidURL, ValueError) as error:
            raise ForbiddenUrl(f"{here} redirects to what is no address: {error}") from error
        target = check_url(target, allow_loopback=self._allow_loopback)
        if answer.url.scheme == "https" and target.scheme != "https":
            raise UnexpectedRedirect(f"{here} redirects from https to {target.scheme}")
        return target

    def _heed_robots(self, url: httpx.URL) -> None:
        """Raises RobotsDisallowed where the site's robots.txt says so or cannot be had.

        A robots.txt that is not there allows everything; one that is refused (401, 403) or that the
        site fails to serve allows nothing.
        """
        origin = (url.scheme, url.host, url.port)
        read_at, rules = self._robots.get(origin, (float("-inf"), RobotFileParser()))
        if self._clock() - read_at > _ROBOTS_SECONDS:
            rules = self._read_robots(url)
            self._robots[origin] = (self._clock(), rules)
            delay = rules.crawl_delay(ROBOTS_NAME)
            self._host_delay[url.host] = min(float(delay or 0), _CRAWL_DELAY_MOST)
        if not rules.can_fetch(ROBOTS_NAME, str(url)):
            raise RobotsDisallowed(f"{public_url(url)}: the site's robots.txt asks not to fetch it")

    def _read_robots(self, page: httpx.URL) -> RobotFileParser:
        url = page.copy_with(raw_path=b"/robots.txt", fragment=None)
        hops = 0
        try:
            while (answer := self._ask(url, {}, _ROBOTS_BYTES)).status in _REDIRECTS:
                hops += 1
                url = self._target(answer, hops)
        except (ForbiddenUrl, FetchTimeout):
            raise
        except FetchError as error:
            raise RobotsDisallowed(f"{public_url(url)} cannot be had, so nothing is fetched: {error}") from error
        rules = RobotFileParser()
        if answer.status == 200:
            rules.parse(answer.body.decode("utf-8", errors="replace").removeprefix("\ufeff").splitlines())
        elif answer.status in (401, 403):
            rules.parse(["User-agent: *", "Disallow: /"])
        elif 400 <= answer.status < 500:
            rules.parse([])
        else:
            raise RobotsDisallowed(f"{public_url(url)}: status {answer.status}, so nothing is fetched")
        return rules

    def _ask(self, url: httpx.URL, headers: Mapping[str, str], most: int) -> _Answer:
        """One request, tried again where that may help. Redirects and errors come back as they are."""
        retrying = Retrying(
            stop=stop_after_attempt(self.limits.attempts),
            wait=self._pause,
            retry=retry_if_exception_type(_Transient),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(self._ask_once, url, headers, most)
        except _Transient as failed:
            raise failed.error from failed.__cause__

    def _pause(self, state: RetryCallState) -> float:
        failed = state.outcome.exception() if state.outcome else None
        seconds = 2.0 ** (state.attempt_number - 1)
        if isinstance(failed, _Transient) and failed.retry_after is not None:
            seconds = min(failed.retry_after, self.limits.retry_after_seconds)
        if seconds >= self._deadline.left():
            raise FetchTimeout(f"no time is left for another attempt after: {failed}") from failed
        return seconds

    def _ask_once(self, url: httpx.URL, headers: Mapping[str, str], most: int) -> _Answer:
        self._wait_for_host(url.host)
        self._deadline.left()
        self._client.cookies.clear()
        try:
            with self._client.stream("GET", url, headers=dict(headers)) as response:
                if response.status_code == 429 or response.status_code >= 500:
                    kind = RateLimited if response.status_code == 429 else FetchError
                    error = kind(f"{public_url(url)}: status {response.status_code}")
                    raise _Transient(error, _retry_after(response.headers.get("retry-after"), self._now()))
                body = b"" if response.status_code != 200 else b"".join(self._body(response, url, most))
                return _Answer(url, response.status_code, dict(response.headers), body)
        except (httpx.TransportError, zlib.error) as error:
            self._deadline.left()
            raise _Transient(FetchError(f"{public_url(url)}: {type(error).__name__}: {error}"), None) from error

    def _wait_for_host(self, host: str) -> None:
        delay = max(self.limits.host_delay_seconds, self._host_delay.get(host, 0.0))
        wait = self._last_asked.get(host, float("-inf")) + delay - self._clock()
        if wait > 0:
            self._sleep(self._deadline.left(wait))
        self._last_asked[host] = self._clock()

    def _body(self, response: httpx.Response, url: httpx.URL, most: int) -> Iterator[bytes]:
        """The body piece by piece, decompressed. Raises BodyTooLarge before more than `most` is held."""
        too_large = BodyTooLarge(f"{public_url(url)}: the body is larger than {most} bytes")
        declared = response.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > most:
            raise too_large
        size = 0
        for piece in _pieces(response, url, most):
            size += len(piece)
            if size > most:
                raise too_large
            self._deadline.left()
            yield piece


def fetch(source: Source, store: PageStore, *, name: str | None = None, fetcher: Fetcher | None = None) -> Capture:
    """The page of a source as it is now, kept in the store: `Fetcher.fetch`, with a fetcher for this once."""
    if fetcher is not None:
        return fetcher.fetch(source, store, name=name)
    with Fetcher() as once:
        return once.fetch(source, store, name=name)


def same_page(asked: httpx.URL, other: httpx.URL) -> bool:
    """Whether an address is the asked page in another spelling.

    Host and path must agree, apart from `www.`, letter case, a closing slash, `index.html`, `.html` and a
    language in front (`/en/pricing`).
    """

    def spelled(url: httpx.URL) -> tuple[str, list[str]]:
        segments = [segment for segment in url.path.lower().split("/") if segment]
        if segments and re.fullmatch(r"index\.html?", segments[-1]):
            segments.pop()
        if segments:
            segments[-1] = re.sub(r"\.html?$", "", segments[-1])
        if segments and re.fullmatch(r"[a-z]{2}(?:[-_][a-z]{2})?", segments[0]):
            segments.pop(0)
        return url.host.lower().removesuffix(".").removeprefix("www."), segments

    return spelled(asked) == spelled(other) and asked.port == other.port  # None is the scheme's own port


@dataclass(frozen=True, slots=True)
class _Answer:
    url: httpx.URL
    status: int
    headers: dict[str, str]
    body: bytes


class _Transient(Exception):  # noqa: N818 - never leaves this module
    """A failure that may pass: the error to raise if it does not, and how long the site asks to wait."""

    def __init__(self, error: FetchError, retry_after: float | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry_after = retry_after


def _conditions(before: CaptureRecord) -> dict[str, str]:
    wanted = {"etag": "if-none-match", "last-modified": "if-modified-since"}
    return {header: value for name, header in wanted.items() if (value := before.headers.get(name)) and value.isascii()}


def _retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date; None where it says neither."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        at = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def _pieces(response: httpx.Response, url: httpx.URL, most: int) -> Iterator[bytes]:
    if response.is_stream_consumed:  # a transport may hand over an answer it has already read
        yield response.content
        return
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding in ("identity", ""):
        yield from response.iter_raw()
    elif coding in ("gzip", "x-gzip"):
        yield from _unzipped(response.iter_raw(), url, most)
    else:
        raise FetchError(f"{public_url(url)}: the body is coded as {coding!r}, which was not asked for")


def _unzipped(pieces: Iterator[bytes], url: httpx.URL, most: int) -> Iterator[bytes]:
    """Gzip, never more than `most` + 1 bytes at once, however little they were squeezed into."""
    unzip = zlib.decompressobj(_GZIP)
    for piece in pieces:
        left = piece
        while left:
            if unzip.eof:  # another member follows
                unzip = zlib.decompressobj(_GZIP)
            yield unzip.decompress(left, most + 1)
            left = unzip.unconsumed_tail or unzip.unused_data
    if not unzip.eof:
        raise _Transient(FetchError(f"{public_url(url)}: the compressed body ends too soon"), None)
