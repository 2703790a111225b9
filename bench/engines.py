"""The engines: each with a root, a socket and a network namespace of its own."""

import compileall
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import wherry
from tests.support.engine import Engine, busybox_archive
from tests.support.netns import NetworkNamespace
from wherry.linux.mount import MNT_DETACH, MS_REC, MS_SLAVE, set_propagation, umount2
from wherry.linux.namespace import CLONE_NEWNS, unshare

WHERRY = str(Path(sys.executable).parent / "wherry")
READY_SECONDS = 60


class CommandLine:
    """A program with fixed first words and environment, run in a network namespace."""

    def __init__(
        self, words: Sequence[str], environment: Mapping[str, str], namespace: NetworkNamespace
    ) -> None:
        self._words = list(words)
        self._environment = {**os.environ, **environment}
        self._namespace = namespace

    def start(self, *words: str, stdin: bytes | None = None) -> subprocess.Popen[bytes]:
        """Begins a command; its standard output goes nowhere."""
        command = [*self._words, *words]

        def spawn() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                command, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            )  # fmt: skip

        return self._namespace.run(spawn)

    def __call__(self, *words: str, stdin: bytes | None = None) -> None:
        """Runs a command that must succeed."""
        process = self.start(*words, stdin=stdin)
        _, errors = process.communicate(stdin)
        if process.returncode:
            raise SystemExit(f"{self._words[0]} {' '.join(words)}: {errors.decode()}")

    def all_at_once(self, count: int, *words: str) -> None:
        """Runs a command many times in parallel; every one must succeed."""
        running = [self.start(*words) for _ in range(count)]
        for process in running:
            _, errors = process.communicate()
            if process.returncode:
                raise SystemExit(f"{self._words[0]} {' '.join(words)}: {errors.decode()}")


class LegacyCgroups(NetworkNamespace):
    """A network namespace whose thread has a mount namespace of its own, without `unified`.

    Debian's crun, which podman runs, refuses version 2 beside version 1's hierarchies.
    """

    def __init__(self) -> None:
        super().__init__()
        self.run(self._hide)

    @staticmethod
    def _hide() -> None:
        unshare(CLONE_NEWNS)
        set_propagation("/", MS_SLAVE | MS_REC)
        unified = "/sys/fs/cgroup/unified"
        if os.path.ismount(unified):
            umount2(unified, MNT_DETACH)


class Connection(http.client.HTTPConnection):
    """A connection to an engine's API that is kept."""

    def __init__(self, path: Path) -> None:
        super().__init__("engine")
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """An answer's JSON; raises SystemExit for a refusal."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        self.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.getresponse()
        data = answer.read()
        if answer.status >= 400:
            raise SystemExit(f"{method} {path}: {data.decode()}")
        return json.loads(data) if data.strip() else None

    def fetch(self, path: str) -> None:
        """Reads an answer whole and does nothing with it."""
        self.request("GET", path)
        self.getresponse().read()


class Wherry:
    """Our engine, with both command lines."""

    def __init__(self) -> None:
        self.name = "wherry"
        self.namespace = NetworkNamespace()
        self._engine = Engine(namespace=self.namespace, debug=False)
        self.socket = self._engine.socket
        self.docker = CommandLine(["docker"], self._engine.environment(), self.namespace)
        self.own = CommandLine(
            [WHERRY, "-H", f"unix://{self.socket}"], self._engine.environment(), self.namespace
        )

    def __enter__(self) -> "Wherry":
        # As an installation does; the environment may keep the interpreter from it.
        compileall.compile_dir(str(Path(wherry.__file__).parent), quiet=1)
        self._engine.start()
        self._engine.import_busybox()
        return self

    def __exit__(self, *exception: object) -> None:
        self._engine.__exit__(*exception)
        self.namespace.close()

    @property
    def pid(self) -> int:
        """The daemon's process."""
        return self._engine.pid

    def restart(self) -> None:
        """Another daemon takes over; containers go on."""
        self._engine.stop()
        self._engine.start()


class Dockerd:
    """A dockerd with a containerd of its own, which is looked for beside it first."""

    def __init__(self, program: str, name: str) -> None:
        self.name = name
        self.namespace = NetworkNamespace()
        self._program = program
        self._root = Path(tempfile.mkdtemp(prefix="bench-dockerd-"))
        self.socket = self._root / "docker.sock"
        environment = {
            "DOCKER_HOST": f"unix://{self.socket}", "DOCKER_CONFIG": f"{self._root}/config",
        }  # fmt: skip
        self.docker = CommandLine(["docker"], environment, self.namespace)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The daemon's process."""
        assert self._process
        return self._process.pid

    def __enter__(self) -> "Dockerd":
        command = [
            self._program, "-H", f"unix://{self.socket}", "--data-root", f"{self._root}/data",
            "--exec-root", f"{self._root}/exec", "--pidfile", f"{self._root}/pid",
            "--config-file", f"{self._root}/daemon.json",
        ]  # fmt: skip
        (self._root / "daemon.json").write_text("{}")

        path = f"{os.path.dirname(self._program)}:{os.environ['PATH']}"

        def spawn() -> subprocess.Popen[bytes]:
            with (self._root / "log").open("wb") as log:
                return subprocess.Popen(
                    command, stdout=log, stderr=log, start_new_session=True,
                    env={**os.environ, "PATH": path},
                )  # fmt: skip

        self._process = self.namespace.run(spawn)
        deadline = time.monotonic() + READY_SECONDS
        while self.docker.start("version").wait():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit((self._root / "log").read_text()[-2000:])
            time.sleep(0.1)
        self.docker("import", "--change", 'CMD ["sh"]', "-", "busybox", stdin=busybox_archive())
        return self

    def __exit__(self, *exception: object) -> None:
        remove_all(self)
        if self._process:
            self._process.terminate()
            self._process.wait(READY_SECONDS)
        self.namespace.close()
        unmount_below(self._root)
        shutil.rmtree(self._root)


class Podman:
    """Debian's podman with its own runtime and network plugins, on a root of its own."""

    def __init__(self) -> None:
        self.name = "podman"
        self.namespace = LegacyCgroups()
        self._root = Path(tempfile.mkdtemp(prefix="bench-podman-"))
        self.own = CommandLine(
            ["podman", "--root", f"{self._root}/root", "--runroot", f"{self._root}/run", "--tmpdir",
             f"{self._root}/tmp", "--network-config-dir", f"{self._root}/net",
             "--cgroup-manager", "cgroupfs", "--events-backend", "none"],
            {"CONTAINERS_CONF": f"{self._root}/containers.conf"}, self.namespace,
        )  # fmt: skip

    def __enter__(self) -> "Podman":
        # Its own limits are above what root without CAP_SYS_RESOURCE may give.
        limits = ["nofile=1024:1024", "nproc=1024:1024"]
        (self._root / "containers.conf").write_text(
            f"[containers]\ndefault_ulimits = {json.dumps(limits)}\n"
        )
        self.own("import", "-q", "-c", 'CMD ["sh"]', "-", "busybox", stdin=busybox_archive())
        return self

    def __exit__(self, *exception: object) -> None:
        self.own("rm", "-f", "-a", "-t", "0")
        self.namespace.close()
        unmount_below(self._root)
        shutil.rmtree(self._root)


def remove_all(engine: Wherry | Dockerd) -> None:
    """Removes every container of an engine."""
    connection = Connection(engine.socket)
    for item in connection.call("GET", "/containers/json?all=1"):
        connection.call("DELETE", f"/containers/{item['Id']}?force=1")
    connection.close()


def unmount_below(root: Path) -> None:
    """Takes away the mounts that an engine left below its root."""
    for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
        target = line.split()[4]
        if target.startswith(f"{root}/"):
            subprocess.run(["umount", "-l", target], check=False)
