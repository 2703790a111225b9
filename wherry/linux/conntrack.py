"""Entries of the connection tracker: listed and deleted over nfnetlink (linux/nfnetlink.h).

A UDP flow that goes on keeps its entry, and with it the translation that was right when it began:
after a port is published or taken back, such entries have to go.
"""

import errno
import ipaddress
import os
import socket
import struct
from collections.abc import Callable
from typing import NamedTuple

from wherry.linux.netlink import message as m
from wherry.linux.syscall import SyscallError

_NETLINK_NETFILTER = 12
_CT_GET = 0x101
_CT_DELETE = 0x102
_GENERIC = struct.Struct("=BBH")
_ORIGINAL, _REPLY, _TUPLE_IP, _TUPLE_PROTOCOL = 1, 2, 1, 2
_SOURCES, _DESTINATIONS = (1, 3), (2, 4)
_ID = 12


class Flow(NamedTuple):
    """One tracked connection, as it began and as answers come back."""

    protocol: int
    source: str
    destination: str
    destination_port: int
    reply_source: str


def delete_flows(matches: Callable[[Flow], bool]) -> int:
    """Deletes the entries of the caller's namespace that match; how many there were.

    Raises SyscallError; an entry that ended meanwhile counts as deleted.
    """
    deleted = 0
    try:
        with socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER
        ) as connection:
            connection.bind((0, 0))
            connection.settimeout(5)
            for family, body in _dump(connection):
                values = dict(m.attributes(body, 0))
                if _ORIGINAL in values and matches(_flow(values)):
                    _delete(connection, family, values)
                    deleted += 1
    except OSError as error:
        if isinstance(error, SyscallError):
            raise
        raise SyscallError(error.errno or errno.EIO, "conntrack") from error
    return deleted


def _dump(connection: socket.socket) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    connection.send(_message(_CT_GET, m.NLM_F_DUMP, socket.AF_UNSPEC, b""))
    while True:
        data = connection.recv(1 << 18)
        offset = 0
        while offset < len(data):
            length, kind, _, _, _ = m.HEADER.unpack_from(data, offset)
            payload = data[offset + m.HEADER.size : offset + length]
            offset += (length + 3) & ~3
            if kind == m.NLMSG_DONE:
                return found
            if kind == m.NLMSG_ERROR:
                _raise(payload)
                return found
            found.append((payload[0], payload[_GENERIC.size :]))


def _delete(connection: socket.socket, family: int, values: dict[int, bytes]) -> None:
    body = m.attribute(_ORIGINAL | m.NESTED, values[_ORIGINAL])
    if _ID in values:
        body += m.attribute(_ID, values[_ID])
    connection.send(_message(_CT_DELETE, m.NLM_F_ACK, family, body))
    _raise(connection.recv(1 << 16)[m.HEADER.size :], gone=errno.ENOENT)


def _message(kind: int, flags: int, family: int, body: bytes) -> bytes:
    length = m.HEADER.size + _GENERIC.size + len(body)
    header = m.HEADER.pack(length, kind, flags | m.NLM_F_REQUEST, 1, 0)
    return header + _GENERIC.pack(family, 0, 0) + body


def _raise(payload: bytes, gone: int = 0) -> None:
    code = -struct.unpack_from("=i", payload)[0]
    if code and code != gone:
        raise SyscallError(code, "conntrack", os.strerror(code))


def _flow(values: dict[int, bytes]) -> Flow:
    original = dict(m.attributes(values[_ORIGINAL], 0))
    reply = dict(m.attributes(values.get(_REPLY, b""), 0))
    protocol = dict(m.attributes(original.get(_TUPLE_PROTOCOL, b""), 0))
    port = protocol.get(3, b"\0\0")
    return Flow(
        protocol=protocol.get(1, b"\0")[0],
        source=_address(original, _SOURCES),
        destination=_address(original, _DESTINATIONS),
        destination_port=int.from_bytes(port, "big"),
        reply_source=_address(reply, _SOURCES),
    )


def _address(entry: dict[int, bytes], kinds: tuple[int, int]) -> str:
    values = dict(m.attributes(entry.get(_TUPLE_IP, b""), 0))
    packed = values.get(kinds[0]) or values.get(kinds[1])
    return str(ipaddress.ip_address(packed)) if packed else ""
