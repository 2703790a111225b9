"""Rules of nftables as one nfnetlink batch (linux/netfilter/nf_tables.h), without libnftables.

That library must not be loaded where processes are forked from; what a container's namespace needs
is a handful of messages that never change.
"""

import ipaddress
import os
import socket
import struct

from wherry.linux.netlink import message as m
from wherry.linux.syscall import SyscallError

_NETLINK_NETFILTER = 12
_GENERIC = struct.Struct("=BBH")
_SUBSYSTEM = 10
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_NEW_TABLE, _NEW_CHAIN, _NEW_RULE = 0, 3, 6
_APPEND = 0x800

_LOCAL_OUT = 3
_BEFORE_NAT = -100
"""NF_IP_PRI_NAT_DST: where destinations are changed."""

_NETWORK_HEADER, _TRANSPORT_HEADER = 1, 2
_L4_PROTOCOL = 16
_DESTINATION, _DESTINATION_PORT = 16, 2
_CHAIN = "output"


def redirect_output(table: str, address: str, port: int, targets: dict[int, int]) -> None:
    """Has what the caller's namespace sends to an IPv4 address and port arrive at other ports.

    `targets` maps protocols (IPPROTO_UDP, IPPROTO_TCP) to ports of the same address. Raises
    SyscallError, with nothing changed, where the kernel has no nf_tables, no NAT or no rights for
    the caller.
    """
    packed = ipaddress.IPv4Address(address).packed
    messages = [
        _message(_NEW_TABLE, m.NLM_F_CREATE, m.text(1, table)),
        _message(_NEW_CHAIN, m.NLM_F_CREATE, _chain(table)),
    ]
    for protocol, target in targets.items():
        rule = m.text(1, table) + m.text(2, _CHAIN)
        rule += m.nested(4, *_rule(packed, protocol, port, target))
        messages.append(_message(_NEW_RULE, m.NLM_F_CREATE | _APPEND, rule))
    _commit(messages, table)


def _chain(table: str) -> bytes:
    hook = m.nested(4, _big(1, _LOCAL_OUT), _big(2, _BEFORE_NAT & 0xFFFFFFFF))
    return m.text(1, table) + m.text(3, _CHAIN) + hook + m.text(7, "nat")


def _rule(address: bytes, protocol: int, port: int, target: int) -> list[bytes]:
    """meta l4proto P ip daddr A th dport N dnat to A:T."""
    return [
        _expression("meta", _big(1, 1), _big(2, _L4_PROTOCOL)),
        _compare(bytes([protocol])),
        _payload(_NETWORK_HEADER, _DESTINATION, 4),
        _compare(address),
        _payload(_TRANSPORT_HEADER, _DESTINATION_PORT, 2),
        _compare(port.to_bytes(2, "big")),
        _immediate(1, address),
        _immediate(2, target.to_bytes(2, "big")),
        _expression("nat", _big(1, 1), _big(2, socket.AF_INET), _big(3, 1), _big(5, 2)),
    ]


def _payload(base: int, offset: int, length: int) -> bytes:
    return _expression("payload", _big(1, 1), _big(2, base), _big(3, offset), _big(4, length))


def _compare(value: bytes) -> bytes:
    return _expression("cmp", _big(1, 1), _big(2, 0), m.nested(3, m.attribute(1, value)))


def _immediate(register: int, value: bytes) -> bytes:
    return _expression("immediate", _big(1, register), m.nested(2, m.attribute(1, value)))


def _expression(name: str, *attributes: bytes) -> bytes:
    return m.nested(1, m.text(1, name), m.nested(2, *attributes))


def _big(kind: int, value: int) -> bytes:
    """A 32-bit attribute in the network's order, as nf_tables has all its numbers."""
    return m.attribute(kind, value.to_bytes(4, "big"))


def _message(kind: int, flags: int, body: bytes) -> tuple[int, int, bytes]:
    return _SUBSYSTEM << 8 | kind, flags, _GENERIC.pack(socket.AF_INET, 0, 0) + body


def _commit(messages: list[tuple[int, int, bytes]], subject: str) -> None:
    """Sends the messages as one transaction; the last one's acknowledgement tells its success."""
    mark = _GENERIC.pack(socket.AF_UNSPEC, 0, socket.htons(_SUBSYSTEM))
    sent = [(_BATCH_BEGIN, 0, mark), *messages, (_BATCH_END, 0, mark)]
    last = len(messages)
    data = bytearray()
    for sequence, (kind, flags, body) in enumerate(sent):
        flags |= m.NLM_F_REQUEST | (m.NLM_F_ACK if sequence == last else 0)
        data += m.HEADER.pack(m.HEADER.size + len(body), kind, flags, sequence, 0) + body
        data += b"\0" * (-len(data) % 4)
    with socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER
    ) as connection:
        connection.bind((0, 0))
        connection.settimeout(5)
        connection.send(data)
        while True:
            received = connection.recv(1 << 16)
            _, kind, _, sequence, _ = m.HEADER.unpack_from(received)
            if kind != m.NLMSG_ERROR:
                continue
            code = -struct.unpack_from("=i", received, m.HEADER.size)[0]
            if code:
                raise SyscallError(code, "nf_tables", f"{subject}: {os.strerror(code).lower()}")
            if sequence == last:
                return
