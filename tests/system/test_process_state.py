"""What the kernel says of a container's process, compared with one of Debian's dockerd."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.docker_engine import DockerEngine, needs_dockerd, running_dockerd
from tests.support.engine import Engine

pytestmark = needs_dockerd

ACCEPTED = {
    "Tgid": "how many processes were there before is chance",
    "Ngid": "as Tgid",
    "Pid": "as Tgid",
    "PPid": "as Tgid",
    "NStgid": "as Tgid",
    "NSpid": "as Tgid",
    "NSpgid": "as Tgid",
    "NSsid": "as Tgid",
    "SigQ": "counts the signals of root on the whole machine",
    "voluntary_ctxt_switches": "chance",
    "nonvoluntary_ctxt_switches": "chance",
    "VmHWM": "depends on what of busybox lies in memory",
    "VmRSS": "as VmHWM",
    "VmPTE": "as VmHWM",
    "RssAnon": "as VmHWM",
    "RssFile": "as VmHWM",
    "RssShmem": "as VmHWM",
}
"""Lines of /proc/self/status that may differ, and why."""

OPTIONS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "a user": ("--user", "joe"),
    "ids": ("--user", "5:6"),
    "groups": ("--user", "joe:root", "--group-add", "27"),
    "an init": ("--init",),
    "limits": ("--ulimit", "nofile=100:200", "--ulimit", "core=0", "--ulimit", "nproc=50"),
    "capabilities": ("--cap-drop", "ALL", "--cap-add", "NET_BIND_SERVICE"),
    "no new privileges": ("--security-opt", "no-new-privileges"),
    "no profile": ("--security-opt", "seccomp=unconfined"),
    "processors": ("--cpuset-cpus", "0"),
    "an OOM score": ("--oom-score-adj", "500"),
}
"""Options of `docker run` under which processes are compared."""

OTHERS = "oom_score_adj coredump_filter timerslack_ns personality loginuid setgroups uid_map"
COMMAND = ("sh", "-c", f"""
cat /proc/self/status
cat /proc/self/limits
for name in {OTHERS}; do echo "$name: $(cat /proc/self/$name)"; done
echo "umask: $(umask)"
echo "id: $(id)"
echo "environment: $(env | grep -v HOSTNAME | sort | tr '\\n' ' ')"
""")  # fmt: skip


@pytest.fixture(scope="module")
def dockerd() -> Iterator[DockerEngine]:
    yield from running_dockerd()


def state(engine: Engine, options: tuple[str, ...]) -> list[str]:
    shown = engine.docker("run", "--rm", "--network", "none", *options, "busybox", *COMMAND).stdout
    return comparable(shown)


def comparable(shown: str) -> list[str]:
    """The lines that count; dockerd passes on what whoever started the tests ignores."""
    found = []
    for line in shown.splitlines():
        name, _, value = " ".join(line.split()).partition(": ")
        if name == "SigIgn":
            value = f"{int(value, 16) & ~ignored_here():016x}"
        if name not in ACCEPTED:
            found.append(f"{name}: {value}")
    return found


def ignored_here() -> int:
    """The mask of signals that this process ignores, but for Python's own."""
    status = Path("/proc/self/status").read_text()
    mask = int(status.partition("SigIgn:")[2].split()[0], 16)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        mask &= ~(1 << number - 1)
    return mask


@pytest.mark.parametrize("name", OPTIONS)
def test_a_process_has_the_state_that_dockerd_gives(
    engine: Engine, dockerd: DockerEngine, name: str
) -> None:
    ours = state(engine, OPTIONS[name])
    assert len(ours) > 50
    assert ours == state(dockerd, OPTIONS[name])


def test_an_execd_process_has_the_state_that_dockerd_gives(
    engine: Engine, dockerd: DockerEngine
) -> None:
    found = []
    for each in (engine, dockerd):
        each.docker("run", "-d", "--name", "host", "--network", "none", "busybox", "sleep", "100")
        found.append(comparable(each.docker("exec", "--user", "joe", "host", *COMMAND).stdout))
        each.docker("rm", "-f", "host")
    assert found[0] == found[1]
