"""Ports of the host: which are published, which are free, and which somebody else listens on."""

import errno
import ipaddress
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from wherry.network.endpoint import PortRequest, PublishedPort
from wherry.network.errors import PortUnavailable

EPHEMERAL_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")

DEFAULT_EPHEMERAL = (49153, 65535)
"""Docker's range where the kernel's cannot be read (libnetwork/portallocator)."""

_ANY = ("0.0.0.0", "::")
_KINDS = {
    "tcp": (socket.SOCK_STREAM, 0),
    "udp": (socket.SOCK_DGRAM, 0),
    "sctp": (socket.SOCK_STREAM, socket.IPPROTO_SCTP),
}

Probe = Callable[[str, str, int], int]


def bind_probe(protocol: str, address: str, port: int) -> int:
    """0 if a socket can be bound there, else the errno: the kernel knows every listener.

    A protocol that the kernel lacks cannot be in use (EPROTONOSUPPORT counts as free).
    """
    kind, number = _KINDS[protocol]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, kind, number) as probe:
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if protocol == "tcp":  # passes connections in TIME_WAIT, still meets listeners
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        if error.errno in (errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT):
            return 0
        return error.errno or errno.EADDRINUSE
    return 0


class HostPorts:
    """Reservations of host ports by this engine, checked against the host by a bind probe."""

    def __init__(self, probe: Probe = bind_probe, ephemeral: tuple[int, int] | None = None) -> None:
        """`ephemeral` is the range for ports that the engine chooses, by default the kernel's."""
        self._probe = probe
        self._ephemeral = ephemeral or _kernel_range()
        self._next = self._ephemeral[0]
        self._taken: dict[tuple[str, int], set[str]] = {}

    def allocate(
        self, requests: Sequence[PortRequest], default_ip: str, families: Sequence[int]
    ) -> tuple[PublishedPort, ...]:
        """Reserves host ports for all requests or, raising PortUnavailable, for none.

        `default_ip` replaces an empty host address; `families` (4, 6) are those that lead to the
        container, and an unspecific address is published for each of them.
        """
        done: list[PublishedPort] = []
        try:
            for request in requests:
                done += self._allocate(request, default_ip, families)
        except BaseException:
            self.free(done)
            raise
        return tuple(done)

    def reserve(self, ports: Sequence[PublishedPort]) -> None:
        """Takes ports over that a running container holds already."""
        for port in ports:
            self._taken.setdefault((port.protocol, port.host_port), set()).add(port.host_ip)

    def free(self, ports: Sequence[PublishedPort]) -> None:
        """Gives ports back; unknown ones are ignored."""
        for port in ports:
            key = (port.protocol, port.host_port)
            addresses = self._taken.get(key, set())
            addresses.discard(port.host_ip)
            if not addresses:
                self._taken.pop(key, None)

    def _allocate(
        self, request: PortRequest, default_ip: str, families: Sequence[int]
    ) -> list[PublishedPort]:
        addresses = _addresses(request.host_ip, default_ip, families)
        if not addresses:
            raise PortUnavailable(
                f"cannot publish port {request.container_port}/{request.protocol} on "
                f"{request.host_ip}: the container has no address of that family"
            )
        if request.host_port and request.host_port_end <= request.host_port:
            self._check(request.protocol, addresses, request.host_port)
            host_port = request.host_port
        else:
            host_port = self._choose(request, addresses)
        ports = [
            PublishedPort(request.container_port, request.protocol, address, host_port)
            for address in addresses
        ]
        self.reserve(ports)
        return ports

    def _check(self, protocol: str, addresses: Sequence[str], port: int) -> None:
        for address in addresses:
            shown = f"[{address}]" if ":" in address else address
            if self._clashes(protocol, address, port):
                raise PortUnavailable(f"Bind for {shown}:{port} failed: port is already allocated")
            fault = self._probe(protocol, address, port)
            if fault == errno.EADDRINUSE:
                raise PortUnavailable(
                    f"failed to bind host port for {shown}:{port}/{protocol}: "
                    "address already in use"
                )
            if fault == errno.EADDRNOTAVAIL:
                raise PortUnavailable(
                    f"failed to bind host port for {shown}:{port}/{protocol}: "
                    "cannot assign requested address"
                )

    def _choose(self, request: PortRequest, addresses: Sequence[str]) -> int:
        chosen = request.host_port > 0
        first, last = (request.host_port, request.host_port_end) if chosen else self._ephemeral
        start = first if chosen else self._next
        size = last - first + 1
        for offset in range(size):
            port = first + (start - first + offset) % size
            if any(self._clashes(request.protocol, address, port) for address in addresses):
                continue
            if any(self._probe(request.protocol, address, port) for address in addresses):
                continue
            if not chosen:
                self._next = port + 1 if port < last else first
            return port
        raise PortUnavailable("all ports are allocated")

    def _clashes(self, protocol: str, address: str, port: int) -> bool:
        for taken in self._taken.get((protocol, port), ()):
            if taken == address:
                return True
            same_family = (":" in taken) == (":" in address)
            if same_family and (taken in _ANY or address in _ANY):
                return True
        return False


def _addresses(asked: str, default_ip: str, families: Sequence[int]) -> list[str]:
    host_ip = asked or (default_ip if default_ip not in _ANY else "")
    if not host_ip:
        return [address for family, address in ((4, "0.0.0.0"), (6, "::")) if family in families]
    try:
        address = ipaddress.ip_address(host_ip.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise PortUnavailable(f"invalid IP address: {host_ip}") from None
    return [str(address)] if address.version in families else []


def _kernel_range() -> tuple[int, int]:
    try:
        first, last = EPHEMERAL_FILE.read_text().split()
        return int(first), int(last)
    except (OSError, ValueError):
        return DEFAULT_EPHEMERAL
