"""Containers join and leave networks: endpoints, default routes and published ports.

Blocking; called in the "network" pool, one call at a time. Every call is all or nothing.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from wherry.linux.syscall import SyscallError
from wherry.model.interface import LinkChange
from wherry.network import joining
from wherry.network.bridges import Bridges, delete_link, rules_of
from wherry.network.catalog import NetworkCatalog
from wherry.network.endpoint import (
    Changed,
    Endpoint,
    EndpointRequest,
    PortRequest,
    Prepared,
    PublishedPort,
)
from wherry.network.errors import AddressInUse, NetworkUnavailable, NoSuchNetwork
from wherry.network.firewall import Firewall
from wherry.network.gateways import default_routes, elect, routes
from wherry.network.neighbours import make_room
from wherry.network.publication import Publication, pinned
from wherry.network.record import NetworkRecord

_log = logging.getLogger(__name__)


class Attachments:
    """Gives endpoints to containers and takes them back."""

    def __init__(
        self, catalog: NetworkCatalog, bridges: Bridges, firewall: Firewall,
        publication: Publication,
    ) -> None:  # fmt: skip
        self._catalog = catalog
        self._bridges = bridges
        self._firewall = firewall
        self._publication = publication

    def prepare(
        self, requests: Sequence[EndpointRequest], ports: Sequence[PortRequest] = ()
    ) -> Prepared:
        """Reserves addresses and ports, makes the bridges if needed and publishes the ports.

        `requests` are all networks of one container. `host` and `none` give an endpoint without
        addresses and no interface. Raises NoSuchNetwork, AddressInUse, PortUnavailable and
        NoAddresses with Docker's texts, and NetworkUnavailable in one line where the kernel offers
        no NAT.
        """
        records = {r.id: r for r in (self._catalog.get(item.network) for item in requests)}
        done: list[Endpoint] = []
        try:
            for request in requests:
                self._bridges.ensure(records[request.network])
                done.append(joining.join(self._catalog, request, [e.interface for e in done]))
            ready = self._publication.publish(elect(done, records), ports, records)
        except BaseException:
            self.release(done)
            raise
        self._remember(ready)
        make_room(self._catalog.endpoint_count)
        interfaces = tuple(
            joining.interface(
                endpoint, records[endpoint.network], request.options, routes(endpoint)
            )
            for endpoint, request in zip(ready, requests, strict=True)
            if endpoint.interface
        )
        return Prepared(interfaces, ready)

    def add(
        self, request: EndpointRequest, present: Sequence[Endpoint],
        ports: Sequence[PortRequest] = (),
    ) -> Changed:  # fmt: skip
        """One network more for a running container that has the endpoints `present`.

        The new endpoint is marked as pending until its interface is there. Raises as `prepare`.
        """
        record = self._catalog.get(request.network)
        self._bridges.ensure(record)
        fresh = joining.join(self._catalog, request, [e.interface for e in present])
        try:
            after = self._elect_again(present, (*present, fresh), ports)
        except BaseException:
            self.release([fresh])
            raise
        fresh = after[-1]
        if not fresh.interface:
            return Changed(after, LinkChange())
        made = joining.interface(fresh, record, request.options)
        after = (*after[:-1], msgspec.structs.replace(fresh, pending=True))
        self._remember(after)
        return Changed(after, self._link_change(present, (*after[:-1], fresh), add=made))

    def take(
        self, endpoint_id: str, present: Sequence[Endpoint], ports: Sequence[PortRequest] = ()
    ) -> Changed:
        """One network less for a running container; its endpoint stays, pending, until `release`.

        An endpoint that is gone or pending already is taken all the same.
        """
        going = next(e for e in present if e.endpoint_id == endpoint_id)
        marked = tuple(
            msgspec.structs.replace(e, pending=True) if e is going else e for e in present
        )
        after = self._elect_again(present, marked, ports)
        self._remember(after)
        change = self._link_change(present, after, remove=going.interface)
        return Changed(after, change)

    def republish(
        self, present: Sequence[Endpoint], add: Sequence[PortRequest],
        remove: Collection[tuple[str, int]],
    ) -> tuple[Endpoint, ...]:  # fmt: skip
        """Publishes more ports of a running container, and others no longer.

        `remove` are protocols and ports of the container; what is neither stays as it is, with its
        connections. All or nothing: raises PortUnavailable.
        """
        records = self._records(present)
        gone = [_with_ports(e, lambda port: (port.protocol, port.container_port) in remove)
                for e in present]  # fmt: skip
        self._publication.withdraw(gone, records)
        bare = [msgspec.structs.replace(e, ports=()) for e in present]
        try:
            fresh = self._publication.publish(bare, add, records)
        except BaseException:
            self._publication.republish(gone, records)
            raise
        after = tuple(
            msgspec.structs.replace(old, ports=(
                *(port for port in old.ports if port not in taken.ports), *new.ports,
            ))
            for old, taken, new in zip(present, gone, fresh, strict=True)
        )  # fmt: skip
        self._remember(after)
        return after

    def settled(self, endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
        """The endpoints of a running container once its interfaces are as they say."""
        after = tuple(msgspec.structs.replace(e, pending=False) for e in endpoints)
        self._remember(after)
        return after

    def renamed(self, endpoints: Sequence[Endpoint], old: str, new: str) -> tuple[Endpoint, ...]:
        """The endpoints of a container that has another name now."""
        after = tuple(
            msgspec.structs.replace(
                e, container_name=new, names=tuple(new if n == old else n for n in e.names)
            )
            for e in endpoints
        )
        self._remember(after)
        return after

    def release(self, endpoints: Sequence[Endpoint]) -> None:
        """Frees addresses and ports of endpoints; unknown ones are ignored: it may be repeated."""
        known = [e for e in endpoints if self._catalog.disconnect(e)]
        self._publication.withdraw(known, self._records(known))

    @staticmethod
    def unlink(endpoints: Sequence[Endpoint]) -> None:
        """Removes links of released endpoints; callable in any thread, and slow.

        The kernel removes them with the container's network namespace, unless another container
        has joined that.
        """
        for endpoint in endpoints:
            if endpoint.host_interface.startswith("veth"):
                try:
                    delete_link(endpoint.host_interface)
                except SyscallError as error:
                    _log.warning("cannot remove link %s: %s", endpoint.host_interface, error)

    def restore(self, endpoints: Sequence[Endpoint]) -> None:
        """Takes over endpoints of running containers after a restart of the daemon.

        Called once with those of all containers, so that the rules change in one transaction.
        """
        known: list[Endpoint] = []
        records: dict[str, NetworkRecord] = {}
        for endpoint in endpoints:
            try:
                records[endpoint.network] = self._catalog.get(endpoint.network)
            except NoSuchNetwork as error:
                _log.warning("container %s: %s", endpoint.container_name, error.message)
                continue
            self._reserve(endpoint)
            self._catalog.connect(endpoint)
            known.append(endpoint)
        bridged = [record for record in records.values() if record.driver == "bridge"]
        for record in records.values():
            try:
                self._bridges.adopt(record)
            except NetworkUnavailable as error:
                _log.warning("network %s: %s", record.name, error.message)
        translated, opened = self._publication.reserve(known, records)
        self._firewall.restore([rules_of(record) for record in bridged], translated, opened)

    def _elect_again(
        self, before: Sequence[Endpoint], after: Sequence[Endpoint], ports: Sequence[PortRequest]
    ) -> tuple[Endpoint, ...]:
        """Default routes anew; ports move with them and keep their numbers."""
        records = self._records(after)
        elected = elect(after, records)
        if _ways(before) == _ways(elected):
            return elected
        self._publication.withdraw(before, records)
        bare = tuple(msgspec.structs.replace(e, ports=()) for e in elected)
        try:
            return self._publication.publish(bare, pinned(ports, before), records)
        except BaseException:
            again = tuple(msgspec.structs.replace(e, ports=()) for e in before)
            self._publication.publish(again, pinned(ports, before), records)
            raise

    def _link_change(
        self, before: Sequence[Endpoint], after: Sequence[Endpoint], **change: object
    ) -> LinkChange:
        old = [route for e in before for route in default_routes(e)]
        new = [route for e in after for route in default_routes(e)]
        return msgspec.structs.replace(
            LinkChange(),
            lost=tuple(route for route in old if route not in new),
            gained=tuple(route for route in new if route not in old),
            **change,
        )

    def _remember(self, endpoints: Sequence[Endpoint]) -> None:
        for endpoint in endpoints:
            self._catalog.connect(endpoint)

    def _records(self, endpoints: Sequence[Endpoint]) -> Mapping[str, NetworkRecord]:
        wanted = {e.network for e in endpoints}
        return {r.id: r for r in self._catalog.records() if r.id in wanted}

    def _reserve(self, endpoint: Endpoint) -> None:
        for version, address in ((4, endpoint.ipv4), (6, endpoint.ipv6)):
            space = self._catalog.space(endpoint.network, version)
            try:
                if address and space is not None:
                    space.reserve(address)
            except AddressInUse:
                _log.warning(
                    "container %s: its address %s is reserved twice",
                    endpoint.container_name,
                    address,
                )


def _with_ports(endpoint: Endpoint, wanted: Callable[[PublishedPort], bool]) -> Endpoint:
    return msgspec.structs.replace(endpoint, ports=tuple(filter(wanted, endpoint.ports)))


def _ways(endpoints: Sequence[Endpoint]) -> tuple[str, str]:
    """Ids of the endpoints with the IPv4 and the IPv6 default route."""
    first = next((e.endpoint_id for e in endpoints if e.default_route), "")
    second = next((e.endpoint_id for e in endpoints if e.default_route6), "")
    return first, second
