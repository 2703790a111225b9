"""Debian's dockerd on a root and in a network namespace of its own, to be compared with."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.support.netns import NetworkNamespace

PROGRAM = shutil.which("dockerd") or "/usr/sbin/dockerd"


class Dockerd:
    """One daemon; to be used as a context."""

    def __init__(self, *, network: bool = False) -> None:
        """Without `network` it has no bridge and no rules."""
        self._network = network

    def __enter__(self) -> "Dockerd":
        self._root = Path(tempfile.mkdtemp(prefix="wherry-dockerd-"))
        self.root = self._root
        self.socket = self._root / "docker.sock"
        self._namespace = NetworkNamespace()
        (self._root / "daemon.json").write_text("{}")
        command = [
            PROGRAM, "-H", f"unix://{self.socket}", "--data-root", f"{self._root}/data",
            "--exec-root", f"{self._root}/exec", "--pidfile", f"{self._root}/pid",
            "--config-file", f"{self._root}/daemon.json",
            "--cgroup-parent", f"/{self._root.name}",
            *(() if self._network else ("--bridge", "none", "--iptables=false")),
        ]  # fmt: skip

        def spawn() -> subprocess.Popen[bytes]:
            with (self._root / "log").open("wb") as log:
                return subprocess.Popen(command, stdout=log, stderr=log)

        self._process = self._namespace.run(spawn)
        deadline = time.monotonic() + 60
        while self.docker("version", check=False).returncode:
            assert self._process.poll() is None, self._log()
            assert time.monotonic() < deadline, self._log()
            time.sleep(0.1)
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        self._process.wait(60)
        self._namespace.close()
        for hierarchy in Path("/sys/fs/cgroup").iterdir():
            group = hierarchy / self._root.name
            if group.is_dir():
                group.rmdir()
        for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
            if (place := line.split()[4]).startswith(f"{self._root}/"):
                subprocess.run(["umount", "--lazy", place], check=True)
        subprocess.run(["rm", "-rf", "--one-file-system", str(self._root)], check=True)

    def docker(
        self, *words: str, stdin: bytes | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        """Runs the docker command line against this daemon."""
        done = subprocess.run(
            ["docker", "-H", f"unix://{self.socket}", *words], input=stdin, capture_output=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{words}: {done.stderr.decode()}\n{self._log()}"
        return done

    def _log(self) -> str:
        return (self._root / "log").read_text()[-3000:]
