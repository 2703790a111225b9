"""Bundles of busybox and the `wherry-runtime` command on a root of its own."""

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from tests.support.engine import busybox_archive
from tests.support.patience import patience

LAUNCH = "import sys; from wherry.oci_cli.main import main; sys.exit(main())"


def unpack_busybox(directory: Path) -> None:
    """Fills a root file system."""
    directory.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(busybox_archive())) as archive:
        archive.extractall(directory, filter="fully_trusted")


class Runtime:
    """One root of `wherry-runtime` with a bundle; to be used as a context."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="wherry-oci-"))
        self.root = self.directory / "run"
        self.bundle = self.directory / "bundle"
        self.log = self.directory / "log"
        unpack_busybox(self.bundle / "rootfs")
        self.config: dict[str, Any] = {}

    def __enter__(self) -> "Runtime":
        self("spec", "--bundle", str(self.bundle))
        self.config = json.loads((self.bundle / "config.json").read_text())
        self.config["process"]["terminal"] = False
        self.config["root"]["readonly"] = False
        return self

    def __exit__(self, *exception: object) -> None:
        if self.root.exists():
            for name in os.listdir(self.root):
                self("delete", "--force", name, check=False)
        shutil.rmtree(self.directory)

    def write(self, *args: str, **process: object) -> None:
        """Writes the bundle's specification with a program."""
        self.config["process"] |= {"args": list(args), **process}
        (self.bundle / "config.json").write_text(json.dumps(self.config))

    def __call__(
        self, *words: str, check: bool = True, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Runs the command to its end; a pipe that a container holds on to does not block it."""
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            done = subprocess.run(
                [sys.executable, "-c", LAUNCH, "--root", str(self.root), "--log", str(self.log),
                 "--log-format", "json", *words],
                stdin=subprocess.DEVNULL, stdout=output, stderr=errors, timeout=patience(60),
                cwd=self.bundle if self.bundle.exists() else "/", check=False, **options,
            )  # fmt: skip
            output.seek(0)
            errors.seek(0)
            result = subprocess.CompletedProcess(
                done.args, done.returncode, output.read().decode(), errors.read().decode()
            )
        if check:
            assert result.returncode == 0, f"{words}: {result.stderr}"
        return result

    def state(self, identifier: str) -> dict[str, Any]:
        """The state that the command prints."""
        found: dict[str, Any] = json.loads(self("state", identifier).stdout)
        return found

    def logged(self) -> list[dict[str, str]]:
        """The lines of the log."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def receive_master(listener: socket.socket) -> int:
    """The terminal's master that a runtime sends over a console socket."""
    connection, _ = listener.accept()
    with connection:
        _, descriptors, _, _ = socket.recv_fds(connection, 4096, 1)
    return descriptors[0]
