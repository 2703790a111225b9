"""`ssh://user@host:port`: the engine is reached through `system dial-stdio` on the other side."""

from __future__ import annotations

import subprocess

from wherry.client.errors import ClientError, ConnectionFailed

_REMOTE = (
    "sh -c 'command -v wherry >/dev/null && exec wherry{0} system dial-stdio; "
    "exec docker{0} system dial-stdio'"
)
"""What is run on the other side, where docker's command line may be the only one."""


class SshStream:
    """The pipes of an ssh process, dressed as a socket."""

    def __init__(self, arguments: list[str]) -> None:
        try:
            self._process = subprocess.Popen(
                arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
        except OSError as error:
            raise ConnectionFailed(f"cannot start {arguments[0]}: {error.strerror}") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout

    def recv(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        return self._output.read(size) or b""

    def sendall(self, data: bytes, /) -> None:
        """Writes everything."""
        view = memoryview(data)
        while view:
            written = self._input.write(view)
            view = view[written or 0 :]

    def shutdown(self, how: int, /) -> None:
        """Ends our direction; the other goes on."""
        self._input.close()

    def close(self) -> None:
        """Ends both directions and the process."""
        self._input.close()
        self._output.close()
        self._process.terminate()
        self._process.wait()

    def fileno(self) -> int:
        """The descriptor to poll for answers."""
        return self._output.fileno()


def ssh_arguments(address: str) -> list[str]:
    """The ssh command line for `[user@]host[:port][/socket]`."""
    target, slash, path = address.partition("/")
    user, _, place = target.rpartition("@")
    host, _, port = place.rpartition(":") if place.rpartition(":")[2].isdigit() else (place, "", "")
    if not host:
        raise ClientError("ssh host connection is not valid: no host specified")
    if ":" in user:
        raise ClientError("ssh host connection is not valid: plain-text password is not supported")
    arguments = ["ssh", "-o", "ConnectTimeout=30", "-T"]
    if user:
        arguments += ["-l", user]
    if port:
        arguments += ["-p", port]
    if not all(mark.isalnum() or mark in "/._-" for mark in path):
        raise ClientError(f"ssh host connection is not valid: {path!r} is no plain socket path")
    there = f" --host unix:///{path}" if slash and path else ""
    return [*arguments, "--", host.strip("[]"), _REMOTE.format(there)]


def dial_ssh(address: str) -> SshStream:
    """Starts ssh; its errors appear on standard error as they are."""
    return SshStream(ssh_arguments(address))
