"""Wherry and dockerd side by side: the same docker commands, the same codes, words, keys, events.

Debian's dockerd is compared with always, the newest one with the marker `peers`. What may differ
from each is a literal list with reasons, which must be exact: an entry that is not needed any more
fails as well.
"""

import json
import os
import re
import shlex
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest

from tests.conformance import accepted_differences, newest_differences
from tests.conformance.clients import peers
from tests.conformance.engine_scenarios import SCENARIOS
from tests.support.dockerd import Dockerd
from tests.support.engine import BUSYBOX, Engine, busybox_archive
from tests.support.needs import needs_program, needs_root
from tests.support.netns import NetworkNamespace
from wherry.model.docker.system import API_VERSION

pytestmark = [needs_root, needs_program("docker"), needs_program("dockerd"),
              pytest.mark.timeout(300)]  # fmt: skip


class Accepted(Protocol):
    """A module that lists how Wherry may differ from one dockerd."""

    OUTPUT: dict[tuple[str, str], str]
    KEYS: dict[tuple[str, str], str]
    EVENTS: dict[tuple[str, str], str]
    NEWER_ATTRIBUTES: frozenset[str]


class Peer(NamedTuple):
    """A dockerd to compare with, at a version of the API that each must show exactly."""

    api: str
    accepted: Accepted
    programs: Callable[[], Path | None]
    """Where it is, unless it is Debian's."""


PEERS = {
    "debian": Peer("1.41", accepted_differences, lambda: None),
    "newest": Peer(API_VERSION, newest_differences, peers),
}


class Subject(NamedTuple):
    """One of the two engines: its socket, and paths that its answers may name."""

    socket: Path
    root: Path
    api: str

    def docker(self, words: list[str], stdin: bytes = b"from stdin\n") -> tuple[int, str, str]:
        """Exit code and output of a docker command."""
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.root), "DOCKER_API_VERSION": self.api,
            "DOCKER_HOST": f"unix://{self.socket}",
        }  # fmt: skip
        done = subprocess.run(
            ["docker", *words], input=stdin, capture_output=True, env=environment, timeout=120,
            check=False, cwd="/",
        )  # fmt: skip
        text = (done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
        return done.returncode, *text

    def settled(self, words: list[str]) -> tuple[int, str, str]:
        """As `docker`, without what differs from run to run."""
        code, *text = self.docker(words)
        return code, self._settled(text[0]), self._settled(text[1])

    def _settled(self, text: str) -> str:
        text = text.replace(str(self.socket), "<socket>").replace(str(self.root), "<root>")
        for pattern, word in _REPLACED:
            text = re.sub(pattern, word, text)
        return text


_REPLACED = (
    (r"[0-9a-f]{64}", "<id>"),
    (r"\b[0-9a-f]{12}\b", "<short>"),
    (r"\b[a-z]+_[a-z]+\d?\b", "<name>"),
    (r"(\d+|About an?|Less than a) (second|minute|hour)s?( ago)?", "<time>"),
    (r"\d{4}-\d\d-\d\d[T ][\d:.]+(Z| \+0000 UTC)?", "<when>"),
    (r"\b(172|10)\.\d+\.\d+\.\d+", "<address>"),
    (r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", "<mac>"),
    (r"(?m)^(\d+) +(sleep|sh)$", r"<pid> \2"),
    (r"time=[\d.]+ ms|\d+\.\d+/\d+\.\d+/\d+\.\d+ ms", "<ms>"),
    (r" +", " "),
)
"""What is random or a measurement, and the word for it."""

_UNSTEADY = frozenset({"container detach"})
"""Events that dockerd tells, or does not, of one and the same start that fails."""


class Pair(NamedTuple):
    """Wherry, a dockerd, and how they may differ."""

    ours: Subject
    theirs: Subject
    accepted: Accepted
    seen: "Findings"
    """What occurred in all scenarios together."""


@pytest.fixture(scope="module", params=["debian", pytest.param("newest", marks=pytest.mark.peers)])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    if not BUSYBOX.exists():
        pytest.skip("needs busybox-static")
    peer = PEERS[request.param]
    with (
        NetworkNamespace() as namespace,
        Engine(namespace=namespace) as ours,
        Dockerd(network=True, programs=peer.programs()) as theirs,
    ):
        ours.import_busybox()
        command = ("import", "--change", 'CMD ["sh"]', "-", "busybox")
        theirs.docker(*command, stdin=busybox_archive())
        subjects = [Subject(engine.socket, engine.root, peer.api) for engine in (ours, theirs)]
        yield Pair(*subjects, peer.accepted, Findings())
        for engine in (ours, theirs):
            assert not engine.docker("network", "ls", "-qf", "type=custom").stdout.split()


class Findings:
    """Differences that occurred, and the text of those that are not accepted."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.output: set[tuple[str, str]] = set()
        self.keys: set[tuple[str, str]] = set()
        self.events: set[tuple[str, str]] = set()


def lines_of(scenario: str) -> list[str]:
    return [line for line in SCENARIOS[scenario].strip().splitlines() if line]


Outcome = tuple[int, str, str]


def _whole(outcome: Outcome) -> tuple[object, ...]:
    return outcome


def _code(outcome: Outcome) -> tuple[object, ...]:
    return outcome[:1]


def _lines(outcome: Outcome) -> tuple[object, ...]:
    return outcome[0], sorted(outcome[1].splitlines()), sorted(outcome[2].splitlines())


_WAYS: dict[str, Callable[[Outcome], tuple[object, ...]]] = {
    "keys": _whole, "ids": _code, "lines": _lines,
}  # fmt: skip
"""What of an outcome is compared, by the word before the command."""


def _both(
    ask: Callable[[Subject, list[str]], Outcome], ours: Subject, theirs: Subject, words: list[str]
) -> tuple[Outcome, Outcome]:
    """What a command does on each, at the same time."""
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(ask, theirs, words)
        return ask(ours, words), other.result()


def compare(scenario: str, pair: Pair) -> Findings:
    """Runs a scenario on both."""
    found = Findings()
    began = time.time()
    for line in lines_of(scenario):
        first, _, rest = line.partition(" ")
        words = shlex.split(rest if first in _WAYS else line)
        if first == "keys":
            outcomes = _both(Subject.docker, pair.ours, pair.theirs, words)
            _compare_keys(found, pair.accepted, line, words, *outcomes)
            continue
        view = _WAYS.get(first, _whole)
        mine, other = map(view, _both(Subject.settled, pair.ours, pair.theirs, words))
        if mine != other:
            found.output.add((scenario, line))
            if (scenario, line) not in pair.accepted.OUTPUT:
                found.text.append(f"{line}\n  wherry:  {mine}\n  dockerd: {other}")
    _compare_events(found, scenario, pair, began)
    return found


def _compare_keys(
    found: Findings, accepted: Accepted, line: str, words: list[str], mine: Outcome, other: Outcome
) -> None:
    noun = words[0] if words[0] != "inspect" else "container"
    have, want = (
        {re.sub("[0-9a-f]{64}", "<id>", path) for path in _paths(json.loads(item[1] or "null"))}
        for item in (mine, other)
    )
    for sign, paths in (("+", have - want), ("-", want - have)):
        for path in sorted(paths):
            found.keys.add((noun, sign + path))
            if (noun, sign + path) not in accepted.KEYS:
                found.text.append(f"{line}: {sign}{path}")


def _paths(value: Any, at: str = "") -> Iterator[str]:
    """Every place in a JSON value with its type."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _paths(item, f"{at}.{key}" if at else key)
    elif isinstance(value, list):
        for item in value:
            yield from _paths(item, f"{at}[]")
    kind = "number" if isinstance(value, int | float) and not isinstance(value, bool) else ""
    yield f"{at}: {kind or type(value).__name__}"


def _events(subject: Subject, since: float, accepted: Accepted) -> Counter[str]:
    """Events as type, action and the keys of their attributes."""
    words = ["events", "--since", f"{since:.3f}", "--until", f"{time.time():.3f}",
             "--format", "{{json .}}"]  # fmt: skip
    code, output, error = subject.docker(words)
    assert code == 0, error
    found: Counter[str] = Counter()
    for line in output.splitlines():
        event = json.loads(line)
        keys = ",".join(sorted(set(event["Actor"]["Attributes"]) - accepted.NEWER_ATTRIBUTES))
        if (what := f"{event['Type']} {event['Action']}") not in _UNSTEADY:
            found[f"{what} ({keys})"] += 1
    return found


def _compare_events(found: Findings, scenario: str, pair: Pair, since: float) -> None:
    mine, other = (_events(subject, since, pair.accepted) for subject in (pair.ours, pair.theirs))
    for sign, rest in (("+", mine - other), ("-", other - mine)):
        for event, number in sorted(rest.items()):
            entry = f"{sign}{number} {event}"
            found.events.add((scenario, entry))
            if (scenario, entry) not in pair.accepted.EVENTS:
                found.text.append(f"events: {entry}")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_ends_on_both_alike(scenario: str, pair: Pair) -> None:
    found = compare(scenario, pair)
    pair.seen.output |= found.output
    pair.seen.keys |= found.keys
    pair.seen.events |= found.events
    assert not found.text, "\n".join(found.text)


def test_every_accepted_difference_still_occurs(pair: Pair, request: pytest.FixtureRequest) -> None:
    peer = request.node.callspec.params["pair"]
    run = {
        item.callspec.params["scenario"] for item in request.session.items
        if hasattr(item, "callspec") and "scenario" in item.callspec.params
        and item.callspec.params["pair"] == peer
    }  # fmt: skip
    if run != set(SCENARIOS):
        pytest.skip("needs all scenarios to have run")
    stale = [
        *(entry for entry in pair.accepted.OUTPUT if entry not in pair.seen.output),
        *(entry for entry in pair.accepted.KEYS if entry not in pair.seen.keys),
        *(entry for entry in pair.accepted.EVENTS if entry not in pair.seen.events),
    ]
    assert not stale, "\n".join(map(str, stale))


@pytest.mark.parametrize("peer", PEERS)
def test_accepted_differences_are_of_scenarios_that_exist(peer: str) -> None:
    accepted = PEERS[peer].accepted
    for scenario, line in accepted.OUTPUT:
        assert line in lines_of(scenario)
    assert {scenario for scenario, _ in accepted.EVENTS} <= set(SCENARIOS)
    assert all([*accepted.OUTPUT.values(), *accepted.KEYS.values(), *accepted.EVENTS.values()])
