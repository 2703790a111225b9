"""Many containers in a row: what the engine holds afterwards is what it held before."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.engine import Engine
from tests.support.holdings import holdings, settled
from tests.support.netns import NetworkNamespace

MEGABYTE = 1024


class House(NamedTuple):
    """An engine with a network namespace of its own."""

    engine: Engine
    namespace: NetworkNamespace


class Own(NamedTuple):
    """What a process has: open descriptors, and private memory in kilobytes."""

    descriptors: int
    memory: int


@pytest.fixture(scope="module")
def house(engine_ready: None) -> Iterator[House]:
    with NetworkNamespace() as namespace, Engine(namespace=namespace) as engine:
        engine.import_busybox()
        engine.docker("run", "-d", "--name", "stays", "busybox", "sleep", "100000")
        yield House(engine, namespace)
    assert engine.leftovers() == []


def own(pid: int) -> Own:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    memory = sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
    return Own(len(os.listdir(f"/proc/{pid}/fd")), memory)


def zygote_of(engine: Engine) -> int:
    for thread in Path(f"/proc/{engine.pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            if Path(f"/proc/{child}/comm").read_text().strip() == "wherry-zygote":
                return int(child)
    raise AssertionError("the engine has no zygote")


def use(engine: Engine, times: int) -> None:
    for _ in range(times):
        engine.docker("run", "--rm", "-p", "127.0.0.1::80", "-v", "/data", "busybox", "true")
        engine.docker("exec", "stays", "true")


@pytest.mark.parametrize(
    "times",
    [pytest.param(10), pytest.param(300, marks=[pytest.mark.long, pytest.mark.timeout(900)])],
)
def test_runs_and_execs_in_a_row_leave_nothing_and_cost_nothing_for_good(
    house: House, times: int
) -> None:
    engine, namespace = house
    use(engine, 5)  # pools of threads and caches are filled
    zygote = zygote_of(engine)
    before = holdings(engine, namespace)
    daemon_before, zygote_before = own(engine.pid), own(zygote)
    use(engine, times)
    assert settled(engine, before, namespace) == (set(), set())
    daemon, same_zygote = own(engine.pid), own(zygote_of(engine))
    assert daemon.descriptors == daemon_before.descriptors
    assert same_zygote.descriptors == zygote_before.descriptors
    assert zygote_of(engine) == zygote
    assert daemon.memory - daemon_before.memory < 3 * MEGABYTE
    assert same_zygote.memory - zygote_before.memory < MEGABYTE
