"""`wherry` and `docker` before the same canned engine: the same requests, the same words."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.canned_answers import ANSWERS, NOT_FOUND
from tests.conformance.cli_lines import DIFFERENCES, LINES
from tests.support.canned_engine import CannedEngine
from tests.support.needs import needs_newest_docker
from tests.support.terminal import Terminal
from tests.support.wherry_cli import Answer, WarmWherry

pytestmark = needs_newest_docker

WHERRY = [sys.executable, str(Path(__file__).resolve().parents[2] / "bin" / "wherry")]
CONFIGURATION = {
    "auths": {"repo.example": {"auth": "bWU6c2VjcmV0"}},
    "HttpHeaders": {"X-Mine": "1"},
}


@pytest.fixture(scope="module")
def wherry() -> Iterator[WarmWherry]:
    with WarmWherry() as running:
        yield running


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[CannedEngine]]:
    places = [tmp_path_factory.mktemp("canned") for _ in range(2)]
    one, two = (CannedEngine(place, ANSWERS, NOT_FOUND) for place in places)
    with one, two:
        yield [one, two]


def environment(engine: CannedEngine, home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": "/home/me",
        "DOCKER_CONFIG": str(home),
        "DOCKER_HOST": engine.host,
        "COLUMNS": "80",
        "TZ": "UTC",
    }


def settled(text: str, engine: CannedEngine, home: Path) -> str:
    """An answer without what differs by nature."""
    text = text.replace(engine.host, "<host>").replace(str(home), "<home>")
    text = re.sub(r"\bwherry\b", "docker", text)
    text = re.sub(r"^ Version:    .*", " Version:    <ours>", text, flags=re.MULTILINE)
    text = re.sub(
        r"(\d+|About an?|Less than a) (second|minute|hour|month)s?( ago)?", "<time>", text
    )
    return re.sub(r"DEPRECATED: The legacy builder[^\n]*\n[^\n]*\n[^\n]*\n\n", "", text)


def without_nothing(value: Any) -> Any:
    """A request without its zeros, which mean the same as their absence."""
    if isinstance(value, dict):
        kept = {name: without_nothing(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item not in (None, "", 0, [], {})}
    if isinstance(value, list):
        return [without_nothing(item) for item in value]
    return "" if value == "0 bytes" else value


def asked(engine: CannedEngine) -> list[str]:
    """The requests, in an order of their own: docker sends some at the same time."""
    found = []
    for request in engine.requests:
        query = [pair for pair in request["query"] if pair[1] not in ("", [], {})]
        body = without_nothing(request["body"])
        if isinstance(body, str) and body.endswith(" bytes"):
            body = "bytes"
        found.append(json.dumps([request["request"], query, body], sort_keys=True))
    engine.requests.clear()
    return sorted(found)


def run_docker(words: list[str], variables: dict[str, str], home: Path, stdin: bytes) -> Answer:
    done = subprocess.run(
        ["docker", *words], env=variables, cwd=home, input=stdin, capture_output=True,
        check=False, timeout=60,
    )  # fmt: skip
    return (
        done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    )  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_asks_and_answers_as_docker(
    line: str, wherry: WarmWherry, engines: list[CannedEngine], tmp_path: Path
) -> None:
    told = []
    homes = [tmp_path / "docker", tmp_path / "wherry"]
    for home in homes:
        home.mkdir()
        (home / "config.json").write_text(json.dumps(CONFIGURATION))
        (home / "file").write_text("content\n")
        (home / "env").write_text("FROM_FILE=1\n# note\nHOME\n")
    words = shlex.split(line)
    stdin = b"y\nfrom stdin\n"
    ours = environment(engines[1], homes[1])
    wherry.start(words, ours, homes[1], stdin)
    theirs = run_docker(words, environment(engines[0], homes[0]), homes[0], stdin)
    for (code, out, err), engine, home in zip(
        (theirs, wherry.finish()), engines, homes, strict=True
    ):
        told.append((code, settled(out, engine, home), settled(err, engine, home), asked(engine)))
    if line in DIFFERENCES:
        assert told[1] != told[0], f"no difference any more: {DIFFERENCES[line]}"
    else:
        assert told[1] == told[0]


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
@pytest.mark.parametrize("line", ["images --tree", "ps --format table", "run --help", "images"])
def test_a_terminal_shows_the_same(
    line: str, columns: int, engines: list[CannedEngine], tmp_path: Path
) -> None:
    shown = []
    for program in (["docker"], WHERRY):
        variables = environment(engines[0], tmp_path)
        del variables["COLUMNS"]
        with Terminal([*program, *line.split()], variables, columns=columns) as terminal:
            assert terminal.wait() == 0
        text = settled(terminal.seen, engines[0], tmp_path)
        shown.append(text.partition("\r\nExamples:\r\n")[0])
    assert shown[1] == shown[0]


@pytest.mark.parametrize(("line", "dialogue"), [
    ("login other.example", [("Username: ", "me\r"), ("Password: ", "secret\r")]),
    ("login -u me other.example", [("Password: ", "secret\r")]),
    ("login -u me other.example", [("Password: ", "\r")]),
    ("login other.example", [("Username: ", "\r")]),
    ("login -u me other.example", [("Password: ", "\x03")]),
    ("container prune", [("[y/N] ", "y\r")]),
    ("container prune", [("[y/N] ", "no\r")]),
    ("system prune", [("[y/N] ", "\x03")]),
])  # fmt: skip
def test_questions_are_asked_alike(
    line: str, dialogue: list[tuple[str, str]], engines: list[CannedEngine], tmp_path: Path
) -> None:
    told = []
    for program in (["docker"], WHERRY):
        (tmp_path / "config.json").write_text("{}")
        variables = environment(engines[0], tmp_path)
        with Terminal([*program, *line.split()], variables, columns=120) as terminal:
            for question, answer in dialogue:
                terminal.expect(question)
                terminal.send(answer)
            told.append((terminal.wait(), settled(terminal.seen, engines[0], tmp_path)))
    assert told[1] == told[0]


def test_the_listed_differences_are_of_lines_that_are_tried() -> None:
    assert set(DIFFERENCES) <= set(LINES)
