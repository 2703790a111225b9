"""The units of packaging/systemd, installed as the README says, on a machine of their own."""

import json
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import busybox_archive
from tests.support.patience import patience
from tests.support.systemd import UNITS, needs_systemd, state, systemctl

pytestmark = needs_systemd

PACKAGED = Path(__file__).resolve().parents[2] / "packaging/systemd"
NAMES = ("wherry.socket", "wherry.service")
SOCKET = Path("/run/wherry/wherry.sock")
CONFIG = Path("/etc/wherry/daemon.json")
PROGRAM = Path("/usr/local/bin/wherry")


def wherry(*words: str, stdin: bytes | None = None) -> str:
    done = subprocess.run([str(PROGRAM), *words], input=stdin, capture_output=True, check=False,
                          timeout=patience(60))  # fmt: skip
    assert done.returncode == 0, f"{words}: {done.stderr.decode()}\n{journal()}"
    return done.stdout.decode().strip()


def journal() -> str:
    return subprocess.run(["journalctl", "-q", "--no-pager", "-n", "50", "-u", "wherry.service"],
                          capture_output=True, text=True, check=False).stdout  # fmt: skip


def daemon_pid() -> int:
    return int(systemctl("show", "-P", "MainPID", "wherry.service"))


def process_of(container: str) -> int:
    return int(wherry("inspect", "-f", "{{.State.Pid}}", container))


def run(name: str) -> int:
    """Starts a container that stays; returns its first process."""
    wherry("run", "-d", "--name", name, "busybox", "sleep", "100000")
    return process_of(name)


def runs(pid: int) -> bool:
    try:
        return "sleep" in Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture(scope="module")
def installed() -> Iterator[None]:
    """The units, the group and the program in their places; the socket is enabled."""
    program = Path(sys.executable).parent / "wherry"
    PROGRAM.unlink(missing_ok=True)
    PROGRAM.symlink_to(program)
    subprocess.run(["groupadd", "--system", "--force", "wherry"], check=True)
    for name in NAMES:
        shutil.copy(PACKAGED / name, UNITS / name)
    systemctl("daemon-reload")
    systemctl("enable", "--now", "wherry.socket")
    yield
    if state("wherry.service") == "active":
        for name in wherry("ps", "-aq").split():
            wherry("rm", "-f", name)
    systemctl("disable", "--now", *NAMES)
    for name in NAMES:
        (UNITS / name).unlink()
    CONFIG.unlink(missing_ok=True)
    systemctl("daemon-reload")
    PROGRAM.unlink()


@pytest.fixture(scope="module")
def image(installed: None) -> None:
    """The first client: its import starts the daemon."""
    wherry("import", "--change", 'CMD ["sh"]', "-", "busybox", stdin=busybox_archive())


@pytest.fixture
def container(image: None) -> Iterator[int]:
    """A running container's first process."""
    systemctl("start", *NAMES)
    yield run("stays")
    systemctl("start", *NAMES)
    wherry("rm", "-f", "stays")


def test_the_units_are_what_systemd_understands() -> None:
    done = subprocess.run(["systemd-analyze", "verify", *(str(PACKAGED / name) for name in NAMES)],
                          capture_output=True, text=True, check=False)  # fmt: skip
    said = [line for line in done.stderr.splitlines() if "is not executable" not in line]
    assert said == []


def test_the_first_client_starts_the_daemon(installed: None) -> None:
    systemctl("stop", "wherry.service")
    assert state("wherry.socket") == "active"
    assert (SOCKET.stat().st_mode, SOCKET.group()) == (stat.S_IFSOCK | 0o660, "wherry")
    assert wherry("version", "-f", "{{.Server.Version}}")
    assert state("wherry.service") == "active"
    assert SOCKET.group() == "wherry"


def test_a_container_is_a_transient_scope(container: int) -> None:
    path = Path(f"/proc/{container}/cgroup").read_text().strip().partition("::")[2]
    unit = Path(path).name
    assert unit.startswith("wherry-")
    shown = systemctl("show", "-P", "Transient", "-P", "Delegate", "-P", "ActiveState", unit)
    assert sorted(shown.split()) == ["active", "yes", "yes"]


def test_a_restart_of_the_service_keeps_containers(container: int) -> None:
    before = daemon_pid()
    systemctl("restart", "wherry.service")
    assert daemon_pid() not in (0, before)
    assert process_of("stays") == container
    assert runs(container)
    assert wherry("exec", "stays", "echo", "still") == "still"


def test_a_daemon_that_was_killed_comes_back_and_finds_its_containers(container: int) -> None:
    before = daemon_pid()
    systemctl("kill", "-s", "KILL", "--kill-whom=main", "wherry.service")
    deadline = time.monotonic() + patience(30)
    while daemon_pid() in (0, before) or state("wherry.service") != "active":
        assert time.monotonic() < deadline, journal()
        time.sleep(0.1)
    assert process_of("stays") == container


def test_with_live_restore_containers_run_on_while_the_service_is_stopped(container: int) -> None:
    systemctl("stop", *NAMES)
    assert state("wherry.service") == "inactive"
    assert not SOCKET.exists()
    assert runs(container)
    systemctl("start", *NAMES)
    assert process_of("stays") == container


def test_without_live_restore_containers_stop_with_the_service(image: None) -> None:
    CONFIG.parent.mkdir(exist_ok=True)
    CONFIG.write_text(json.dumps({"live-restore": False}))
    systemctl("restart", "wherry.service")
    try:
        pid = run("ends")
        systemctl("stop", *NAMES)
        assert not runs(pid)
    finally:
        CONFIG.unlink()
        systemctl("start", *NAMES)
        wherry("rm", "-f", "ends")


def test_a_reload_reads_the_configuration_again(image: None) -> None:
    systemctl("start", *NAMES)
    before = daemon_pid()
    CONFIG.parent.mkdir(exist_ok=True)
    CONFIG.write_text(json.dumps({"labels": ["place=here"]}))
    try:
        systemctl("reload", "wherry.service")
        deadline = time.monotonic() + patience(30)
        while "place=here" not in wherry("info", "-f", "{{json .Labels}}"):
            assert time.monotonic() < deadline, journal()
            time.sleep(0.1)
        assert daemon_pid() == before
    finally:
        CONFIG.unlink()
