"""Containers as things with names: listed, inspected, renamed, updated, pruned, their ports."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import Engine


@pytest.fixture(scope="module")
def fleet(engine: Engine) -> Iterator[None]:
    """Containers in several states: two run, one is paused, one has ended, one never ran."""
    run = ("run", "-d", "--network", "none")
    engine.docker(*run, "--name", "sloop", "--label", "kind=ship", "busybox", "sleep", "1000")
    engine.docker(*run, "--name", "brig", "--label", "kind=ship", "--label", "guns=10", "-v",
                  "hold:/hold", "busybox", "sleep", "1000")  # fmt: skip
    engine.docker(*run, "--name", "moored", "busybox", "sleep", "1000")
    engine.docker("pause", "moored")
    engine.docker("run", "--name", "wreck", "busybox", "sh", "-c", "exit 3", check=False)
    engine.docker("create", "--name", "plan", "busybox", "true")
    yield
    engine.docker("rm", "-f", "-v", "sloop", "brig", "moored", "wreck", "plan")


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ((), "moored brig sloop"),
        (("-a",), "plan wreck moored brig sloop"),
        (("-l",), "plan"),
        (("-n", "2"), "plan wreck"),
        (("--filter", "status=paused"), "moored"),
        (("--filter", "status=created"), "plan"),
        (("-a", "--filter", "exited=3"), "wreck"),
        (("--filter", "label=kind"), "brig sloop"),
        (("--filter", "label=kind=ship", "--filter", "label=guns=10"), "brig"),
        (("--filter", "name=slo"), "sloop"),
        (("--filter", "name=^/brig$"), "brig"),
        (("-a", "--filter", "before=wreck"), "moored brig sloop"),
        (("-a", "--filter", "since=wreck"), "plan"),
        (("--filter", "volume=hold"), "brig"),
        (("-a", "--filter", "ancestor=busybox", "--filter", "status=exited"), "wreck"),
        (("--filter", "network=none"), "moored brig sloop"),
    ],
)
def test_ps_shows_the_containers_that_are_asked_for(
    engine: Engine, fleet: None, options: tuple[str, ...], names: str
) -> None:
    shown = engine.docker("ps", *options, "--format", "{{.Names}}").stdout
    assert shown.split() == names.split()


def test_inspect_finds_a_container_by_name_id_and_the_beginning_of_it(
    engine: Engine, fleet: None
) -> None:
    whole = engine.docker("inspect", "-f", "{{.Id}}", "sloop").stdout.strip()
    for reference in (whole, whole[:12], whole[:5], "/sloop"):
        assert engine.docker("inspect", "-f", "{{.Name}}", reference).stdout == "/sloop\n"
    sized = json.loads(engine.docker("inspect", "--size", "--type", "container", "sloop").stdout)[0]
    assert sized["SizeRootFs"] > sized["SizeRw"] >= 0


def test_a_renamed_container_leaves_its_name_to_others(engine: Engine) -> None:
    engine.docker("create", "--name", "first", "busybox", "true")
    engine.docker("rename", "first", "second")
    engine.docker("create", "--name", "first", "busybox", "true")
    engine.kill()
    engine.start()
    names = engine.docker("ps", "-a", "--filter", "status=created", "--format", "{{.Names}}").stdout
    assert {"first", "second"} <= set(names.split())
    engine.docker("rm", "first", "second")


def test_limits_are_updated_and_shown(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "grows", "-m", "32m", "busybox", "sleep", "1000")
    engine.docker("update", "-m", "64m", "--memory-swap", "128m", "--cpus", "1", "--pids-limit",
                  "50", "grows")  # fmt: skip
    host = json.loads(engine.docker("inspect", "grows").stdout)[0]["HostConfig"]
    shown = (host["Memory"], host["MemorySwap"], host["NanoCpus"], host["PidsLimit"])
    assert shown == (64 << 20, 128 << 20, 10**9, 50)
    engine.docker("restart", "-t", "0", "grows")
    told = engine.docker("stats", "--no-stream", "--format", "{{.MemUsage}}", "grows").stdout
    assert told.strip().endswith("/ 64MiB")
    engine.docker("rm", "-f", "grows")


def test_the_id_goes_into_a_file_that_must_not_be_there(engine: Engine, tmp_path: Path) -> None:
    place = tmp_path / "id"
    created = engine.docker("create", "--cidfile", str(place), "busybox", "true").stdout.strip()
    assert place.read_text() == created
    again = engine.docker("create", "--cidfile", str(place), "busybox", "true", check=False)
    assert again.returncode != 0
    assert str(place) in again.stderr
    engine.docker("rm", created)


def test_ports_are_told_as_they_are_published(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "open", "-p", "127.0.0.1::80", "-p", "127.0.0.1::53/udp",
                  "--expose", "99", "busybox", "sleep", "1000")  # fmt: skip
    lines = engine.docker("port", "open").stdout.splitlines()
    assert sorted(line.partition(" -> ")[0] for line in lines) == ["53/udp", "80/tcp"]
    tcp = engine.docker("port", "open", "80/tcp").stdout.strip()
    assert tcp.startswith("127.0.0.1:")
    assert f"{tcp}->80/tcp" in engine.docker("ps", "--format", "{{.Ports}}").stdout
    refused = engine.docker("port", "open", "99", check=False)
    assert refused.returncode == 1
    engine.docker("rm", "-f", "open")


def test_prune_removes_what_has_ended_and_nothing_else(engine: Engine) -> None:
    engine.docker("create", "--name", "kept", "--label", "keep", "busybox", "true")
    engine.docker("run", "-d", "--name", "runs", "busybox", "sleep", "1000")
    ended = engine.docker("create", "busybox", "true").stdout.strip()
    pruned = engine.docker("container", "prune", "-f", "--filter", "label!=keep").stdout
    assert ended in pruned
    left = engine.docker("ps", "-a", "--format", "{{.Names}}").stdout.split()
    assert {"kept", "runs"} <= set(left)
    engine.docker("rm", "-f", "kept", "runs")


def test_rm_takes_anonymous_volumes_along_if_told_and_always_for_rm(engine: Engine) -> None:
    def volumes() -> set[str]:
        return set(engine.docker("volume", "ls", "-q").stdout.split())

    before = volumes()
    engine.docker("create", "--name", "holds", "-v", "/data", "busybox", "true")
    engine.docker("rm", "holds")
    (left,) = volumes() - before
    engine.docker("volume", "rm", left)
    engine.docker(
        "create", "--name", "holds", "-v", "/data", "-v", "named:/named", "busybox", "true"
    )
    engine.docker("rm", "-v", "holds")
    assert volumes() - before == {"named"}
    engine.docker("run", "--rm", "-v", "/data", "-v", "named:/named", "busybox", "true")
    assert volumes() - before == {"named"}
    engine.docker("volume", "rm", "named")
