"""Ports that are published, and published no longer, without losing the container."""

import json
import socket
from collections.abc import Iterator

import pytest

from tests.support.engine import Engine
from tests.system.test_volumes import wherry


@pytest.fixture
def web(engine: Engine) -> Iterator[str]:
    engine.docker("run", "-d", "--name", "web", "-p", "127.0.0.1::80", "busybox", "sh", "-c",
                  "mkdir -p /www; echo hello >/www/index.html; httpd -p 80 -h /www; "
                  "httpd -p 81 -h /www; echo ready; exec sleep 1000")  # fmt: skip
    await_ready(engine, 1)
    yield "web"
    engine.docker("rm", "-f", "web")


def await_ready(engine: Engine, times: int) -> None:
    """Returns when the servers listen, after so many starts."""
    with engine.spawn("logs", "-f", "web") as logs:
        assert logs.stdout
        for _ in range(times):
            assert logs.stdout.readline() == b"ready\n"
        logs.kill()


def update(engine: Engine, *words: str) -> str:
    """Changes the container; an error's text, empty if there is none."""
    done = wherry(engine, "update", *words, "web")
    return done.stderr.decode() if done.returncode else ""


def place(engine: Engine, port: str) -> tuple[str, int]:
    """Where a port of the container is on the host."""
    address, _, number = engine.docker("port", "web", port).stdout.split()[0].rpartition(":")
    return address, int(number)


def answers(address: tuple[str, int]) -> bool:
    """Whether a web server answers there."""
    try:
        with socket.create_connection(address, timeout=10) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            received = b""
            while piece := client.recv(4096):
                received += piece
            return b"hello" in received
    except OSError:
        return False


def test_a_port_is_published_while_the_container_runs_and_after_its_restart(
    engine: Engine, web: str
) -> None:
    pid = engine.docker("inspect", "-f", "{{.State.Pid}}", web).stdout
    first = place(engine, "80")
    assert update(engine, "--publish-add", "127.0.0.1::81") == ""
    assert engine.docker("inspect", "-f", "{{.State.Pid}}", web).stdout == pid
    assert place(engine, "80") == first
    assert answers(first)
    assert answers(place(engine, "81"))
    bindings = json.loads(engine.docker("inspect", web).stdout)[0]["HostConfig"]["PortBindings"]
    assert sorted(bindings) == ["80/tcp", "81/tcp"]
    engine.docker("restart", "-t", "0", web)
    await_ready(engine, 2)
    assert answers(place(engine, "81"))


def test_a_port_that_is_published_no_longer_is_closed_and_free(engine: Engine, web: str) -> None:
    was = place(engine, "80")
    assert update(engine, "--publish-rm", "80/tcp", "--publish-add", "127.0.0.1::81") == ""
    assert engine.docker("port", web).stdout.startswith("81/tcp")
    assert "80/tcp" not in engine.docker("port", web).stdout
    assert not answers(was)
    assert answers(place(engine, "81"))
    with socket.create_server(was):
        pass  # the host has it back


def test_one_of_two_places_of_a_port_is_closed_and_the_other_ends_with_the_container(
    engine: Engine,
) -> None:
    run = ("run", "-d", "-p", "127.0.0.1::80", "-p", "127.0.0.1::80", "busybox", "sleep", "1000")
    two = engine.docker(*run).stdout.strip()
    goes, stays = engine.docker("port", two, "80").stdout.split()
    words = ("update", "--publish-rm", "80", "--publish-add", f"{stays}:80", two)
    assert wherry(engine, *words).returncode == 0
    assert engine.docker("port", two).stdout == f"80/tcp -> {stays}\n"
    engine.docker("rm", "-f", two)
    for free in (stays, goes):
        again = engine.docker("run", "-d", "-p", f"{free}:80", "busybox", "sleep", "1000")
        engine.docker("rm", "-f", again.stdout.strip())


def test_other_connections_outlive_the_change(engine: Engine, web: str) -> None:
    with socket.create_connection(place(engine, "80"), timeout=10) as client:
        assert update(engine, "--publish-add", "127.0.0.1::81") == ""
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.")


def test_a_stopped_container_publishes_at_its_next_start(engine: Engine, web: str) -> None:
    engine.docker("stop", "-t", "0", web)
    assert update(engine, "--publish-add", "127.0.0.1::81", "--publish-rm", "80") == ""
    engine.docker("start", web)
    await_ready(engine, 2)
    assert answers(place(engine, "81"))
    assert "80/tcp" not in engine.docker("port", web).stdout


def test_a_port_that_is_taken_leaves_everything_as_it_was(engine: Engine, web: str) -> None:
    before = engine.docker("inspect", web).stdout
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        text = update(engine, "--publish-rm", "80/tcp", "--publish-add", f"127.0.0.1:{taken}:81")
    assert f"{taken}" in text
    assert engine.docker("inspect", web).stdout == before
    assert answers(place(engine, "80"))


def test_what_is_not_published_cannot_be_taken_away(engine: Engine, web: str) -> None:
    assert "does not publish port 99/tcp" in update(engine, "--publish-rm", "99/tcp")
    assert "name the container's own" in update(engine, "--publish-rm", "8080:80")


def test_a_container_without_a_network_of_its_own_publishes_nothing(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "web", "--network", "none", "busybox", "sleep", "1000")
    assert "it publishes no ports" in update(engine, "--publish-add", "81")
    engine.docker("rm", "-f", "web")
