"""Encoding of netlink messages and attributes (netlink(7), linux/rtnetlink.h)."""

import ipaddress
import socket
import struct
from collections.abc import Iterator

HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
LINK = struct.Struct("=BxHiII")
ADDRESS = struct.Struct("=BBBBI")
ROUTE = struct.Struct("=BBBBBBBBI")
NEIGHBOUR = struct.Struct("=BxxxiHBB")

NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_DUMP = 0x300
NLM_F_REPLACE = 0x100
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400

NLMSG_ERROR = 2
NLMSG_DONE = 3

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30

IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_MASTER = 1, 3, 4, 5, 10
IFLA_LINKINFO, IFLA_NET_NS_PID, IFLA_NET_NS_FD = 18, 19, 28
IFLA_PROTINFO, IFLA_AF_SPEC, IFLA_OPERSTATE, IFLA_STATS64 = 12, 26, 16, 23
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
VETH_INFO_PEER = 1
IFLA_MACVLAN_MODE = 1
IFLA_IPVLAN_MODE, IFLA_IPVLAN_FLAGS = 1, 2
IFLA_BRPORT_MODE = 4
IFLA_BRPORT_ISOLATED = 33
IFLA_VLAN_ID = 1
NESTED = 0x8000

IFF_UP = 0x1

IFA_ADDRESS, IFA_LOCAL, IFA_LABEL, IFA_BROADCAST, IFA_FLAGS = 1, 2, 3, 4, 8
IFA_F_NODAD = 0x02

RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC, RTA_TABLE = 1, 4, 5, 6, 7, 15
RT_TABLE_MAIN = 254
RTPROT_STATIC = 4
RTPROT_BOOT = 3
RT_SCOPE_UNIVERSE, RT_SCOPE_LINK = 0, 253
RTN_UNICAST = 1

NDA_DST, NDA_LLADDR = 1, 2

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPInterface = ipaddress.IPv4Interface | ipaddress.IPv6Interface


def family(address: IPAddress) -> int:
    """AF_INET or AF_INET6 of an address."""
    return socket.AF_INET if address.version == 4 else socket.AF_INET6


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    length = 4 + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + b"\0" * (-length % 4)


def text(kind: int, value: str) -> bytes:
    """A text attribute, ended by a null byte."""
    return attribute(kind, value.encode() + b"\0")


def number(kind: int, value: int) -> bytes:
    """A 32-bit attribute."""
    return attribute(kind, struct.pack("=I", value))


def nested(kind: int, *attributes: bytes) -> bytes:
    """An attribute of attributes."""
    return attribute(kind | NESTED, b"".join(attributes))


def hardware_address(value: str) -> bytes:
    """The six bytes of `aa:bb:cc:dd:ee:ff`; raises ValueError."""
    parts = bytes.fromhex(value.replace(":", "").replace("-", ""))
    if len(parts) != 6:
        raise ValueError(f"invalid MAC address: {value}")
    return parts


def attributes(data: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    """Kind and value of each attribute from `offset` on."""
    while offset + 4 <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < 4:
            return
        yield kind & 0x3FFF, data[offset + 4 : offset + length]
        offset += (length + 3) & ~3
