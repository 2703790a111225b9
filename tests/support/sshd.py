"""An ssh server of the tests' own on loopback, and an `ssh` that knows it."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

_PACKAGES = ("openssh-server", "libwrap0")


def find_sshd(directory: Path) -> Path | None:
    """The server installed, or one unpacked from Debian's package; None where neither is there."""
    installed = shutil.which("sshd") or "/usr/sbin/sshd"
    if Path(installed).exists():
        return Path(installed)
    if not shutil.which("apt-get"):
        return None
    fetched = subprocess.run(
        ["apt-get", "download", *_PACKAGES], cwd=directory, capture_output=True, check=False
    )
    if fetched.returncode:
        return None
    for package in directory.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, directory / "root"], check=True)
    return directory / "root/usr/sbin/sshd"


class SshServer:
    """Lets root in with a key of its own; to be used as a context.

    Commands that come over ssh see `environment` alone. The server runs in a mount namespace with
    an account for its unprivileged half.
    """

    def __init__(self, program: Path, directory: Path, environment: Mapping[str, str]) -> None:
        self.directory, self._program, self._environment = directory, program, environment
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def __enter__(self) -> "SshServer":
        for name in ("host", "user"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.directory / name],
                check=True,
            )
        self._write_configuration()
        directory = self.directory
        script = (
            f"mount --bind {directory}/passwd /etc/passwd && mount -t tmpfs tmpfs /run && "
            f"mkdir -m 755 /run/sshd && exec {self._program} -D -e -f {directory}/sshd_config"
        )
        libraries = self.directory / "root/usr/lib/x86_64-linux-gnu"
        more = {"LD_LIBRARY_PATH": str(libraries)} if libraries.exists() else {}
        with (directory / "sshd.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", script], stdout=log, stderr=log,
                env={**os.environ, **more},
            )  # fmt: skip
        self._await()
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._process
        self._process.terminate()
        self._process.wait(30)

    def _write_configuration(self) -> None:
        directory = self.directory
        passwd = Path("/etc/passwd").read_text()
        if "\nsshd:" not in passwd:
            passwd += "sshd:x:64321:65534::/run/sshd:/usr/sbin/nologin\n"
        (directory / "passwd").write_text(passwd)
        keys = directory / "authorized_keys"
        keys.write_text((directory / "user.pub").read_text())
        keys.chmod(0o600)
        pairs = " ".join(f'"{name}={value}"' for name, value in self._environment.items())
        (directory / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {directory}/host\nUsePAM no\n"
            f"PidFile none\nStrictModes no\nPermitRootLogin prohibit-password\n"
            f"AuthorizedKeysFile {keys}\nSetEnv {pairs}\n"
        )
        (directory / "ssh_config").write_text(
            f"Host *\n  IdentityFile {directory}/user\n  IdentitiesOnly yes\n  BatchMode yes\n"
            f"  UserKnownHostsFile {directory}/known\n  StrictHostKeyChecking accept-new\n"
            "  LogLevel ERROR\n"
        )
        program = directory / "bin" / "ssh"
        program.parent.mkdir()
        program.write_text(
            f'#!/bin/sh\nexec {shutil.which("ssh")} -F {directory}/ssh_config "$@"\n'
        )
        program.chmod(0o755)

    def _await(self) -> None:
        assert self._process
        deadline = time.monotonic() + 30
        while True:
            log = (self.directory / "sshd.log").read_text()
            assert self._process.poll() is None, log
            assert time.monotonic() < deadline, log
            if "Server listening" in log:
                return
            time.sleep(0.02)
