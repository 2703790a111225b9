"""The daemon is killed at every named point of its verbs; a user must not be able to tell.

Beside each crash a witness runs on, which writes numbered lines all the while.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.docker_cli import docker_release
from tests.support.engine import Engine, busybox_archive
from tests.support.holdings import holdings, settled
from tests.support.layers import Layout, docker_archive, entry, layer
from tests.support.needs import needs_program
from tests.support.netns import NetworkNamespace
from tests.support.registry import Registry
from wherry.base.crash_points import POINTS

COUNTING = "i=0; while [ ! -e /tmp/end ]; do echo line $i; i=$((i+1)); sleep 0.02; done; exit 9"
OBEDIENT = "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done"
IMAGE_MOUNT = ("--mount", "type=image,source=busybox,target=/image")
CREATE = (
    "create", "--name", "made", "-p", "127.0.0.1:8080:80", "-v", "filled:/etc", "-v", "/anon",
    *(IMAGE_MOUNT if docker_release() >= (28,) else ()), "busybox", "sh", "-c", OBEDIENT,
)  # fmt: skip


class House:
    """An engine on a network of its own, with the witness in it."""

    def __init__(self, engine: Engine, namespace: NetworkNamespace, registry: Registry) -> None:
        self.engine = engine
        self.namespace = namespace
        self.registry = registry
        self.archive = engine.root / "loaded.tar"
        layers = [busybox_archive(), layer(entry("upper", b"x" * 50_000))]
        self.archive.write_bytes(docker_archive(layers, ["loaded:1"]))
        engine.docker("run", "-d", "--name", "witness", "busybox", "sh", "-c", COUNTING)
        self.pid = self.show("{{.State.Pid}}", "witness")

    def docker(self, *words: str) -> str:
        return self.engine.docker(*words).stdout.strip()

    def show(self, template: str, name: str = "made") -> str:
        return self.docker("inspect", "-f", template, name)

    def exists(self, name: str, kind: str = "container") -> bool:
        return self.engine.docker(kind, "inspect", name, check=False).returncode == 0

    def filled(self, words: tuple[str, ...]) -> list[str]:
        """Words with the places of this house in them."""
        places = {"ARCHIVE": str(self.archive), "REGISTRY/": f"{self.registry.address}/"}
        for name, place in places.items():
            words = tuple(word.replace(name, place) for word in words)
        return list(words)

    def holdings(self) -> set[str]:
        return holdings(self.engine, self.namespace)

    def changes(self, before: set[str]) -> tuple[set[str], set[str]]:
        """What is there and was not, and the reverse."""
        return settled(self.engine, before, self.namespace)

    def undo(self, verb: "Verb") -> None:
        """Takes back whatever of a verb is there."""
        for words in verb.undo:
            self.engine.docker(*self.filled(words), check=False)

    def check_witness(self) -> None:
        assert self.show("{{.State.Status}} {{.State.Pid}}", "witness") == f"running {self.pid}"
        lines = self.engine.docker("logs", "witness").stdout.splitlines()
        assert lines == [f"line {number}" for number in range(len(lines))]


@pytest.fixture(scope="module")
def house(engine_ready: None) -> Iterator[House]:
    with NetworkNamespace() as namespace, Engine(namespace=namespace) as engine:
        registry = Registry()
        namespace.run(registry.__enter__)
        try:
            layout = Layout()
            layout.name(layout.image([layer(entry("pulled", b"x" * 100_000))]), "made")
            namespace.run(registry.copy, layout, "pulled:1")
            engine.import_busybox()
            house = House(engine, namespace, registry)
            yield house
            engine.docker("exec", "witness", "touch", "/tmp/end")
            assert engine.docker("wait", "witness").stdout.strip() == "9"
            house_log = engine.docker("logs", "witness").stdout
            count = house_log.count("\n")
            assert house_log == "".join(f"line {number}\n" for number in range(count))
        finally:
            registry.__exit__()
    assert engine.leftovers() == []


# What must be there after the crash, by verb


def created(house: House, point: str) -> None:
    assert house.exists("made") == (point == "create.recorded")
    assert house.exists("filled", "volume") == house.exists("made")
    if house.exists("made"):
        house.docker("start", "made")
        listed = house.docker("exec", "made", "ls", "/etc").split()
        assert set(listed) >= {"group", "passwd"}


def started(house: House, point: str) -> None:
    runs = point in ("start.runs", "start.recorded")
    assert house.show("{{.State.Status}}") == ("running" if runs else "created")
    if not runs:
        house.docker("start", "made")
    assert house.docker("port", "made") == "80/tcp -> 127.0.0.1:8080"
    house.docker("stop", "made")
    assert house.show("{{.State.Status}} {{.State.ExitCode}}") == "exited 7"
    assert house.docker("logs", "made") == "ready\nbye"


def executed(house: House, point: str) -> None:
    assert house.show("{{.State.Status}}") == "running"
    assert house.docker("exec", "made", "echo", "again") == "again"


def stopped(house: House, point: str) -> None:
    if point == "stop.marked":
        assert house.show("{{.State.Status}}") == "running"
        house.docker("stop", "made")
    else:
        house.docker("wait", "made")
    assert house.show("{{.State.Status}} {{.State.ExitCode}}") == "exited 7"
    assert house.docker("logs", "made") == "ready\nbye"
    house.docker("start", "made")


def unpaused(house: House, point: str) -> None:
    assert house.show("{{.State.Status}}") == "running"
    assert house.docker("exec", "made", "echo", "awake") == "awake"


def removed(house: House, point: str) -> None:
    assert not house.exists("made")


def renamed(house: House, point: str) -> None:
    assert house.show("{{.Name}}", "other") == "/other"
    assert not house.exists("made")


def loaded(house: House, point: str) -> None:
    assert house.exists("loaded:1", "image") == (point == "image.recorded")
    if house.exists("loaded:1", "image"):
        assert house.docker("run", "--rm", "loaded:1", "ls", "/upper") == "/upper"


def image_removed(house: House, point: str) -> None:
    assert not house.exists("loaded:1", "image")


def committed(house: House, point: str) -> None:
    unpaused(house, point)
    assert not house.exists("committed:1", "image")


def pulled(house: House, point: str) -> None:
    assert not house.docker("images", "-q", f"{house.registry.address}/pulled:1")


def network_made(house: House, point: str) -> None:
    assert house.exists("net", "network")
    house.docker("run", "--rm", "--network", "net", "busybox", "true")


def volume_made(house: House, point: str) -> None:
    assert house.exists("data", "volume")
    house.docker("run", "--rm", "-v", "data:/d", "busybox", "touch", "/d/x")


def volume_removed(house: House, point: str) -> None:
    assert not house.exists("data", "volume")


class Verb(NamedTuple):
    """A command that is cut off: what comes before it, and how all is taken back."""

    words: tuple[str, ...]
    expect: Callable[[House, str], None]
    before: tuple[tuple[str, ...], ...] = ()
    undo: tuple[tuple[str, ...], ...] = (("rm", "-f", "-v", "made"), ("volume", "rm", "filled"))


RUNNING = (CREATE, ("start", "made"))
LOAD = Verb(("load", "-i", "ARCHIVE"), loaded, (), (("rmi", "loaded:1"),))
NETWORK_RM = ("network", "rm", "net")
VOLUME_RM = ("volume", "rm", "data")

VERBS: dict[str, Verb] = {
    "create.": Verb(CREATE, created),
    "start.": Verb(("start", "made"), started, (CREATE,)),
    "exec.": Verb(("exec", "made", "true"), executed, RUNNING),
    "stop.": Verb(("stop", "made"), stopped, RUNNING),
    "exit.": Verb(("stop", "made"), stopped, RUNNING),
    "pause.frozen": Verb(("pause", "made"), unpaused, RUNNING),
    "pause.thawed": Verb(("unpause", "made"), unpaused, (*RUNNING, ("pause", "made"))),
    "remove.": Verb(("rm", "-v", "made"), removed, (CREATE,)),
    "rename.": Verb(
        ("rename", "made", "other"), renamed, (CREATE,),
        (("rm", "-v", "made"), ("rm", "-v", "other"), ("volume", "rm", "filled")),
    ),
    "archive.": LOAD, "layer.": LOAD, "image.recorded": LOAD,
    "image.": Verb(("rmi", "loaded:1"), image_removed, (LOAD.words,), LOAD.undo),
    "commit.": Verb(
        ("commit", "made", "committed:1"), committed, RUNNING,
        (("rm", "-f", "-v", "made"), ("volume", "rm", "filled"), ("rmi", "committed:1")),
    ),
    "pull.": Verb(("pull", "REGISTRY/pulled:1"), pulled, (), (("rmi", "REGISTRY/pulled:1"),)),
    "network.unmade": Verb(
        NETWORK_RM, network_made, (("network", "create", "net"),), (NETWORK_RM,)
    ),
    "network.": Verb(("network", "create", "net"), network_made, (), (NETWORK_RM,)),
    "volume.recorded": Verb(("volume", "create", "data"), volume_made, (), (VOLUME_RM,)),
    "volume.made": Verb(("volume", "create", "data"), volume_made, (), (VOLUME_RM,)),
    "volume.": Verb(VOLUME_RM, volume_removed, (("volume", "create", "data"),), (VOLUME_RM,)),
}  # fmt: skip
"""In which verb a point is reached, by its name or the beginning of it; the first that fits."""


def verb_of(point: str) -> Verb:
    return next(verb for name, verb in VERBS.items() if point.startswith(name))


@needs_program("docker-registry")
@needs_program("skopeo")
@pytest.mark.parametrize("point", POINTS)
def test_a_crash_leaves_all_or_nothing_and_containers_run_on(house: House, point: str) -> None:
    verb, before = verb_of(point), house.holdings()
    try:
        crash(house, verb, point)
    finally:
        house.undo(verb)
    if point != "pull.downloaded":  # what came is kept for the next pull
        assert house.changes(before) == (set(), set())
    for words in (*verb.before, verb.words):
        house.engine.docker(*house.filled(words))
    house.undo(verb)
    assert house.changes(before) == (set(), set())


def crash(house: House, verb: Verb, point: str) -> None:
    engine = house.engine
    for words in verb.before:
        engine.docker(*house.filled(words))
    engine.kill()
    engine.start(crash_at=point)
    client = engine.spawn(*house.filled(verb.words))
    engine.wait_for_crash()
    engine.start()
    client.communicate(timeout=60)
    house.check_witness()
    verb.expect(house, point)


WAITING = "until [ -e /go/now ]; do sleep 0.02; done; echo last words; exit "
FIRST_RUN = "[ -e /tmp/again ] && exec sleep 1000; touch /tmp/again; "


def test_what_ended_while_no_daemon_ran_is_told_and_policies_are_honoured(house: House) -> None:
    engine, go, before = house.engine, house.engine.root / "go", house.holdings()
    go.mkdir()
    for name, script, options in (
        ("plain", f"{WAITING}5", ()),
        ("removed", f"{WAITING}0", ("--rm", "-v", "/anon")),
        ("always", f"{FIRST_RUN}{WAITING}0", ("--restart", "always", "-p", "127.0.0.1:8080:80")),
        ("succeeds", f"{WAITING}0", ("--restart", "on-failure:3")),
        ("fails", f"{FIRST_RUN}{WAITING}4", ("--restart", "on-failure:3")),
        ("stopped", "exec sleep 1000", ("--restart", "unless-stopped", "--stop-timeout", "0")),
        ("paused", "exec sleep 1000", ()),
    ):
        engine.docker("run", "-d", "--name", name, "-v", f"{go}:/go", *options, "busybox",
                      "sh", "-c", script)  # fmt: skip
    engine.docker("stop", "stopped")
    engine.docker("pause", "paused")
    names = ("plain", "removed", "always", "succeeds", "fails")
    pids = {name: house.show("{{.State.Pid}}", name) for name in (*names, "paused")}
    engine.kill()
    (go / "now").touch()
    for name in names:
        wait_until(lambda pid=pids[name]: not Path(f"/proc/{pid}").exists())
    ended = time.time()
    engine.start()
    # What runs was adopted before the first answer, and what ended was recorded.
    house.check_witness()
    assert house.show("{{.State.Status}} {{.State.Pid}}", "paused") == f"paused {pids['paused']}"
    assert house.show("{{.State.Status}} {{.State.ExitCode}}", "plain") == "exited 5"
    assert house.show("{{.State.FinishedAt}}", "plain") < datetime.fromtimestamp(
        ended, UTC
    ).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert house.docker("logs", "plain") == "last words"
    seen = events_until(engine, ended, {"destroy removed", "start always", "start fails"})
    for name, then in (("removed", "destroy"), ("always", "start"), ("fails", "start")):
        assert seen.index(f"die {name}") < seen.index(f"{then} {name}")
    assert not house.exists("removed")
    assert house.show("{{.State.Status}} {{.RestartCount}}", "always") == "running 1"
    assert house.show("{{.State.Status}} {{.RestartCount}}", "fails") == "running 1"
    assert house.docker("port", "always") == "80/tcp -> 127.0.0.1:8080"
    assert house.show("{{.State.Status}} {{.State.ExitCode}}", "succeeds") == "exited 0"
    assert house.show("{{.State.Status}}", "stopped") == "exited"
    engine.docker("unpause", "paused")
    engine.docker("rm", "-f", "plain", "always", "succeeds", "fails", "stopped", "paused")
    shutil.rmtree(go)
    assert house.changes(before) == (set(), set())


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def events_until(engine: Engine, since: float, wanted: set[str]) -> list[str]:
    """Actions and names in order, until all that are wanted were seen."""
    reading = engine.spawn("events", "--since", f"{since:.6f}", "--format",
                           "{{.Action}} {{.Actor.Attributes.name}}")  # fmt: skip
    seen: list[str] = []
    assert reading.stdout
    while not wanted <= set(seen):
        seen.append(reading.stdout.readline().decode().strip())
        assert seen[-1], seen
    reading.kill()
    reading.communicate()
    return seen
