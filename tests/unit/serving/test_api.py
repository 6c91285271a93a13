from __future__ import annotations

import json
import shutil

import pytest
from litestar.testing import TestClient

from serving import api

FIRST, SECOND = "a" * 32, "b" * 32


def price(provider, model, meter, amount="0.15"):
    return {"price_id": f"{model}-{meter}", "provider": provider, "model": model, "meter": meter, "amount": amount}


PRICES = [
    price("anthropic", "claude", "input", "3"),
    price("openai", "gpt-4o", "input", "2.5"),
    price("openai", "gpt-4o", "output", "10"),
    price("openai", "gpt-4o-mini", "input"),
]


def write(root, snapshot_id, prices):
    folder = root / "v1" / snapshot_id
    folder.mkdir(parents=True)
    version = snapshot_id[:16]
    body = {"price_book_version": version, "prices": prices, "upcoming": []}
    (folder / "prices.json").write_text(json.dumps(body))
    (folder / "manifest.json").write_text(json.dumps({"snapshot_id": snapshot_id, "price_book_version": version}))
    beside = root / ".tmp"
    beside.write_text(json.dumps({"snapshot_id": snapshot_id, "published_at": "2026-11-01T00:00:00Z"}))
    beside.replace(root / "current.json")


@pytest.fixture
def root(tmp_path):
    made = tmp_path / "published"
    made.mkdir()
    (tmp_path / "manifest.json").write_text('{"secret": "outside"}')
    (tmp_path / "prices.json").write_text('{"prices": [], "secret": "outside"}')
    return made


@pytest.fixture
def empty(root):
    with TestClient(api.create(root), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client(root, empty):
    write(root, FIRST, PRICES)
    return empty


def problem(answer, status):
    assert answer.status_code == status
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    return body


def test_before_the_first_publication(empty):
    assert empty.get("/healthz").json() == {"status": "ok", "snapshot_id": None}
    for path in ("/v1/prices", "/v1/snapshots/current"):
        assert "ratehouse run" in problem(empty.get(path), 503)["detail"]
    problem(empty.get(f"/v1/snapshots/{FIRST}"), 404)


def test_prices_are_all_there_with_amounts_as_text(client):
    body = client.get("/v1/prices").json()
    assert (body["snapshot_id"], body["price_book_version"], body["total"]) == (FIRST, FIRST[:16], 4)
    assert body["prices"] == PRICES


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"provider": "openai"}, PRICES[1:]),
        ({"model": "gpt-4o"}, PRICES[1:3]),
        ({"provider": "openai", "meter": "input"}, [PRICES[1], PRICES[3]]),
        ({"provider": "anthropic", "model": "gpt-4o"}, []),
        ({"model": "' or 1=1 --"}, []),
    ],
)
def test_filters_are_equality_and_all_hold(client, query, found):
    body = client.get("/v1/prices", params=query).json()
    assert (body["total"], body["prices"]) == (len(found), found)


def test_pages_cover_everything_once(client):
    pages = [client.get("/v1/prices", params={"limit": 3, "offset": offset}).json() for offset in (0, 3, 6)]
    assert [row for page in pages for row in page["prices"]] == PRICES
    assert {page["total"] for page in pages} == {4}


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 1001}, {"limit": "many"}, {"offset": -1}, {"provider": "x" * 201}]
)
def test_a_bad_parameter_is_named(client, query):
    body = problem(client.get("/v1/prices", params=query), 400)
    assert next(iter(query)) in json.dumps(body["errors"])


def test_a_snapshot_has_an_etag_and_is_not_sent_twice(client, root):
    for path in ("/v1/snapshots/current", f"/v1/snapshots/{FIRST}"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.content == (root / "v1" / FIRST / "prices.json").read_bytes()
        tag = answer.headers["etag"]
        assert tag == f'"{FIRST}"'
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = client.get(path, headers={"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_snapshot_is_compressed_only_for_who_takes_it(client):
    for taken in ("gzip", "br, GZIP;q=0.1", "br;q=0, gzip"):
        squeezed = client.get("/v1/snapshots/current", headers={"Accept-Encoding": taken})
        assert squeezed.headers["content-encoding"] == "gzip"
    for refused in ("identity", "gzip;q=0", "gzip ; q=0.0, br", "x-gzip"):
        whole = client.get("/v1/snapshots/current", headers={"Accept-Encoding": refused})
        assert "content-encoding" not in whole.headers
        assert whole.json() == squeezed.json()
    assert squeezed.headers["vary"] == "Accept-Encoding"


def test_a_new_publication_is_served_at_once_and_the_old_by_its_id(client, root):
    tag = client.get("/v1/snapshots/current").headers["etag"]
    write(root, SECOND, PRICES[:1])
    assert client.get("/v1/prices").json()["total"] == 1
    assert client.get("/v1/snapshots/current", headers={"If-None-Match": tag}).status_code == 200
    assert len(client.get(f"/v1/snapshots/{FIRST}").json()["prices"]) == 4
    assert client.get("/healthz").json()["snapshot_id"] == SECOND


@pytest.mark.parametrize(
    "snapshot_id",
    [
        "c" * 32,
        "A" * 32,
        "a" * 31,
        "a" * 32 + "%0A",
        "..",
        "%2e%2e",
        "..%2F..",
        "%2e%2e%2f%2e%2e",
        "..%5c..",
        "%00",
        "x" * 5000,
    ],
)
def test_an_id_that_is_none_is_not_found_and_leads_nowhere(client, snapshot_id):
    answer = client.get(f"/v1/snapshots/{snapshot_id}")
    body = problem(answer, 404)
    assert "outside" not in answer.text
    assert len(body["detail"]) < 200


def test_other_paths_and_methods_are_problems_too(client):
    problem(client.get("/nothing"), 404)
    problem(client.post("/v1/prices"), 405)


def test_a_failure_inside_tells_nothing_of_the_inside(root):
    write(root, FIRST, PRICES)
    shutil.rmtree(root / "v1")
    with TestClient(api.create(root), raise_server_exceptions=False) as client:
        answer = client.get("/v1/prices")
    assert problem(answer, 500)["detail"] == "internal error"
    assert str(root) not in answer.text
