"""The daemon's side of the dns process. Blocking, for a pool; every call has a bound."""

import contextlib
import os
import select
import signal
import socket
import struct
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from wherry.base.errors import InternalError, Unavailable
from wherry.linux.fd import send_message
from wherry.linux.process import pidfd_open, pidfd_send_signal
from wherry.network.dns import messages as msg

CONTROL = "dns.sock"
_SECONDS = 10.0


class DnsGone(Unavailable):
    """The dns process has ended."""

    def __init__(self) -> None:
        """One line for the log."""
        super().__init__("the dns process has ended")


class DnsConnection:
    """A connection to a dns process: requests in turn."""

    def __init__(self, connection: socket.socket) -> None:
        """Takes a connected socket over; raises DnsGone, OSError.

        A process that does not say hello is ended: two of them must not read the same sockets.
        """
        self._connection = connection
        self._lock = threading.Lock()
        connection.settimeout(_SECONDS)
        credentials = connection.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
        )
        self.pid: int = struct.unpack("3i", credentials)[0]
        self._pidfd = pidfd_open(self.pid)
        try:
            hello = self._call(msg.Hello())
        except BaseException:
            self.kill()
            raise
        self.protocol = hello.protocol
        self.release = hello.release

    def fileno(self) -> int:
        """Readable when the process has ended."""
        return self._pidfd

    def set(self, member: msg.Member, descriptors: Sequence[int] = ()) -> bool:
        """Tells of a container that is there or has changed; whether it is answered itself.

        If it is not, its sockets are wanted. The descriptors stay the caller's to close.
        """
        return self._call(msg.SetMember(member), descriptors).serving

    def remove(self, identifier: str) -> None:
        """Tells of a container that is there no more."""
        self._call(msg.RemoveMember(identifier))

    def begin_sync(self) -> None:
        """Every container is told of from now on."""
        self._call(msg.BeginSync())

    def end_sync(self) -> None:
        """Has it forget all containers that it was not told of since `begin_sync`."""
        self._call(msg.EndSync())

    def end(self) -> None:
        """Ends the process and waits for its end; then closes."""
        with contextlib.suppress(DnsGone):
            self._call(msg.End())
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        poll.poll(_SECONDS * 1000)
        self.close()

    def kill(self) -> None:
        """Ends a process that does not answer, if it is still there, and closes."""
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                pidfd_send_signal(self._pidfd, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        """Leaves the process alone."""
        self._connection.close()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1

    def _call(self, request: msg.Request, descriptors: Sequence[int] = ()) -> msg.Answer:
        with self._lock:
            try:
                send_message(self._connection, msgspec.json.encode(request), descriptors)
                data = self._connection.recv(msg.MESSAGE_SIZE)
            except OSError as error:
                raise DnsGone from error
        if not data:
            raise DnsGone
        answer = msgspec.json.decode(data, type=msg.Answer)
        if answer.error:
            raise InternalError(f"the dns process refuses a request: {answer.error}")
        return answer


def connect(directory: Path) -> DnsConnection | None:
    """A connection to the process that listens in the exec root; None if there is none."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(_SECONDS)
    try:
        handle = os.open(directory, os.O_PATH | os.O_CLOEXEC)
        try:
            connection.connect(f"/proc/self/fd/{handle}/{CONTROL}")
        finally:
            os.close(handle)
        return DnsConnection(connection)
    except (OSError, DnsGone):
        connection.close()
        return None
