"""What a start and an exec do on their way, counted: forks, execs, waits for the disk."""

import time
from pathlib import Path

from tests.support.engine import Engine
from tests.support.needs import needs_program
from tests.support.tracing import traced

pytestmark = [needs_program("strace")]

FORKS = ("clone", "clone3", "fork", "vfork")


def parent_of(pid: int) -> int:
    """The parent of a process (proc_pid_stat(5))."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def children_of(pid: int, name: str) -> list[int]:
    """Children of a process with this name."""
    pids = [
        int(child)
        for thread in Path(f"/proc/{pid}/task").iterdir()
        for child in (thread / "children").read_text().split()
    ]
    return [child for child in pids if Path(f"/proc/{child}/comm").read_text().strip() == name]


def spare_of(engine: Engine) -> int:
    """The monitor that waits for the next container, once it is there."""
    zygote = zygote_of(engine)
    deadline = time.monotonic() + 30
    while not (
        (found := children_of(zygote, "wherry-spare")) and children_of(found[0], "wherry-starter")
    ):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found[0]


def zygote_of(engine: Engine) -> int:
    """The zygote of an engine."""
    (found,) = children_of(engine.pid, "wherry-zygote")
    return found


def pid_of(engine: Engine, container: str) -> int:
    """The first process of a container on the host."""
    return int(engine.docker("inspect", "-f", "{{.State.Pid}}", container).stdout)


def test_a_monitor_is_forked_before_its_container_is_asked_for(engine: Engine) -> None:
    engine.docker("run", "--rm", "busybox", "true")
    spare = spare_of(engine)
    engine.docker("run", "-d", "--name", "forked-ahead", "busybox", "sleep", "1000")
    assert parent_of(pid_of(engine, "forked-ahead")) == spare
    engine.docker("rm", "-f", "forked-ahead")


def test_a_start_forks_its_init_and_the_next_monitor_with_its_starter(
    engine: Engine,
) -> None:
    engine.docker("run", "--rm", "busybox", "true")
    spare = spare_of(engine)
    ahead = [spare, *children_of(spare, "wherry-starter")]
    assert len(ahead) == 2
    with traced([zygote_of(engine), *ahead], "execve", *FORKS) as counts:
        engine.docker("run", "--rm", "busybox", "true")
        spare_of(engine)
    assert counts["execve"] == 1
    assert sum(counts[name] for name in FORKS) == 3


def test_an_exec_is_one_fork_of_the_monitor(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "forks", "busybox", "sleep", "1000")
    monitor = parent_of(pid_of(engine, "forks"))
    with traced([monitor], "execve", *FORKS) as counts:
        engine.docker("exec", "forks", "true")
    assert counts["execve"] == 1
    assert sum(counts[name] for name in FORKS) == 1
    engine.docker("rm", "-f", "forks")


def test_a_run_that_removes_itself_waits_for_no_disk(engine: Engine) -> None:
    with traced([engine.pid], "fsync", "fdatasync", "sync_file_range") as counts:
        engine.docker("run", "--rm", "busybox", "true")
    assert counts.total() == 0


def test_a_created_container_is_on_the_disk_when_its_id_is_told(engine: Engine) -> None:
    with traced([engine.pid], "fsync", "fdatasync") as counts:
        engine.docker("create", "--name", "kept", "busybox", "true")
    assert counts.total() > 0
    engine.docker("rm", "kept")


def test_a_monitor_has_less_than_two_megabytes_of_its_own(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "small", "busybox", "sleep", "1000")
    engine.docker("exec", "small", "true")
    assert private_kilobytes(parent_of(pid_of(engine, "small"))) < 2048
    engine.docker("rm", "-f", "small")


def private_kilobytes(pid: int) -> int:
    """Memory that a process shares with no other (proc_pid_smaps_rollup(5))."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
