"""The networks that exist: found by name or id, with the addresses given on each.

In memory; the engine keeps the records and hands them back when the daemon starts.
"""

import ipaddress
from collections.abc import Callable, Sequence

from wherry.base.errors import InvalidParameter
from wherry.network.endpoint import Endpoint
from wherry.network.errors import NetworkNameInUse, NoSuchNetwork, PoolOverlaps
from wherry.network.ipam import AddressSpace, Pool, choose_subnet, first_address
from wherry.network.record import NetworkRecord, Subnet


class NetworkCatalog:
    """Records of networks, their address spaces and the endpoints on them."""

    def __init__(self, pools: Sequence[Pool], host_routes: Callable[[], Sequence[str]]) -> None:
        """`host_routes` lists what the host reaches already, for the choice of subnets."""
        self._pools = tuple(pools)
        self._host_routes = host_routes
        self._records: dict[str, NetworkRecord] = {}
        self._spaces: dict[str, tuple[AddressSpace, ...]] = {}
        self._endpoints: dict[str, dict[str, Endpoint]] = {}

    def records(self) -> list[NetworkRecord]:
        """All networks."""
        return list(self._records.values())

    def get(self, reference: str) -> NetworkRecord:
        """The network of a full id, name or unique beginning of an id; raises NoSuchNetwork."""
        found = self._records.get(reference) or self.named(reference)
        if found is not None:
            return found
        matching = [r for i, r in self._records.items() if reference and i.startswith(reference)]
        if len(matching) > 1:
            raise InvalidParameter(
                f"network {reference} is ambiguous ({len(matching)} matches found)"
            )
        if not matching:
            raise NoSuchNetwork(reference)
        return matching[0]

    def named(self, name: str) -> NetworkRecord | None:
        """The network of exactly that name."""
        return next((r for r in self._records.values() if r.name == name), None)

    def add(self, record: NetworkRecord) -> None:
        """Takes a network in; raises NetworkNameInUse, PoolOverlaps or BadAddress."""
        if self.named(record.name) is not None:
            raise NetworkNameInUse(record.name)
        live = () if record.config_only else record.subnets
        self.check_overlap(live)
        spaces = tuple(
            AddressSpace(
                subnet.subnet,
                address_range=subnet.ip_range,
                reserved=(subnet.gateway, *subnet.auxiliary.values()),
            )
            for subnet in live
        )
        self._records[record.id] = record
        self._spaces[record.id] = spaces
        self._endpoints[record.id] = {}

    def remove(self, identifier: str) -> None:
        """Forgets a network."""
        for table in (self._records, self._spaces, self._endpoints):
            table.pop(identifier, None)

    def choose_subnet(self, version: int = 4, taken: Sequence[str] = ()) -> Subnet | None:
        """A subnet from the pools that clashes with no network and no route of the host.

        None if no pool is of the IP version; raises NoSubnets if all are used up.
        """
        pools = [p for p in self._pools if ipaddress.ip_network(p.base, False).version == version]
        if not pools:
            return None
        busy = [s.subnet for record in self._live() for s in record.subnets]
        subnet = choose_subnet(pools, [*busy, *self._host_routes(), *taken])
        return Subnet(str(subnet), first_address(subnet))

    def check_overlap(self, subnets: Sequence[Subnet]) -> None:
        """Raises PoolOverlaps if a subnet lies across one of another network."""
        for subnet in subnets:
            wanted = ipaddress.ip_network(subnet.subnet)
            for record in self._live():
                for other in record.subnets:
                    present = ipaddress.ip_network(other.subnet)
                    if wanted.version == present.version and wanted.overlaps(present):
                        raise PoolOverlaps(
                            "invalid pool request: Pool overlaps with other one on this address "
                            f"space: {wanted} and {present} of network {record.name}"
                        )

    def space(self, identifier: str, version: int) -> AddressSpace | None:
        """The address space of a network for IP version 4 or 6."""
        spaces = self._spaces.get(identifier, ())
        return next((space for space in spaces if space.subnet.version == version), None)

    def subnet(self, identifier: str, version: int) -> Subnet | None:
        """The subnet of a network for IP version 4 or 6."""
        wanted = self.space(identifier, version)
        record = self._records.get(identifier)
        if wanted is None or record is None or not record.has_version(version):
            return None
        return next(s for s in record.subnets if s.subnet == str(wanted.subnet))

    def endpoints(self, identifier: str) -> list[Endpoint]:
        """The endpoints on a network."""
        return list(self._endpoints.get(identifier, {}).values())

    def connect(self, endpoint: Endpoint) -> None:
        """Records an endpoint whose addresses are reserved."""
        self._endpoints.setdefault(endpoint.network, {})[endpoint.endpoint_id] = endpoint

    def disconnect(self, endpoint: Endpoint) -> bool:
        """Forgets an endpoint and frees its addresses; False if it was not there."""
        if self._endpoints.get(endpoint.network, {}).pop(endpoint.endpoint_id, None) is None:
            return False
        for version, address in ((4, endpoint.ipv4), (6, endpoint.ipv6)):
            space = self.space(endpoint.network, version)
            if space is not None and address:
                space.free(address)
        return True

    def _live(self) -> list[NetworkRecord]:
        return [record for record in self._records.values() if not record.config_only]

    @property
    def endpoint_count(self) -> int:
        """How many endpoints there are on all networks."""
        return sum(len(endpoints) for endpoints in self._endpoints.values())

    @property
    def in_use(self) -> bool:
        """Whether any container is on any network."""
        return any(self._endpoints.values())
