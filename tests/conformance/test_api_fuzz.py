"""The API under requests drawn from its own description, most of them about live objects.

No answer may be a failure of the engine's own, none may fail to come, and nothing may be left over.
"""

import http.client
import json
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.support.api import Api, ApiError
from tests.support.engine import Engine
from tests.support.fuzz import Request, requests
from tests.support.netns import NetworkNamespace
from wherry.api.openapi import describe
from wherry.api.routes import ROUTES

QUIET = 0.2
"""Seconds without a byte after which a stream is taken to be one without an end."""
HANG = 30.0
LIVE = {
    "containers": ["fz-run", "fz-old"], "images": ["busybox", "fz-image"], "networks": ["fz-net"],
    "volumes": ["fz-vol"], "exec": ["EXEC"], "info": [], "version": [], "events": [], "system": [],
    "commit": [],
}  # fmt: skip
ALLOWED = (
    (500, r"^(failed to create task for container: )?failed to create shim task",
     "a container that the kernel refuses to make: dockerd answers 500, too"),
    (500, r"^error while (mounting|creating mount)", "a mount that fails at the start, as above"),
    (500, r"^failed to mount local volume", "an option that the kernel refuses, as above"),
    (500, r"^driver failed programming external connectivity", "a port in use, as above"),
    (500, r"^Cannot update container", "a limit that the kernel refuses, as above"),
    (500, r"^timeout waiting for exec session ready", "resizing what was not started, as above"),
    (500, r'^Get "https?://', "a registry that cannot be reached, as above"),
    (500, r"is not connected to (the )?network", "a disconnect of what is apart, as above"),
    (501, r"", "what is not offered, and says so"),
    (503, r"not a swarm manager|not part of a swarm", "an engine in no swarm"),
)  # fmt: skip
"""Statuses from 500 on that are right, with the words that they must have and the reason."""


class World:
    """The objects that requests are about, made again when one has removed them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.api = Api(engine.socket, "v1.51", timeout=60)
        self.exec = ""

    def mend(self) -> None:
        """Makes what is missing."""
        if not self._has("/images/busybox/json"):
            self.engine.import_busybox()
        if not self._has("/images/fz-image/json"):
            self.api.post("/images/busybox/tag?repo=fz-image")
        if not self._has("/networks/fz-net"):
            self.api.post("/networks/create", {"Name": "fz-net"})
        self.api.post("/volumes/create", {"Name": "fz-vol"})
        for name in ("fz-run", "fz-old"):
            if not self._has(f"/containers/{name}/json"):
                host = {"Init": True, "Binds": ["fz-vol:/v"] if name == "fz-old" else None}
                command = ["sleep", "1000"] if name == "fz-run" else ["true"]
                body = {"Image": "busybox", "Cmd": command, "HostConfig": host}
                self.api.post(f"/containers/create?name={name}", body)
                self.api.post(f"/containers/{name}/start")
        state = self.api.get("/containers/fz-run/json")["State"]
        if state["Paused"]:
            self.api.post("/containers/fz-run/unpause")
        if not state["Running"]:
            self.api.post("/containers/fz-run/start")
        made = self.api.post("/containers/fz-run/exec", {"Cmd": ["true"], "AttachStdout": True})
        self.exec = made["Id"]

    def warm(self) -> None:
        """Has every process start that stays: the one for names, and the one for ports."""
        self.mend()
        host = {"NetworkMode": "fz-net", "PortBindings": {"80/tcp": [{}]}, "Init": True}
        body = {"Image": "busybox", "Cmd": ["sleep", "1000"], "HostConfig": host}
        self.api.post("/containers/create?name=fz-warm", body)
        self.api.post("/containers/fz-warm/start")
        self.empty()

    def empty(self) -> None:
        """Removes every container, and what pruning removes."""
        for item in self.api.get("/containers/json?all=1"):
            self.api.delete(f"/containers/{item['Id']}?force=1&v=1")
        self.api.post("/networks/prune")
        self.api.post("/volumes/prune?filters=%7B%22all%22%3A%5B%22true%22%5D%7D")

    def _has(self, path: str) -> bool:
        try:
            self.api.get(path)
            return True
        except ApiError as error:
            assert error.status in (404, 409), error
            return False


class Traces:
    """What an engine without containers holds: descriptors, threads, groups, mounts, links."""

    def __init__(self, engine: Engine, namespace: NetworkNamespace) -> None:
        pid = int((engine.root / "pid").read_text())
        self.open = Counter(map(_target, Path(f"/proc/{pid}/fd").iterdir()))
        self.descriptors = self.open.total()
        # A process that is forked ahead takes the place of one that was used: ids change.
        self.left = sorted(re.sub(r"^process: \d+", "", line) for line in engine.leftovers())
        self.links = sorted(namespace.run(lambda: [name for _, name in socket.if_nameindex()]))
        self.containers = sorted(path.name for path in (engine.data / "containers").iterdir())
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        found = re.search(r"^Pss:\s+(\d+)", rollup, re.M)
        self.memory = int(found[1]) if found else 0


def _target(descriptor: Path) -> str:
    """What a descriptor stands for, without the numbers that tell one pipe from another."""
    try:
        return re.sub(r"\d+", "", str(descriptor.readlink()))
    except FileNotFoundError:
        return "closed meanwhile"


@pytest.fixture(scope="module")
def namespace(engine_ready: None) -> Iterator[NetworkNamespace]:
    with NetworkNamespace() as made:
        yield made


@pytest.fixture(scope="module")
def world(namespace: NetworkNamespace) -> Iterator[World]:
    with Engine(namespace=namespace) as engine:
        engine.import_busybox()
        yield World(engine)
    assert engine.leftovers() == []


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("engine", timeout=HANG)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(HANG)
        self.sock.connect(str(self._path))


def answer_of(path: Path, request: Request, target: str) -> tuple[int, str]:
    """Status and message; the head must come in time, a body without end is left."""
    connection = _Unix(path)
    try:
        headers = {"Content-Type": request.kind} if request.kind else {}
        connection.request(request.method, target, request.body, headers)
        sock = connection.sock
        answer = connection.getresponse()
        assert sock is not None
        sock.settimeout(QUIET)
        try:
            body = answer.read(1 << 16)
        except TimeoutError:
            body = b""
        if answer.status < 400:
            return answer.status, ""
        return answer.status, json.loads(body)["message"] if body else ""
    finally:
        connection.close()


def refuted(status: int, message: str) -> bool:
    """Whether an answer is one that must not be."""
    if status < 500:
        return False
    return not any(status == code and re.search(text, message) for code, text, _ in ALLOWED)


def settled(world: World, namespace: NetworkNamespace, before: Traces) -> Traces:
    """What is there when nothing changes any more, or after half a minute."""
    deadline = time.monotonic() + 30
    while True:
        after = Traces(world.engine, namespace)
        same = (after.descriptors <= before.descriptors and after.left == before.left
                and after.links == before.links)  # fmt: skip
        if same or time.monotonic() > deadline:
            return after
        time.sleep(0.2)


def fuzz(world: World, namespace: NetworkNamespace, count: int, *, fixed: bool) -> None:
    """Sends `count` requests; asserts that none fails, and that nothing is left over."""
    world.warm()
    before = Traces(world.engine, namespace)
    world.mend()
    statuses: Counter[str] = Counter()
    sent: Counter[bool] = Counter()
    wrong: list[str] = []
    description: dict[str, Any] = describe(ROUTES)

    @settings(
        max_examples=count, deadline=None, database=None, phases=[Phase.generate],
        derandomize=fixed, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(requests(description, LIVE))
    def one(request: Request) -> None:
        if sum(sent.values()) % 15 == 14:
            world.mend()
        sent[request.live] += 1
        target = request.target.replace("/EXEC/", f"/{world.exec}/")
        try:
            status, message = answer_of(world.engine.socket, request, target)
        except (OSError, http.client.HTTPException) as error:
            status, message = 599, f"no answer: {error!r}"
        statuses[f"{status // 100}xx"] += 1
        if refuted(status, message):
            wrong.append(f"{request}: {status} {message}")

    one()
    assert not wrong, "\n".join(wrong)
    total = sum(sent.values())
    shares = ", ".join(f"{key} {value * 100 // total} %" for key, value in sorted(statuses.items()))
    print(f"\n{total} requests, {sent[True] * 100 // total} % on live objects: {shares}")
    assert sent[True] * 2 >= total
    assert statuses["2xx"] * 10 >= total
    world.empty()
    after = settled(world, namespace, before)
    assert set(after.left) - set(before.left) == set(), "left over"
    assert len(after.left) == len(before.left), (before.left, after.left)
    assert after.links == before.links
    assert after.containers == []
    assert after.descriptors <= before.descriptors, after.open - before.open
    assert after.memory - before.memory < 40_000 + count * 4, (before.memory, after.memory)


def test_six_hundred_requests_from_the_description_find_no_failure_and_leave_nothing(
    world: World, namespace: NetworkNamespace
) -> None:
    fuzz(world, namespace, 600, fixed=True)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_ten_thousand_requests_find_no_failure_and_leave_nothing(
    world: World, namespace: NetworkNamespace
) -> None:
    fuzz(world, namespace, 10_000, fixed=False)
