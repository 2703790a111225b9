"""Addresses: which subnets a new network may take, and which address an endpoint gets.

Nothing here is stored: reservations are made again from records when the daemon starts.
"""

import ipaddress
from collections.abc import Iterable, Sequence

import msgspec

from wherry.network.errors import AddressInUse, BadAddress, NoAddresses, NoSubnets

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Pool(msgspec.Struct, frozen=True):
    """Where subnets come from: blocks of prefix length `size` out of `base`."""

    base: str
    size: int


DEFAULT_POOLS: tuple[Pool, ...] = (
    *(Pool(f"172.{second}.0.0/16", 16) for second in range(17, 32)),
    Pool("192.168.0.0/16", 20),
)
"""dockerd's own list (libnetwork/ipamutils), in its order."""


def choose_subnet(pools: Sequence[Pool], taken: Iterable[str]) -> Network:
    """The first block of the pools that overlaps none of `taken` (CIDR); raises NoSubnets.

    `taken` holds the subnets of networks and the host's routes; its default routes are ignored.
    """
    busy = [ipaddress.ip_network(cidr, strict=False) for cidr in taken]
    busy = [network for network in busy if network.prefixlen]
    for pool in pools:
        base = ipaddress.ip_network(pool.base, strict=False)
        if pool.size < base.prefixlen or pool.size > base.max_prefixlen:
            raise BadAddress(f"invalid address pool: base {pool.base} holds no /{pool.size} block")
        block = _free_block(base, pool.size, busy)
        if block is not None:
            return block
    raise NoSubnets


def _free_block(base: Network, size: int, busy: Sequence[Network]) -> Network | None:
    """Steps over whole busy networks instead of trying every block of a large pool."""
    step = 1 << (base.max_prefixlen - size)
    position, end = int(base.network_address), int(base.broadcast_address)
    while position <= end:
        block: Network
        if base.version == 4:
            block = ipaddress.IPv4Network((position, size))
        else:
            block = ipaddress.IPv6Network((position, size))
        clash = next((n for n in busy if n.version == block.version and n.overlaps(block)), None)
        if clash is None:
            return block
        position = max(position, int(clash.broadcast_address)) // step * step + step
    return None


class AddressSpace:
    """The addresses of one subnet: which are given, and which comes next."""

    def __init__(self, subnet: str, *, address_range: str = "", reserved: Iterable[str] = ()):
        """`address_range` limits automatic choice; `reserved` are gateway and auxiliary ones."""
        self.subnet: Network = ipaddress.ip_network(subnet, strict=False)
        self._range = (
            ipaddress.ip_network(address_range, strict=False) if address_range else self.subnet
        )
        if self._range.version != self.subnet.version or not (
            int(self.subnet.network_address) <= int(self._range.network_address)
            and int(self._range.broadcast_address) <= int(self.subnet.broadcast_address)
        ):
            raise BadAddress(f"invalid subnet {subnet}: it does not contain range {address_range}")
        self._given: set[int] = set()
        self._forbidden = self._edges()
        for address in reserved:
            self._given.add(int(ipaddress.ip_address(address)))
        self._next = int(self._range.network_address)

    def reserve(self, address: str) -> str:
        """Takes a given address; raises AddressInUse, or BadAddress if it is not of the subnet."""
        number = int(self._parse(address))
        if number in self._given:
            raise AddressInUse
        self._given.add(number)
        return str(self._make(number))

    def choose(self) -> str:
        """Takes the next free address of the range, least recently given first."""
        first, last = int(self._range.network_address), int(self._range.broadcast_address)
        if self.subnet.version == 6:
            last = min(last, first + (1 << 32))
        size = last - first + 1
        if len(self._given) >= size:
            raise NoAddresses
        for offset in range(size):
            number = first + (self._next - first + offset) % size
            if number not in self._given and number not in self._forbidden:
                self._given.add(number)
                self._next = number + 1
                return str(self._make(number))
        raise NoAddresses

    def free(self, address: str) -> None:
        """Gives an address back; one that is not taken is ignored."""
        self._given.discard(int(ipaddress.ip_address(address)))

    def is_free(self, address: str) -> bool:
        """Whether an address could be reserved."""
        return int(ipaddress.ip_address(address)) not in self._given

    def in_use(self) -> int:
        """How many addresses of the subnet are not to be had, its edges among them."""
        return len(self._given | self._forbidden)

    def available(self) -> int:
        """How many addresses are left to be chosen from."""
        first, last = int(self._range.network_address), int(self._range.broadcast_address)
        taken = sum(first <= number <= last for number in self._given | self._forbidden)
        return last - first + 1 - taken

    @property
    def prefix(self) -> int:
        """The subnet's prefix length."""
        return self.subnet.prefixlen

    def _edges(self) -> frozenset[int]:
        if self.subnet.max_prefixlen - self.subnet.prefixlen < 2:
            return frozenset()
        edges = {int(self.subnet.network_address)}
        if self.subnet.version == 4:
            edges.add(int(self.subnet.broadcast_address))
        return frozenset(edges)

    def _parse(self, address: str) -> Address:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            raise BadAddress(f"invalid IP address: {address}") from None
        if parsed.version != self.subnet.version or parsed not in self.subnet:
            raise BadAddress(
                f"invalid endpoint settings:\nno configured subnet contains IP address {address}"
            )
        return parsed

    def _make(self, number: int) -> Address:
        if self.subnet.version == 4:
            return ipaddress.IPv4Address(number)
        return ipaddress.IPv6Address(number)


def first_address(subnet: Network) -> str:
    """The subnet's first usable address: the gateway if nobody says otherwise."""
    offset = 0 if subnet.max_prefixlen - subnet.prefixlen < 2 else 1
    return str(subnet.network_address + offset)


def mac_of(ipv4: str) -> str:
    """dockerd's old rule, stable for a given address: 02:42 and the four bytes of the address."""
    return "02:42:" + ":".join(f"{byte:02x}" for byte in ipaddress.IPv4Address(ipv4).packed)
