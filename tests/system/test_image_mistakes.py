"""Requests about images that make no sense: Docker's status, one line, and the daemon lives on."""

import json
from urllib.parse import quote

import pytest

from tests.support.api import Api, ApiError
from tests.support.engine import Engine

HEX = "ab" * 32
ELSEWHERE = json.dumps({"os": "linux", "architecture": "riscv64"})


def filters(**wanted: list[str]) -> str:
    return f"filters={quote(json.dumps(wanted))}"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/images/json?{filters(reference=['['])}", 400),
        ("GET", f"/images/json?{filters(before=['nothing:1'])}", 404),
        ("GET", f"/images/json?{filters(before=['Not A Name'])}", 400),
        ("GET", f"/images/json?{filters(until=['yesterday'])}", 400),
        ("GET", "/images/json?filters=%5B1%5D", 400),
        ("GET", "/images/Upper/json", 400),
        ("GET", f"/images/{HEX}/json", 404),
        ("GET", f"/images/sha256:{HEX}/json", 404),
        ("GET", "/images/a@sha256:12/json", 400),
        ("GET", "/images/%00/json", 400),
        ("GET", "/images/nothing/history", 404),
        ("GET", "/images/nothing/get", 404),
        ("GET", "/images/get", 400),
        ("GET", "/images/get?names=busybox&names=nothing", 404),
        ("GET", f"/images/busybox/get?platform={quote('{')}", 400),
        ("POST", "/images/create?fromImage=Upper", 400),
        ("POST", "/images/create?fromImage=scratch", 403),
        ("POST", f"/images/create?fromImage={HEX}", 400),
        ("POST", "/images/create?fromImage=a&tag=-b", 400),
        ("POST", "/images/create?fromImage=a&tag=sha256:12", 400),
        ("POST", "/images/create?fromImage=a&platform=a/b/c/d", 400),
        ("POST", "/images/create?fromImage=a&platform=//", 400),
        ("POST", "/images/create?fromSrc=ftp://x/y", 400),
        ("POST", "/images/create?fromSrc=http://%5B::1/y", 400),
        ("POST", "/images/create?fromSrc=-&repo=Upper", 400),
        ("POST", "/images/Upper/push?tag=1", 400),
        ("POST", "/images/busybox/tag?repo=a@sha256:" + HEX, 400),
        ("POST", "/images/busybox/tag?repo=sha256", 400),
        ("POST", "/images/busybox/tag", 400),
        ("POST", "/images/nothing/tag?repo=a", 404),
        ("DELETE", "/images/%20", 400),
        ("DELETE", "/images/nothing", 404),
        ("DELETE", "/images/busybox?platforms=x", 400),
        ("DELETE", f"/images/busybox?platforms={quote(ELSEWHERE)}", 404),
        ("GET", "/images/search?term=x&limit=-1", 400),
        ("GET", "/images/search?term=http://a/x", 400),
        ("GET", "/distribution/Upper/json", 400),
        ("POST", "/commit", 404),
    ],
)  # fmt: skip
def test_a_mistake_is_told(engine: Engine, method: str, path: str, status: int) -> None:
    with pytest.raises(ApiError) as raised:
        Api(engine.socket).call(method, path)
    assert (raised.value.status, raised.value.message != "") == (status, True), raised.value
    assert "\n" not in raised.value.message
    assert "Traceback" not in engine.log()


@pytest.mark.parametrize(
    "address", ["http://[::1", "::::", "http://", "a b", "localhost:99999", "127.0.0.1:1/\x00"]
)
def test_a_login_to_nowhere_is_told(engine: Engine, address: str) -> None:
    body = {"username": "a", "password": "b", "serveraddress": address}
    with pytest.raises(ApiError) as raised:
        Api(engine.socket).post("/auth", body)
    assert raised.value.status in (400, 500)
    assert "Traceback" not in engine.log()


@pytest.mark.parametrize("body", [b"", b"x", bytes(1024), b"\x1f\x8bnonsense", b"BZh9nonsense"])
def test_a_load_of_nonsense_is_told_in_the_stream(engine: Engine, body: bytes) -> None:
    answer = Api(engine.socket).raw("POST", "/images/load", body, "application/x-tar")
    line = json.loads(answer.splitlines()[-1])
    assert line["errorDetail"]["message"] == line["error"]
    assert "Traceback" not in engine.log()
