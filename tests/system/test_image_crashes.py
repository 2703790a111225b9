"""The daemon dies in the middle of work on images: what is there afterwards is whole."""

import http.client
import json
import socket

import pytest

from tests.support.engine import Engine, busybox_archive
from tests.support.layers import docker_archive, entry, layer


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("engine", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def layers(engine: Engine) -> set[str]:
    return {path.name for path in (engine.root / "data/overlay2/layers").iterdir()}


def archives(engine: Engine) -> set[str]:
    return {path.name for path in (engine.root / "data/archives").iterdir()}


@pytest.mark.parametrize("number", [2, 5])
def test_a_load_that_is_killed_leaves_all_of_an_image_or_nothing(
    engine_ready: None, number: int
) -> None:
    """Killed when so many layers have been begun; the fifth line tells that all is done."""
    parts = [
        busybox_archive(),
        *(layer(entry(f"part-{index}", bytes(99_000))) for index in range(3)),
    ]
    archive = docker_archive(parts, ["killed:1"])
    with Engine() as engine:
        engine.import_busybox()
        before = layers(engine), archives(engine)
        connection = _Connection(str(engine.socket))
        connection.request("POST", "/images/load?quiet=0", archive)
        answer = connection.getresponse()
        begun: set[str] = set()
        for line in answer:
            begun.add(json.loads(line).get("id", "done"))
            if len(begun) >= number:
                break
        engine.kill()
        connection.close()
        engine.start()
        there = engine.docker("images", "-q", "killed").stdout
        if there:
            command = ("run", "--rm", "--network", "none", "killed:1", "ls", "/part-2")
            assert engine.docker(*command).stdout == "/part-2\n"
            engine.docker("rmi", "killed:1")
        assert (layers(engine), archives(engine)) == before
        assert list((engine.root / "data/tmp").iterdir()) == []
        assert engine.docker("load", stdin=archive).stdout == "Loaded image: killed:1\n"
