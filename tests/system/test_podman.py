"""Debian's podman with `wherry-runtime` below it, on roots of its own."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bundle import LAUNCH
from tests.support.engine import busybox_archive
from tests.support.needs import needs_program, needs_root
from tests.support.patience import patience

pytestmark = [needs_root, needs_program("podman"), needs_program("conmon")]


class Podman:
    """One private podman; containers are without a network."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        # podman asks a runtime that it knows by name for JSON, and takes a path for it.
        self.runtime = directory / "wherry-runtime"
        self.runtime.write_text(
            f"#!/bin/sh\nexec {sys.executable} -c '{LAUNCH}' --root {directory}/oci \"$@\"\n"
        )
        self.runtime.chmod(0o755)
        (directory / "containers.conf").write_text(
            '[engine]\nruntime_supports_json = ["wherry-runtime"]\n'
        )
        (directory / "busybox.tar").write_bytes(busybox_archive())

    def __call__(
        self, *words: str, check: bool = True, given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        root = self.directory
        command = [
            "podman", "--root", f"{root}/root", "--runroot", f"{root}/run", "--tmpdir",
            f"{root}/tmp", "--runtime", str(self.runtime), "--cgroup-manager", "cgroupfs",
            "--storage-driver", "vfs", "--events-backend", "none", *words,
        ]  # fmt: skip
        environment = {**os.environ, "CONTAINERS_CONF": f"{root}/containers.conf"}
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            done = subprocess.run(
                command, input=given.encode(), stdout=output, stderr=errors, env=environment,
                timeout=patience(60), check=False,
            )  # fmt: skip
            output.seek(0)
            errors.seek(0)
            texts = output.read().decode(), errors.read().decode()
        assert not check or done.returncode == 0, f"{words}: {texts[1]}"
        return subprocess.CompletedProcess(command, done.returncode, *texts)

    def run(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return self("run", "--rm", "--network", "none", *words, check=False, given=given)


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    directory = Path(tempfile.mkdtemp(prefix="wherry-podman-"))
    found = Podman(directory)
    try:
        found("import", "-q", f"{directory}/busybox.tar", "busybox")
        yield found
    finally:
        found("rm", "-f", "-a", "-t", "0", check=False)
        for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
            if str(directory) in line.split()[4]:
                subprocess.run(["umount", "-l", line.split()[4]], check=False)
        shutil.rmtree(directory)


def test_podman_runs_a_container_to_its_exit_code(podman: Podman) -> None:
    done = podman.run("-i", "busybox", "sh", "-c", "cat; echo err >&2; exit 3", given="typed\n")
    assert (done.returncode, done.stdout, done.stderr) == (3, "typed\n", "err\n")
    assert os.listdir(podman.directory / "oci") == []


def test_podman_tells_missing_and_forbidden_programs_apart(podman: Podman) -> None:
    missing = podman.run("busybox", "nosuch")
    assert missing.returncode == 127
    assert 'exec: "nosuch": executable file not found in $PATH' in missing.stderr
    assert "OCI runtime attempted to invoke a command that was not found" in missing.stderr
    refused = podman.run("busybox", "/etc")
    assert refused.returncode == 126
    assert 'exec: "/etc": is a directory' in refused.stderr


def test_podman_gives_a_terminal(podman: Podman) -> None:
    done = podman.run("-t", "busybox", "sh", "-c", "tty; test -t 0 && exit 6")
    assert done.stdout.split() == ["/dev/pts/0"]
    assert done.returncode == 6


def test_podman_execs_stops_and_removes(podman: Podman) -> None:
    podman("run", "-d", "--name", "c", "--network", "none", "--memory", "64m", "--hostname", "foo",
           "--read-only", "--tmpfs", "/t", "busybox", "sh", "-c",
           "trap 'exit 9' TERM; while :; do sleep 0.05; done")  # fmt: skip
    done = podman("exec", "c", "sh", "-c", "hostname; touch /t/x; touch /x; exit 5", check=False)
    assert done.returncode == 5
    assert done.stdout == "foo\n"
    assert "Read-only file system" in done.stderr
    assert podman("exec", "-t", "-u", "1000", "-w", "/tmp", "c", "sh", "-c",
                  "tty; id -u; pwd").stdout.split() == ["/dev/pts/0", "1000", "/tmp"]  # fmt: skip
    missing = podman("exec", "c", "nosuch", check=False)
    assert missing.returncode == 127
    podman("pause", "c")
    podman("unpause", "c")
    podman("stop", "-t", "20", "c")
    shown = podman("inspect", "c", "--format", "{{.State.Status}} {{.State.ExitCode}}").stdout
    assert shown == "exited 9\n"
    podman("start", "c")
    podman("kill", "-s", "KILL", "c")
    assert podman("wait", "c").stdout == "137\n"
    podman("rm", "c")
    assert os.listdir(podman.directory / "oci") == []


def test_podman_puts_a_container_into_a_user_namespace(podman: Podman) -> None:
    done = podman.run(
        "--uidmap", "0:100000:65536", "busybox", "sh", "-c",
        "cat /proc/self/uid_map; touch /a; stat -c %u /a; echo > /dev/null && echo null",
    )  # fmt: skip
    assert done.stdout.split() == ["0", "100000", "65536", "0", "null"], done.stderr


def test_podman_joins_namespaces_of_a_container_and_of_the_host(podman: Podman) -> None:
    podman("run", "-d", "--name", "a", "--network", "none", "busybox", "sleep", "100")
    own = os.stat("/proc/self/ns/net").st_ino
    joined = podman("run", "--rm", "--network", "container:a", "busybox", "readlink",
                    "/proc/self/ns/net").stdout  # fmt: skip
    assert joined == podman("exec", "a", "readlink", "/proc/self/ns/net").stdout
    assert f"net:[{own}]\n" == podman("run", "--rm", "--network", "host", "busybox", "readlink",
                                      "/proc/self/ns/net").stdout  # fmt: skip
    podman("rm", "-f", "-t", "0", "a")
