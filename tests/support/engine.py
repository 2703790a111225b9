"""A real daemon on a root of its own, and the docker command line pointed at it."""

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from tests.support.leftovers import leftovers
from tests.support.netns import NetworkNamespace
from tests.support.patience import patience

BUSYBOX = Path("/bin/busybox")


class Engine:
    """One daemon; to be used as a context."""

    program: tuple[str, ...] = (sys.executable, "-m", "wherry.daemon.main")

    def __init__(
        self, *options: str, namespace: NetworkNamespace | None = None, data: Path | None = None,
        debug: bool = True,
    ) -> None:  # fmt: skip
        """`options` are the daemon's; `namespace` is where it takes the host's network to be.

        `data` is another place for the data root.
        """
        self.root = Path(tempfile.mkdtemp(prefix="wherry-test-"))
        self.socket = self.root / "wherry.sock"
        self.data = data or self.root / "data"
        self.options: tuple[str, ...] = options
        self._level = ("--debug",) if debug else ()
        self._namespace = namespace
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Engine":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            left = self.docker("ps", "-aq", check=False).stdout.split()
            if left:
                self.docker("rm", "-f", *left, check=False)
        finally:
            self.stop()
            shutil.rmtree(self.root, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The daemon's process."""
        assert self._process
        return self._process.pid

    def start(self, *, crash_at: str = "") -> None:
        """Starts the daemon and waits until its socket answers.

        At the crash point `crash_at` it will kill itself.
        """
        (self.root / "daemon.json").write_text("{}")
        with (self.root / "daemon.log").open("ab") as log:
            command = [
                *self.program, "--data-root", str(self.data),
                "--exec-root", f"{self.root}/run", "--config-file", f"{self.root}/daemon.json",
                "-H", f"unix://{self.socket}", "--pidfile", f"{self.root}/pid",
                *self._level, *self.options,
            ]  # fmt: skip

            def spawn() -> subprocess.Popen[bytes]:
                environment = {**os.environ, "WHERRY_CRASH_POINT": crash_at}
                return subprocess.Popen(command, stdout=log, stderr=log, env=environment)

            self._process = self._namespace.run(spawn) if self._namespace else spawn()
        deadline = time.monotonic() + patience(30)
        while not self._answers():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)

    def _answers(self) -> bool:
        """Whether a daemon is behind the socket, which may outlive one."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(patience(1))
            try:
                client.connect(str(self.socket))
                client.sendall(b"GET /_ping HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n")
                return b" 200 " in client.recv(64)
            except OSError:
                return False

    def stop(self) -> None:
        """Ends the daemon as a service manager does."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(patience(30))

    def kill(self) -> None:
        """Ends the daemon as a crash does."""
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(patience(30))

    def wait_for_crash(self) -> None:
        """Returns when the daemon has killed itself."""
        assert self._process
        assert self._process.wait(60) == -signal.SIGKILL, self.log()

    def send_signal(self, number: signal.Signals) -> None:
        """Sends the daemon a signal."""
        assert self._process
        self._process.send_signal(number)

    def wait_for_log(self, words: str) -> None:
        """Returns when the daemon has logged these words."""
        deadline = time.monotonic() + patience(30)
        while words not in self.log():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)

    def log(self) -> str:
        """What the daemon wrote so far."""
        return (self.root / "daemon.log").read_text()

    def docker(
        self, *words: str, stdin: bytes | None = None, check: bool = True, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Runs the docker command line against this engine."""
        done = subprocess.run(
            ["docker", *words], input=stdin, capture_output=True, env=self.environment(),
            timeout=patience(timeout), check=False,
        )  # fmt: skip
        result = subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace"),
        )  # fmt: skip
        if check:
            assert result.returncode == 0, f"{words}: {result.stderr}\n{self.log()[-2000:]}"
        return result

    def docker_bytes(self, *words: str) -> bytes:
        """What a docker command that must succeed writes, as bytes."""
        return subprocess.run(
            ["docker", *words], capture_output=True, env=self.environment(), timeout=patience(60),
            check=True, stdin=subprocess.DEVNULL,
        ).stdout  # fmt: skip

    def spawn(self, *words: str) -> subprocess.Popen[bytes]:
        """A docker command that runs on, with pipes to it."""
        return subprocess.Popen(
            ["docker", *words], env=self.environment(), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def environment(self) -> dict[str, str]:
        """The environment that points the docker command line at this engine."""
        return {**os.environ, "DOCKER_HOST": f"unix://{self.socket}",
                "DOCKER_CONFIG": f"{self.root}/docker-config"}  # fmt: skip

    def import_busybox(self, name: str = "busybox") -> str:
        """Imports Debian's busybox-static as an image; returns its id."""
        command = ("import", "--change", 'CMD ["sh"]', "-", name)
        return self.docker(*command, stdin=busybox_archive()).stdout.strip()

    def leftovers(self) -> list[str]:
        """What this engine left on the machine, see the function of this name."""
        return leftovers(self.root, self.data)


def busybox_archive() -> bytes:
    """A root file system of busybox-static with its applets and two accounts."""
    applets = subprocess.run([BUSYBOX, "--list"], capture_output=True, check=True, text=True)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("bin", "etc", "tmp", "root", "home"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(entry)
        archive.add(BUSYBOX, "bin/busybox")
        for applet in applets.stdout.split():
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            if applet != "busybox":
                archive.addfile(entry)
        users = "root:x:0:0:root:/root:/bin/sh\njoe:x:1000:1000::/home:/bin/sh\n"
        for name, text in (("passwd", users), ("group", "root:x:0:\njoe:x:1000:\n")):
            entry = tarfile.TarInfo(f"etc/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()
