"""Requests that cannot be answered, clients that do not behave: Docker's words, nothing lost."""

import json
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.api import Api, ApiError
from tests.support.engine import Engine

JSON = "application/json"


@pytest.fixture(scope="module")
def api(engine: Engine) -> Api:
    return Api(engine.socket, "v1.51")


@pytest.fixture(scope="module")
def box(engine: Engine, api: Api) -> Iterator[str]:
    """A container that runs, called `box`, with a process that writes when it is told to."""
    body = {"Image": "busybox", "Cmd": ["sleep", "1000"], "HostConfig": {"Init": True}}
    api.post("/containers/create?name=box", body)
    api.post("/containers/box/start")
    yield "box"
    api.delete("/containers/box?force=1")


def refusal(api: Api, method: str, path: str, body: bytes | None, kind: str) -> tuple[int, str]:
    with pytest.raises(ApiError) as refused:
        api.raw(method, path, body, kind)
    return refused.value.status, refused.value.message


@pytest.mark.parametrize(
    ("request_line", "body", "kind", "status", "message"),
    [
        ("POST /containers/create", b"{", JSON, 400, "invalid JSON: unexpected EOF"),
        ("POST /containers/create", b"", JSON, 400,
         "invalid JSON: got EOF while reading request body"),
        ("POST /containers/create", b"{}", "", 400,
         "malformed Content-Type header (): mime: no media type"),
        ("POST /containers/create", b"{}", "text/plain", 400,
         "unsupported Content-Type header (text/plain): must be 'application/json'"),
        ("POST /containers/create", b'{"Image":"busybox"} {}', JSON, 400,
         "unexpected content after JSON"),
        ("POST /containers/create", b'{"Image":"no-such-thing"}', JSON, 404,
         "No such image: no-such-thing:latest"),
        ("POST /containers/create?name=a%20b", b'{"Image":"busybox"}', JSON, 400,
         "Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"),
        ("POST /containers/create", b'{"Image":"busybox","HostConfig":{"Memory":1}}', JSON, 400,
         "Minimum memory limit allowed is 6MB"),
        ("POST /containers/create", b'{"Image":"busybox","HostConfig":{"NanoCpus":-1}}', JSON, 400,
         re.compile("range of CPUs is from 0.01 to .*")),
        ("GET /containers/json?limit=x", None, "", 400,
         'strconv.Atoi: parsing "x": invalid syntax'),
        ("GET /containers/json?limit=99999999999999999999", None, "", 400,
         'strconv.Atoi: parsing "99999999999999999999": value out of range'),
        ("GET /containers/json?filters=x", None, "", 400, "invalid filter"),
        ("GET /containers/json?filters=%7B%22nope%22:%5B%22a%22%5D%7D", None, "", 400,
         "invalid filter 'nope'"),
        ("GET /containers/json?filters=%7B%22status%22:%5B%22nope%22%5D%7D", None, "", 400,
         "invalid filter 'status=nope'"),
        ("GET /volumes?filters=%7B%22dangling%22:%5B%22maybe%22%5D%7D", None, "", 400,
         "invalid filter 'dangling=[maybe]'"),
        ("POST /containers/box/kill?signal=NOPE", None, "", 400,
         "cannot kill container: box: invalid signal: NOPE"),
        ("POST /containers/box/stop?t=x", None, "", 400,
         'strconv.Atoi: parsing "x": invalid syntax'),
        ("POST /containers/box/wait?condition=never", None, "", 400, 'invalid condition: "never"'),
        ("POST /containers/box/resize?h=-1&w=5", None, "", 400,
         re.compile("invalid resize height")),
        ("POST /containers/box/rename?name=", None, "", 400,
         "Neither old nor new names may be empty"),
        ("GET /containers/box/logs", None, "", 400,
         "Bad parameters: you must choose at least one stream"),
        ("GET /containers/box/archive?path=", None, "", 400,
         "bad parameter: path cannot be empty"),
        ("GET /containers/box/archive?path=/nowhere", None, "", 404,
         "Could not find the file /nowhere in container box"),
        ("POST /containers/box/exec", b"{}", JSON, 400, "No exec command specified"),
        ("GET /containers/box/top?ps_args=%00", None, "", 400,
         "invalid address: no part of it may hold a null character"),
        ("GET /containers/nope/json", None, "", 404, "No such container: nope"),
        ("POST /containers/nope/start", None, "", 404, "No such container: nope"),
        ("GET /exec/nope/json", None, "", 404, "No such exec instance: nope"),
        ("GET /images/nope/json", None, "", 404, "No such image: nope:latest"),
        ("GET /volumes/nope", None, "", 404, "get nope: no such volume"),
        ("GET /networks/nope", None, "", 404, "network nope not found"),
        ("GET /nope", None, "", 404, "page not found"),
        ("PATCH /containers/json", None, "", 404, "page not found"),
        ("GET /system/df?type=nope", None, "", 400, "unknown object type: nope"),
        ("GET /events?since=5&until=3", None, "", 400,
         "`since` time (5) cannot be after `until` time (3)"),
        ("POST /swarm/init", b"{}", JSON, 501, "swarm mode is not supported by this engine"),
        ("POST /swarm/leave", None, "", 503, "This node is not part of a swarm"),
        ("GET /services", None, "", 503,
         'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to '
         "connect this node to swarm and try again."),
        ("POST /build", None, "", 501, "builds are not supported by this engine yet"),
    ],
)  # fmt: skip
def test_a_refusal_has_dockers_status_and_words(
    api: Api, box: str, request_line: str, body: bytes | None, kind: str, status: int,
    message: str | re.Pattern[str],
) -> None:  # fmt: skip
    method, path = request_line.split()
    answered, text = refusal(api, method, path, body, kind)
    assert answered == status, text
    assert message.match(text) if isinstance(message, re.Pattern) else text == message


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("v1.99", "client version 1.99 is too new. Maximum supported API version is 1.55"),
        ("v1.12", "client version 1.12 is too old. Minimum supported API version is 1.24, please "
                  "upgrade your client to a newer version"),
    ],
)  # fmt: skip
def test_a_version_out_of_range_is_refused_in_dockers_words(
    engine: Engine, version: str, message: str
) -> None:
    assert refusal(Api(engine.socket, version), "GET", "/info", None, "") == (400, message)


def test_an_endpoint_younger_than_the_clients_version_names_the_one_it_needs(
    engine: Engine,
) -> None:
    answer = refusal(Api(engine.socket, "v1.24"), "GET", "/secrets", None, "")
    assert answer == (400, "GET /secrets requires minimum API version 1.25")


def test_an_ambiguous_beginning_of_an_id_is_refused(api: Api) -> None:
    made = [api.post("/containers/create", {"Image": "busybox"})["Id"] for _ in range(17)]
    firsts = [identifier[0] for identifier in made]
    twice = next(first for first in firsts if firsts.count(first) > 1)
    answer = refusal(api, "GET", f"/containers/{twice}/json", None, "")
    assert answer == (400, f"multiple IDs found with provided prefix: {twice}")
    for identifier in made:
        api.delete(f"/containers/{identifier}")


def connected(engine: Engine) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(30)
    client.connect(str(engine.socket))
    return client


def daemon_pid(engine: Engine) -> int:
    return int((engine.root / "pid").read_text())


def descriptors(engine: Engine) -> int:
    return len(os.listdir(f"/proc/{daemon_pid(engine)}/fd"))


def resident(engine: Engine) -> int:
    """KiB of memory that the daemon has in use."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{daemon_pid(engine)}/status").read_text())
    assert found
    return int(found[1])


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether a condition comes true within a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


STREAMS = [
    "GET /events HTTP/1.1",
    "GET /containers/box/logs?follow=1&stdout=1 HTTP/1.1",
    "GET /containers/box/stats HTTP/1.1",
    "POST /containers/box/wait HTTP/1.1",
    "GET /containers/box/export HTTP/1.1",
    "GET /containers/box/archive?path=/bin HTTP/1.1",
    "GET /images/busybox/get HTTP/1.1",
    "POST /containers/box/attach?stream=1&stdout=1&stdin=1 HTTP/1.1\r\nConnection: Upgrade\r\n"
    "Upgrade: tcp",
    "POST /images/load HTTP/1.1\r\nContent-Length: 1000000",
    "PUT /containers/box/archive?path=/tmp HTTP/1.1\r\nContent-Length: 1000000",
    "POST /containers/create HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 999",
]


def test_clients_that_vanish_in_the_middle_of_a_stream_leave_nothing(
    engine: Engine, api: Api, box: str
) -> None:
    before = descriptors(engine)
    for head in STREAMS:
        clients = [connected(engine) for _ in range(5)]
        for client in clients:
            client.sendall(f"{head}\r\nHost: engine\r\n\r\n".encode())
            if "Content-Length" in head:
                client.sendall(b"x" * 100)
            else:
                assert client.recv(15).startswith(b"HTTP/1.1 ")
            client.close()
    assert api.get("/containers/box/json")["State"]["Running"]
    assert eventually(lambda: descriptors(engine) <= before)
    assert eventually(lambda: api.get("/info")["NEventsListener"] == 0)
    assert eventually(lambda: list((engine.data / "tmp").iterdir()) == [])


def test_refused_copies_and_attached_clients_that_leave_before_the_start_leave_nothing(
    engine: Engine, api: Api
) -> None:
    api.post("/containers/create?name=still", {"Image": "busybox", "Cmd": ["true"]})
    before = descriptors(engine)
    for _ in range(5):
        refusal(api, "GET", "/containers/still/archive?path=/nowhere", None, "")
        refusal(api, "PUT", "/containers/still/archive?path=/nowhere", b"x" * 9999, "")
        client = connected(engine)
        client.sendall(
            b"POST /containers/still/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: engine\r\n"
            b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        )
        assert client.recv(12).startswith(b"HTTP/1.1 101")
        client.close()
    assert eventually(lambda: descriptors(engine) <= before + 2)  # the last one is not missed yet
    api.delete("/containers/still")
    assert eventually(lambda: descriptors(engine) <= before)


def test_a_client_that_does_not_read_costs_no_memory_and_holds_nobody_up(
    engine: Engine, api: Api
) -> None:
    """Much output and a file system of fifty mebibytes, for clients that only ask."""
    write = (
        "dd if=/dev/zero bs=1M count=12 | tr '\\0' a | fold -w 1000; "
        "dd if=/dev/zero of=/f bs=1M count=50"
    )
    api.post("/containers/create?name=big", {"Image": "busybox", "Cmd": ["sh", "-c", write]})
    api.post("/containers/big/start")
    api.post("/containers/big/wait")
    before, held = resident(engine), descriptors(engine)
    clients = []
    for head in ("GET /containers/big/logs?stdout=1&follow=1", "GET /containers/big/export"):
        for _ in range(4):
            client = connected(engine)
            client.sendall(f"{head} HTTP/1.1\r\nHost: engine\r\n\r\n".encode())
            assert client.recv(15).startswith(b"HTTP/1.1 200")
            clients.append(client)
    for _ in range(20):
        assert api.get("/containers/big/json")["Name"] == "/big"
    assert resident(engine) - before < 40_000
    for client in clients:
        client.close()
    api.delete("/containers/big")
    assert eventually(lambda: descriptors(engine) <= held)


def test_a_client_that_waits_to_be_told_is_told_that_its_body_is_wanted(engine: Engine) -> None:
    client = connected(engine)
    body = b'{"Name":"awaited"}'
    client.sendall(
        b"POST /volumes/create HTTP/1.1\r\nHost: engine\r\nExpect: 100-continue\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    assert client.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(body)
    assert client.recv(12).startswith(b"HTTP/1.1 201")
    client.close()


def test_a_body_whose_chunks_cannot_be_followed_ends_the_connection(engine: Engine) -> None:
    client = connected(engine)
    client.sendall(
        b"POST /containers/create HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nno chunk\r\n"
    )
    assert client.recv(100) == b""
    client.close()


def test_five_hundred_clients_at_once_are_all_answered(engine: Engine, api: Api, box: str) -> None:
    before = descriptors(engine)
    paths = (
        "/containers/json",
        "/images/json",
        "/containers/box/json",
        "/info",
        "/containers/x/json",
    )
    together = threading.Barrier(500)

    def ask(number: int) -> int:
        path = paths[number % len(paths)]
        client = connected(engine)
        together.wait(60)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while piece := client.recv(65536):
            answer += piece
        client.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        json.loads(body)
        return int(head.split()[1])

    with ThreadPoolExecutor(500) as pool:
        answers = list(pool.map(ask, range(500)))
    assert sorted(set(answers)) == [200, 404]
    assert answers.count(404) == 100
    assert eventually(lambda: descriptors(engine) <= before)
