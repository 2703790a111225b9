"""Searching an index through the engine."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.support.api import Api, ApiError
from tests.support.engine import Engine
from tests.support.index_server import IndexServer
from tests.support.registry import free_port


@pytest.fixture(scope="module")
def index() -> Iterator[IndexServer]:
    with IndexServer() as running:
        yield running


def test_what_the_index_finds_is_shown(engine: Engine, index: IndexServer) -> None:
    rows = engine.docker("search", "--format", "{{json .}}", f"{index.address}/lilliput").stdout
    found = [json.loads(row) for row in rows.splitlines()]
    assert [row["Name"] for row in found] == ["library/lilliput", "brobdingnag/lilliput"]
    assert found[0]["IsOfficial"] == "true"
    assert found[0]["StarCount"] == "12"
    assert index.asked[-1] == {"q": ["lilliput"], "n": ["25"]}
    engine.docker("search", "--limit", "7", f"{index.address}/own/lilliput")
    assert index.asked[-1] == {"q": ["own/lilliput"], "n": ["7"]}


def test_results_are_filtered_by_stars_and_officials(engine: Engine, index: IndexServer) -> None:
    def names(*filters: str) -> list[str]:
        words = [word for text in filters for word in ("--filter", text)]
        term = f"{index.address}/lilliput"
        return engine.docker("search", "--format", "{{.Name}}", *words, term).stdout.split()

    assert names("is-official=true") == ["library/lilliput"]
    assert names("is-official=false") == ["brobdingnag/lilliput"]
    assert names("stars=4") == ["library/lilliput"]
    assert names("stars=4", "stars=13") == []
    assert names("is-automated=true") == []


def test_bad_searches_are_refused_in_docker_s_words(engine: Engine, index: IndexServer) -> None:
    api = Api(engine.socket)
    for query, words in (
        (f"term={index.address}/x&limit=101", "limit 101 is outside the range of [1, 100]"),
        (f"term={index.address}/x&limit=many", "invalid limit specified: "),
        (f"term=http://{index.address}/x", "should not have a scheme"),
        (f"term=x&filters={quote(json.dumps({'stars': ['few']}))}", "invalid filter 'stars=few'"),
        (f"term=x&filters={quote(json.dumps({'size': ['1']}))}", "invalid filter 'size'"),
    ):
        with pytest.raises(ApiError) as raised:
            api.get(f"/images/search?{query}")
        assert raised.value.status == 400, query
        assert words in raised.value.message


def test_an_index_that_fails_is_named(engine: Engine) -> None:
    dead = f"127.0.0.1:{free_port()}"
    done = engine.docker("search", f"{dead}/x", check=False)
    assert f"dial tcp {dead}: connect: connection refused" in done.stderr
    with IndexServer(status=503) as broken:
        done = engine.docker("search", f"{broken.address}/x", check=False)
        assert "unexpected status code 503" in done.stderr
    with IndexServer(answer=b"<html>") as page:
        done = engine.docker("search", f"{page.address}/x", check=False)
        assert "error decoding registry search results" in done.stderr


def test_who_asks_is_told_to_the_index(engine: Engine, index: IndexServer) -> None:
    header = "eyJ1c2VybmFtZSI6ImciLCJwYXNzd29yZCI6InkifQ=="
    Api(engine.socket).raw("GET", f"/images/search?term={index.address}/lilliput",
                           headers={"X-Registry-Auth": header})  # fmt: skip
    assert index.authorizations[-1] == "Basic Zzp5"
