"""Links, addresses, routes and neighbours of the network namespace that the caller is in."""

import errno
import ipaddress
import os
import socket
import struct
from typing import NamedTuple

from wherry.linux.netlink import message as m
from wherry.linux.syscall import SyscallError

MACVLAN_MODES = {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8}
IPVLAN_MODES = {"l2": 0, "l3": 1, "l3s": 2}
IPVLAN_FLAGS = {"": 0, "bridge": 0, "private": 1, "vepa": 2}


class Link(NamedTuple):
    """A network interface: its number, name, flags, MTU, hardware address and master."""

    ifindex: int
    name: str
    up: bool
    mtu: int
    mac: str
    master: int
    kind: str


class RouteEntry(NamedTuple):
    """A route of the main table; the default route's destination is 0.0.0.0/0 or ::/0."""

    destination: str
    gateway: str
    link: int


class Netlink:
    """One rtnetlink socket; every call waits for the kernel's answer and raises SyscallError."""

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
        )
        self._socket.bind((0, 0))
        self._sequence = 0

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()

    def __enter__(self) -> "Netlink":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # Links

    def add_bridge(self, name: str, *, mtu: int = 0, mac: str = "") -> None:
        """Makes a bridge; raises SyscallError EEXIST."""
        self._add_link(name, "bridge", b"", mtu=mtu, mac=mac)

    def add_dummy(self, name: str) -> None:
        """Makes a dummy link; raises SyscallError EOPNOTSUPP where the kernel lacks them."""
        self._add_link(name, "dummy", b"")

    def add_veth(
        self, name: str, peer: str, *, peer_namespace: int | None = None, mtu: int = 0,
        peer_mac: str = "", master: int = 0, up: bool = False,
    ) -> None:  # fmt: skip
        """Makes a pair of links in one message, the peer in the namespace of a descriptor."""
        inner = [m.LINK.pack(0, 0, 0, 0, 0), m.text(m.IFLA_IFNAME, peer)]
        if peer_namespace is not None:
            inner.append(m.number(m.IFLA_NET_NS_FD, peer_namespace))
        if mtu:
            inner.append(m.number(m.IFLA_MTU, mtu))
        if peer_mac:
            inner.append(m.attribute(m.IFLA_ADDRESS, m.hardware_address(peer_mac)))
        data = m.nested(m.VETH_INFO_PEER, b"".join(inner))
        extra = m.number(m.IFLA_MASTER, master) if master else b""
        self._add_link(name, "veth", data, mtu=mtu, extra=extra, up=up)

    def add_macvlan(
        self, name: str, parent: int, mode: str, *, namespace: int | None = None, mac: str = ""
    ) -> None:
        """Makes a macvlan link over `parent`, in the namespace of a descriptor."""
        data = m.number(m.IFLA_MACVLAN_MODE, MACVLAN_MODES[mode or "bridge"])
        self._add_link(name, "macvlan", data, mac=mac, extra=_child(parent, namespace))

    def add_ipvlan(
        self, name: str, parent: int, mode: str, *, flag: str = "", namespace: int | None = None
    ) -> None:
        """Makes an ipvlan link over `parent`, in the namespace of a descriptor."""
        data = m.attribute(m.IFLA_IPVLAN_MODE, struct.pack("=H", IPVLAN_MODES[mode or "l2"]))
        if IPVLAN_FLAGS[flag]:
            data += m.attribute(m.IFLA_IPVLAN_FLAGS, struct.pack("=H", IPVLAN_FLAGS[flag]))
        self._add_link(name, "ipvlan", data, extra=_child(parent, namespace))

    def add_vlan(self, name: str, parent: int, number: int) -> None:
        """Makes a VLAN link over `parent`; raises SyscallError EOPNOTSUPP without 802.1Q."""
        data = m.attribute(m.IFLA_VLAN_ID, struct.pack("=H", number))
        self._add_link(name, "vlan", data, extra=_child(parent, None))

    def delete_link(self, index: int) -> None:
        """Removes a link; raises SyscallError ENODEV."""
        body = m.LINK.pack(0, 0, index, 0, 0)
        self._request(m.RTM_DELLINK, 0, body, f"link {index}")

    def set_link(
        self, index: int, *, up: bool | None = None, name: str = "", mtu: int = 0, mac: str = "",
        master: int | None = None, namespace: int | None = None,
    ) -> None:  # fmt: skip
        """Changes a link; `master` 0 takes it off its bridge, `namespace` is a descriptor."""
        flags = change = 0
        if up is not None:
            flags, change = (m.IFF_UP if up else 0), m.IFF_UP
        parts = [m.LINK.pack(0, 0, index, flags, change)]
        if name:
            parts.append(m.text(m.IFLA_IFNAME, name))
        if mtu:
            parts.append(m.number(m.IFLA_MTU, mtu))
        if mac:
            parts.append(m.attribute(m.IFLA_ADDRESS, m.hardware_address(mac)))
        if master is not None:
            parts.append(m.number(m.IFLA_MASTER, master))
        if namespace is not None:
            parts.append(m.number(m.IFLA_NET_NS_FD, namespace))
        self._request(m.RTM_NEWLINK, 0, b"".join(parts), f"link {index}")

    def set_hairpin(self, index: int, on: bool) -> None:
        """Whether a bridge sends frames back out of this port."""
        self._set_port(index, m.IFLA_BRPORT_MODE, on)

    def set_isolated(self, index: int, on: bool) -> None:
        """Whether a bridge keeps this port apart from other isolated ones (bridge(8))."""
        self._set_port(index, m.IFLA_BRPORT_ISOLATED, on)

    def _set_port(self, index: int, kind: int, on: bool) -> None:
        body = m.LINK.pack(socket.AF_BRIDGE, 0, index, 0, 0)
        value = m.attribute(kind, bytes([on]))
        self._request(m.RTM_SETLINK, 0, body + m.nested(m.IFLA_PROTINFO, value), f"link {index}")

    def links(self) -> list[Link]:
        """All links of the namespace."""
        body = m.LINK.pack(0, 0, 0, 0, 0)
        return [_parse_link(data) for data in self._dump(m.RTM_GETLINK, body)]

    def link(self, name: str) -> Link | None:
        """The link of that name, None if there is none."""
        body = m.LINK.pack(0, 0, 0, 0, 0) + m.text(m.IFLA_IFNAME, name)
        try:
            return _parse_link(self._request(m.RTM_GETLINK, 0, body, name, answer=True))
        except SyscallError as error:
            if error.errno == errno.ENODEV:
                return None
            raise

    # Addresses, routes, neighbours

    def add_address(self, index: int, address: str, *, no_duplicate_check: bool = True) -> None:
        """Gives a link an address in CIDR form; raises SyscallError EEXIST."""
        parsed = ipaddress.ip_interface(address)
        packed = parsed.ip.packed
        flags = m.IFA_F_NODAD if parsed.version == 6 and no_duplicate_check else 0
        parts = [
            m.ADDRESS.pack(m.family(parsed.ip), parsed.network.prefixlen, flags, 0, index),
            m.attribute(m.IFA_LOCAL, packed),
            m.attribute(m.IFA_ADDRESS, packed),
        ]
        if parsed.version == 4 and parsed.network.prefixlen < 31:
            broadcast = parsed.network.broadcast_address
            parts.append(m.attribute(m.IFA_BROADCAST, broadcast.packed))
        self._request(m.RTM_NEWADDR, m.NLM_F_CREATE | m.NLM_F_EXCL, b"".join(parts), address)

    def delete_address(self, index: int, address: str) -> None:
        """Takes an address from a link; raises SyscallError EADDRNOTAVAIL."""
        parsed = ipaddress.ip_interface(address)
        body = m.ADDRESS.pack(m.family(parsed.ip), parsed.network.prefixlen, 0, 0, index)
        body += m.attribute(m.IFA_LOCAL, parsed.ip.packed)
        self._request(m.RTM_DELADDR, 0, body, address)

    def addresses(self, index: int = 0) -> list[tuple[int, str]]:
        """Link number and CIDR form of each address, of one link or (0) of all."""
        found: list[tuple[int, str]] = []
        for data in self._dump(m.RTM_GETADDR, m.ADDRESS.pack(0, 0, 0, 0, 0)):
            _, prefix, _, _, link = m.ADDRESS.unpack_from(data)
            values = dict(m.attributes(data, m.ADDRESS.size))
            packed = values.get(m.IFA_LOCAL) or values.get(m.IFA_ADDRESS)
            if packed and (not index or link == index):
                found.append((link, f"{ipaddress.ip_address(packed)}/{prefix}"))
        return found

    def add_route(
        self, destination: str, *, gateway: str = "", link: int = 0, metric: int = 0
    ) -> None:
        """Adds a route to the main table; raises SyscallError EEXIST, ENETUNREACH."""
        body = self._route(destination, gateway, link, metric)
        self._request(m.RTM_NEWROUTE, m.NLM_F_CREATE | m.NLM_F_EXCL, body, destination)

    def delete_route(self, destination: str, *, gateway: str = "", link: int = 0) -> None:
        """Removes a route; raises SyscallError ESRCH."""
        self._request(m.RTM_DELROUTE, 0, self._route(destination, gateway, link, 0), destination)

    def routes(self) -> list[RouteEntry]:
        """Routes of the main table, both families."""
        found: list[RouteEntry] = []
        for data in self._dump(m.RTM_GETROUTE, m.ROUTE.pack(0, 0, 0, 0, 0, 0, 0, 0, 0)):
            kind, prefix, _, _, table, _, _, route_type, _ = m.ROUTE.unpack_from(data)
            values = dict(m.attributes(data, m.ROUTE.size))
            wide = values.get(m.RTA_TABLE)
            number = struct.unpack("=I", wide)[0] if wide else table
            if number != m.RT_TABLE_MAIN or route_type != m.RTN_UNICAST:
                continue
            empty = bytes(4 if kind == socket.AF_INET else 16)
            address = ipaddress.ip_address(values.get(m.RTA_DST, empty))
            gateway = values.get(m.RTA_GATEWAY)
            out = values.get(m.RTA_OIF)
            found.append(RouteEntry(
                f"{address}/{prefix}",
                str(ipaddress.ip_address(gateway)) if gateway else "",
                struct.unpack("=I", out)[0] if out else 0,
            ))  # fmt: skip
        return found

    def add_neighbour(self, link: int, address: str, mac: str) -> None:
        """A permanent neighbour entry (Linux's NUD_PERMANENT)."""
        parsed = ipaddress.ip_address(address)
        body = m.NEIGHBOUR.pack(m.family(parsed), link, 0x80, 0, 0)
        body += m.attribute(m.NDA_DST, parsed.packed)
        body += m.attribute(m.NDA_LLADDR, m.hardware_address(mac))
        self._request(m.RTM_NEWNEIGH, m.NLM_F_CREATE | m.NLM_F_REPLACE, body, address)

    def _route(self, destination: str, gateway: str, link: int, metric: int) -> bytes:
        network = ipaddress.ip_network(destination)
        scope = m.RT_SCOPE_UNIVERSE if gateway else m.RT_SCOPE_LINK
        parts = [
            m.ROUTE.pack(
                m.family(network.network_address), network.prefixlen, 0, 0, m.RT_TABLE_MAIN,
                m.RTPROT_BOOT, scope, m.RTN_UNICAST, 0,
            )
        ]  # fmt: skip
        if network.prefixlen:
            parts.append(m.attribute(m.RTA_DST, network.network_address.packed))
        if gateway:
            parts.append(m.attribute(m.RTA_GATEWAY, ipaddress.ip_address(gateway).packed))
        if link:
            parts.append(m.number(m.RTA_OIF, link))
        if metric:
            parts.append(m.number(m.RTA_PRIORITY, metric))
        return b"".join(parts)

    def _add_link(
        self, name: str, kind: str, data: bytes, *, mtu: int = 0, mac: str = "",
        extra: bytes = b"", up: bool = False,
    ) -> None:  # fmt: skip
        flags = m.IFF_UP if up else 0
        parts = [m.LINK.pack(0, 0, 0, flags, flags), m.text(m.IFLA_IFNAME, name), extra]
        if mtu:
            parts.append(m.number(m.IFLA_MTU, mtu))
        if mac:
            parts.append(m.attribute(m.IFLA_ADDRESS, m.hardware_address(mac)))
        info = [m.text(m.IFLA_INFO_KIND, kind)]
        if data:
            info.append(m.nested(m.IFLA_INFO_DATA, data))
        parts.append(m.nested(m.IFLA_LINKINFO, *info))
        self._request(m.RTM_NEWLINK, m.NLM_F_CREATE | m.NLM_F_EXCL, b"".join(parts), name)

    def _send(self, kind: int, flags: int, body: bytes) -> int:
        self._sequence += 1
        length = m.HEADER.size + len(body)
        header = m.HEADER.pack(length, kind, flags | m.NLM_F_REQUEST, self._sequence, 0)
        self._socket.send(header + body)
        return self._sequence

    def _request(
        self, kind: int, flags: int, body: bytes, subject: str, *, answer: bool = False
    ) -> bytes:
        sequence = self._send(kind, flags | (0 if answer else m.NLM_F_ACK), body)
        while True:
            data = self._socket.recv(1 << 16)
            _, received, _, number, _ = m.HEADER.unpack_from(data)
            if number != sequence:
                continue
            if received != m.NLMSG_ERROR:
                return data[m.HEADER.size :]
            code = -struct.unpack_from("=i", data, m.HEADER.size)[0]
            if code:
                raise SyscallError(code, _NAMES.get(kind, "netlink"), subject)
            return b""

    def _dump(self, kind: int, body: bytes) -> list[bytes]:
        sequence = self._send(kind, m.NLM_F_DUMP, body)
        found: list[bytes] = []
        while True:
            data = self._socket.recv(1 << 18)
            offset = 0
            while offset < len(data):
                length, received, _, number, _ = m.HEADER.unpack_from(data, offset)
                payload = data[offset + m.HEADER.size : offset + length]
                offset += (length + 3) & ~3
                if number != sequence:
                    continue
                if received == m.NLMSG_DONE:
                    return found
                if received == m.NLMSG_ERROR:
                    code = -struct.unpack_from("=i", payload)[0]
                    raise SyscallError(code, _NAMES.get(kind, "netlink"))
                found.append(payload)


_NAMES = {
    m.RTM_NEWLINK: "RTM_NEWLINK", m.RTM_DELLINK: "RTM_DELLINK", m.RTM_SETLINK: "RTM_SETLINK",
    m.RTM_GETLINK: "RTM_GETLINK", m.RTM_NEWADDR: "RTM_NEWADDR", m.RTM_DELADDR: "RTM_DELADDR",
    m.RTM_NEWROUTE: "RTM_NEWROUTE", m.RTM_DELROUTE: "RTM_DELROUTE",
    m.RTM_NEWNEIGH: "RTM_NEWNEIGH",
}  # fmt: skip


def _child(parent: int, namespace: int | None) -> bytes:
    inside = m.number(m.IFLA_NET_NS_FD, namespace) if namespace is not None else b""
    return m.number(m.IFLA_LINK, parent) + inside


def _parse_link(data: bytes) -> Link:
    _, _, index, flags, _ = m.LINK.unpack_from(data)
    values = dict(m.attributes(data, m.LINK.size))
    info = dict(m.attributes(values.get(m.IFLA_LINKINFO, b""), 0))
    return Link(
        ifindex=index,
        name=values.get(m.IFLA_IFNAME, b"").rstrip(b"\0").decode(),
        up=bool(flags & m.IFF_UP),
        mtu=struct.unpack("=I", values[m.IFLA_MTU])[0] if m.IFLA_MTU in values else 0,
        mac=values.get(m.IFLA_ADDRESS, b"").hex(":"),
        master=struct.unpack("=I", values[m.IFLA_MASTER])[0] if m.IFLA_MASTER in values else 0,
        kind=info.get(m.IFLA_INFO_KIND, b"").rstrip(b"\0").decode(),
    )


def link_index(name: str) -> int:
    """The number of a link by its name in the caller's namespace (if_nametoindex(3))."""
    try:
        return socket.if_nametoindex(name)
    except OSError as error:
        raise SyscallError(error.errno or errno.ENODEV, "if_nametoindex", name) from error


def write_network_sysctl(key: str, value: str) -> None:
    """Writes a sysctl (dots, or slashes where an interface name has dots) of the namespace."""
    path = "/proc/sys/" + (key if "/" in key else key.replace(".", "/"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, value.encode())
    finally:
        os.close(descriptor)
