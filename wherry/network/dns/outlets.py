"""Sockets in containers' network namespaces, made by a process that does nothing else.

The process that reads what strangers send has no privileges, and entering a namespace takes
CAP_SYS_ADMIN. So a second one keeps that, and hands out sockets: a request is the family and type,
with the namespace's descriptor; the answer is an errno, with the socket if it is 0.
"""

import errno
import os
import signal
import socket
import struct

from wherry.linux.capability import capset, mask
from wherry.linux.fd import receive_message, send_message
from wherry.linux.namespace import CLONE_NEWNET, namespace_fd, setns
from wherry.linux.process import set_dumpable, set_name
from wherry.network.dns.namespaces import Namespace

_REQUEST = struct.Struct("=ii")
_ANSWER = struct.Struct("=i")
_SECONDS = 2.0


class Outlets:
    """The side that asks for sockets."""

    def __init__(self, connection: socket.socket) -> None:
        """`connection` is the other end of the process that `start_outlets` made."""
        self._connection = connection
        connection.settimeout(_SECONDS)

    def open(self, namespace: Namespace | None, family: int, kind: int) -> socket.socket:
        """A socket in a container's namespace, None for the host's; raises OSError."""
        if namespace is None:
            return socket.socket(family, kind)
        send_message(self._connection, _REQUEST.pack(family, kind), [namespace.fileno()])
        data, descriptors = receive_message(self._connection)
        code = _ANSWER.unpack(data)[0] if data else errno.EPIPE
        if code or not descriptors:
            raise OSError(code, os.strerror(code))
        return socket.socket(fileno=descriptors[0])

    def close(self) -> None:
        """Ends the process, and waits for its end."""
        self._connection.close()
        os.wait()


def start_outlets() -> Outlets:
    """Forks the process; only for a single-threaded caller, which must still have privileges."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        try:
            ours.close()
            _serve(theirs)
        finally:
            os._exit(0)
    theirs.close()
    return Outlets(ours)


def _serve(connection: socket.socket) -> None:
    """Answers until the other end closes, which is how the dns process ends it."""
    set_name("wherry-dns-out")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    set_dumpable(False)
    needed = mask(["CAP_SYS_ADMIN"])
    capset(needed, needed, 0)
    home = namespace_fd("self", "network")
    while True:
        data, descriptors = receive_message(connection)
        if not data:
            return
        family, kind = _REQUEST.unpack(data)
        made: socket.socket | None = None
        code = 0
        try:
            setns(descriptors[0], CLONE_NEWNET)
            made = socket.socket(family, kind)
        except OSError as error:
            code = error.errno or errno.EIO
        finally:
            setns(home, CLONE_NEWNET)
        for descriptor in descriptors:
            os.close(descriptor)
        send_message(connection, _ANSWER.pack(code), [made.fileno()] if made else [])
        if made:
            made.close()
