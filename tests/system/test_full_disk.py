"""A data root without any room: what needs some is refused, what gives some back works."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.engine import Engine, busybox_archive
from tests.support.holdings import holdings, settled
from tests.support.layers import docker_archive, entry, layer
from tests.support.netns import NetworkNamespace

TALKING = "i=0; while [ ! -e /dev/shm/end ]; do echo line $i; i=$((i+1)); sleep 0.02; done; exit 3"


class Disk(NamedTuple):
    """An engine whose data root is a small file system."""

    engine: Engine
    namespace: NetworkNamespace
    path: Path

    def fill(self) -> None:
        """Leaves not a byte."""
        with (self.path / "filler").open("wb", buffering=0) as file:
            for size in (1 << 16, 1 << 8, 1):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)):
                        pass

    def empty(self) -> None:
        """Gives the room back."""
        (self.path / "filler").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def disk(engine_ready: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    path = tmp_path_factory.mktemp("disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(path)], check=True)
    try:
        with NetworkNamespace() as namespace, Engine(data=path, namespace=namespace) as engine:
            engine.import_busybox()
            engine.docker("run", "-d", "--name", "talks", "busybox", "sh", "-c", TALKING)
            yield Disk(engine, namespace, path)
            (path / "filler").unlink(missing_ok=True)
        assert engine.leftovers() == []
    finally:
        subprocess.run(["umount", str(path)], check=True)


@pytest.fixture
def full(disk: Disk) -> Iterator[Disk]:
    disk.fill()
    yield disk
    disk.empty()


ARCHIVE = docker_archive([busybox_archive(), layer(entry("a", bytes(5000)))], ["big:1"])


@pytest.mark.parametrize(
    ("words", "code", "named", "stdin"),
    [
        ("create --name more busybox true", 1, "/overlay2/active/", b""),
        ("run --rm -v /anonymous busybox true", 125, "/overlay2/active/", b""),
        ("load", 1, "/tmp/archive-", ARCHIVE),
        ("import - more:1", 1, "/tmp/archive-", busybox_archive()),
        ("cp /etc/passwd talks:/etc/copied", 1, 'write "', b""),
    ],
)
def test_what_needs_room_is_refused_in_one_line_and_leaves_nothing(
    full: Disk, words: str, code: int, named: str, stdin: bytes
) -> None:
    before = holdings(full.engine, full.namespace)
    done = full.engine.docker(*words.split(), stdin=stdin, check=False)
    assert done.returncode == code
    line = done.stderr.strip().splitlines()[0]
    assert "no space left on device" in line
    assert named in line
    assert settled(full.engine, before, full.namespace) == (set(), set())


def test_a_container_runs_on_and_its_log_stays_whole(disk: Disk) -> None:
    disk.fill()
    engine = disk.engine
    pid = engine.docker("inspect", "-f", "{{.State.Pid}}", "talks").stdout
    reading = engine.spawn("attach", "--no-stdin", "talks")
    assert reading.stdout
    assert reading.stdout.readline()
    assert reading.stdout.readline()
    shown = engine.docker("logs", "talks").stdout
    assert shown.endswith("\n")
    disk.empty()
    last = reading.stdout.readline().decode()
    with engine.spawn("logs", "-f", "--tail", "0", "talks") as following:
        assert following.stdout
        later = following.stdout.readline().decode()
        following.kill()
    reading.kill()
    reading.communicate()
    assert int(later.split()[1]) >= int(last.split()[1])
    assert engine.docker("inspect", "-f", "{{.State.Pid}}", "talks").stdout == pid


def test_containers_are_stopped_renamed_and_removed_without_room(disk: Disk) -> None:
    engine = disk.engine
    before = holdings(engine, disk.namespace)
    engine.docker("run", "-d", "--name", "old", "-v", "/anon", "busybox", "sleep", "1000")
    disk.fill()
    engine.docker("exec", "old", "true")
    engine.docker("pause", "old")
    engine.docker("unpause", "old")
    engine.docker("rename", "old", "older")
    engine.docker("stop", "-t", "0", "older")
    engine.docker("rm", "-v", "older")
    disk.empty()
    assert settled(engine, before, disk.namespace) == (set(), set())
    assert engine.docker("run", "--rm", "busybox", "echo", "well").stdout == "well\n"


def test_a_daemon_that_dies_without_room_comes_back(disk: Disk) -> None:
    engine = disk.engine
    pid = engine.docker("inspect", "-f", "{{.State.Pid}}", "talks").stdout
    disk.fill()
    engine.kill()
    engine.start()
    assert engine.docker("inspect", "-f", "{{.State.Pid}}", "talks").stdout == pid
    disk.empty()
