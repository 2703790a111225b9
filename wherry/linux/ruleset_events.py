"""Who changed the rule set of nftables: the kernel's notifications (linux/netfilter/nfnetlink.h).

Every transaction ends with a NEWGEN message that names the process; those before it say which
tables it touched.
"""

import contextlib
import errno
import os
import socket
import struct
from typing import NamedTuple

from wherry.linux.netlink import message as m
from wherry.linux.syscall import SyscallError

_NETLINK_NETFILTER = 12
_SOL_NETLINK, _ADD_MEMBERSHIP = 270, 1
_GROUP_NFTABLES = 7
_SUBSYSTEM_NFTABLES = 10
_GENERIC = struct.Struct("=BBH")
_NEW_GENERATION = 15
_TABLE_NAME, _PROCESS = 1, 2
_READ = 1 << 18


class Transaction(NamedTuple):
    """One change of the rule set: by whom, and the tables it touched.

    `process` is a thread's id in the initial pid namespace, 0 if notifications were lost.
    """

    process: int
    tables: frozenset[str]

    @property
    def own(self) -> bool:
        """Whether a thread of this process made it."""
        return self.process > 0 and os.path.exists(f"/proc/self/task/{self.process}")


class RulesetEvents:
    """The notifications of the network namespace that the caller is in."""

    def __init__(self, buffer: int = 4 << 20) -> None:
        """Begins to listen, with room for `buffer` bytes of them; raises SyscallError."""
        try:
            self._socket = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK,
                _NETLINK_NETFILTER,
            )  # fmt: skip
            self._socket.bind((0, 0))
            self._socket.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, _GROUP_NFTABLES)
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        except OSError as error:
            raise SyscallError(error.errno or errno.EIO, "nfnetlink", "notifications") from error
        self._touched: set[str] = set()

    def fileno(self) -> int:
        """Readable when there are notifications."""
        return self._socket.fileno()

    def read(self) -> list[Transaction]:
        """The transactions that were completed since the last call."""
        found: list[Transaction] = []
        while True:
            try:
                data = self._socket.recv(_READ)
            except BlockingIOError:
                return found
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise SyscallError(error.errno or errno.EIO, "recv", "nfnetlink") from error
                self._touched.clear()
                found.append(Transaction(0, frozenset()))
                continue
            found += self._parse(data)

    def close(self) -> None:
        """Stops listening."""
        self._socket.close()

    def _parse(self, data: bytes) -> list[Transaction]:
        found = []
        offset = 0
        while offset + m.HEADER.size <= len(data):
            length, kind, _, _, _ = m.HEADER.unpack_from(data, offset)
            payload = data[offset + m.HEADER.size : offset + length]
            offset += max((length + 3) & ~3, m.HEADER.size)
            if kind >> 8 != _SUBSYSTEM_NFTABLES:
                continue
            values = dict(m.attributes(payload, _GENERIC.size))
            if kind & 0xFF == _NEW_GENERATION:
                process = int.from_bytes(values.get(_PROCESS, b"\0"), "big")
                found.append(Transaction(process, frozenset(self._touched)))
                self._touched.clear()
            elif _TABLE_NAME in values:
                self._touched.add(values[_TABLE_NAME].rstrip(b"\0").decode(errors="replace"))
        return found
