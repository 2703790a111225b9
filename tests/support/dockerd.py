"""A dockerd, Debian's or another, on a root and in a network namespace of its own."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.support.netns import NetworkNamespace

PROGRAM = shutil.which("dockerd") or "/usr/sbin/dockerd"


class Dockerd:
    """One daemon; to be used as a context."""

    def __init__(self, *, network: bool = False, programs: Path | None = None) -> None:
        """Without `network` it has no bridge and no rules.

        `programs` is a directory with another dockerd than Debian's, and with what that one runs.
        It keeps images as Debian's does and this engine, in a graph driver and not in containerd.
        """
        self._options = {"features": {"containerd-snapshotter": False}} if programs else {}
        self._network = network
        self._program = str(programs / "dockerd") if programs else PROGRAM
        path = os.environ["PATH"]
        self._environment = {**os.environ, "PATH": f"{programs}:{path}" if programs else path}

    def __enter__(self) -> "Dockerd":
        self._root = Path(tempfile.mkdtemp(prefix="wherry-dockerd-"))
        self.root = self._root
        self.socket = self._root / "docker.sock"
        self._namespace = NetworkNamespace()
        (self._root / "daemon.json").write_text(json.dumps(self._options))
        command = [
            self._program, "-H", f"unix://{self.socket}", "--data-root", f"{self._root}/data",
            "--exec-root", f"{self._root}/exec", "--pidfile", f"{self._root}/pid",
            "--config-file", f"{self._root}/daemon.json",
            "--cgroup-parent", f"/{self._root.name}",
            *(() if self._network else ("--bridge", "none", "--iptables=false")),
        ]  # fmt: skip

        def spawn() -> subprocess.Popen[bytes]:
            with (self._root / "log").open("wb") as log:
                return subprocess.Popen(command, stdout=log, stderr=log, env=self._environment)

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
