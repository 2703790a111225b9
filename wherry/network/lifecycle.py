"""Networks come and go: the predefined ones with the daemon, the others at the user's word.

Blocking; called in the "network" pool, one call at a time.
"""

import ipaddress
import logging
from collections.abc import Sequence

import msgspec

from wherry.base.clock import timestamp
from wherry.base.errors import InvalidParameter
from wherry.base.ids import new_id
from wherry.network import driver_options as options
from wherry.network.bridges import Bridges, host_routes, link_addresses
from wherry.network.catalog import NetworkCatalog
from wherry.network.creation import complete, unique_local
from wherry.network.errors import (
    ConfigurationInUse,
    NetworkHasEndpoints,
    NetworkNameInUse,
    NetworkUnavailable,
    NoSubnets,
    PoolOverlaps,
    PredefinedNetwork,
)
from wherry.network.firewall import Firewall
from wherry.network.record import NetworkRecord, Subnet, check_subnet

_log = logging.getLogger(__name__)


class BridgeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """dockerd's options for the default bridge; `name` is the link's for this instance.

    `bridge` is an existing link of the user's, or "none" for no default network at all.
    """

    name: str
    bridge: str = ""
    bip: str = ""
    fixed_cidr: str = ""
    ipv6: bool = False
    fixed_cidr_v6: str = ""
    default_gateways: tuple[str, str] = ("", "")
    mtu: int = 0
    icc: bool = True
    ip_masq: bool = True
    ip: str = ""


class NetworkLifecycle:
    """Makes the predefined networks, creates and removes others, cleans up at the end."""

    def __init__(
        self,
        catalog: NetworkCatalog,
        bridges: Bridges,
        firewall: Firewall,
        settings: BridgeSettings,
    ) -> None:
        """Collaborators are shared with Attachments."""
        self._catalog = catalog
        self._bridges = bridges
        self._firewall = firewall
        self._settings = settings

    def open(self, stored: Sequence[NetworkRecord]) -> list[NetworkRecord]:
        """Takes stored networks in and adds the predefined; the records to be stored again.

        A stored network that no longer fits is left out with a warning.
        """
        before = {record.name: record for record in stored}
        changed = []
        for record in stored:
            if not record.predefined:
                try:
                    self._catalog.add(record)
                except (NetworkNameInUse, PoolOverlaps, InvalidParameter) as error:
                    _log.warning("network %s is left out: %s", record.name, error.message)
        for record in self._predefined(before):
            self._catalog.add(record)
            if before.get(record.name) != record:
                changed.append(record)
        return changed

    def settle(self) -> None:
        """Removes what an earlier daemon left and no container uses; after the restore.

        The default bridge is made now, so that other engines on the host see its subnet taken; if
        the kernel cannot do what bridges need, there is one warning and the daemon goes on.
        """
        for record in self._catalog.records():
            if record.driver == "bridge" and not self._bridges.is_up(record):
                self._bridges.remove_leftover(record)
        if not self._catalog.in_use:
            fault = self._firewall.check()
            if fault is not None:
                self._bridges.warn([fault])
                return
            self._firewall.remove_table()
        default = self._catalog.named("bridge")
        if default is not None:
            try:
                self._bridges.ensure(default)
            except NetworkUnavailable as error:
                self._bridges.warn([error.message])

    def create(self, wanted: NetworkRecord, *, chosen_id: str = "") -> NetworkRecord:
        """Adds a user's network; its record with id, subnets and link name filled in.

        Nothing is in the kernel yet: the record is to be stored first, then `bring_up`. Raises
        NetworkNameInUse, PoolOverlaps, BadAddress, NoSubnets, Forbidden.
        """
        record = complete(self._catalog, wanted, chosen_id or new_id())
        if record.driver in ("macvlan", "ipvlan"):
            made = link_addresses(record.bridge) is None
            record = msgspec.structs.replace(record, made_parent=made)
        elif record.driver == "bridge" and not record.config_only:
            record = _on_users_bridge(record)
        self._catalog.add(record)
        return record

    def bring_up(self, record: NetworkRecord) -> None:
        """Makes what a new network needs in the kernel; if that fails the network is forgotten.

        Raises NetworkUnavailable, InvalidParameter for a parent that cannot be, NoSuchNetwork if
        it was removed meanwhile.
        """
        self._catalog.get(record.id)
        try:
            self._bridges.ensure(record)
        except BaseException:
            self._catalog.remove(record.id)
            raise

    def remove(self, record: NetworkRecord) -> None:
        """Removes a user's network; raises NetworkHasEndpoints, PredefinedNetwork."""
        if record.predefined:
            raise PredefinedNetwork(f"{record.name} is a pre-defined network and cannot be removed")
        endpoints = self._catalog.endpoints(record.id)
        if endpoints:
            names = ", ".join(
                f'name:"{e.container_name}" id:"{e.endpoint_id[:12]}"' for e in endpoints
            )
            raise NetworkHasEndpoints(record.name, record.id, names)
        if record.config_only:
            if any(r.config_from == record.name for r in self._catalog.records()):
                raise ConfigurationInUse(record.name)
        else:
            self._bridges.remove(record)
        self._catalog.remove(record.id)

    def close(self) -> None:
        """Removes bridges and rules that nothing uses; what containers use stays."""
        for record in self._catalog.records():
            if record.plain or self._catalog.endpoints(record.id):
                continue
            try:
                if self._bridges.is_up(record):
                    self._bridges.remove(record)
            except (NetworkUnavailable, OSError) as error:
                _log.warning("cannot remove bridge %s: %s", record.bridge, error)
        self._firewall.close()

    def host_gateway(self, configured: str = "") -> tuple[str, ...]:
        """What `host-gateway` stands for: the configured address, or the default bridge's."""
        if configured:
            return (configured,)
        default = self._catalog.named("bridge")
        return tuple(subnet.gateway for subnet in default.subnets) if default else ()

    def _predefined(self, before: dict[str, NetworkRecord]) -> list[NetworkRecord]:
        records = []
        if self._settings.bridge != "none":
            records.append(self._default_bridge(before.get("bridge")))
        for name, driver in (("host", "host"), ("none", "null")):
            old = before.get(name)
            records.append(old or NetworkRecord(new_id(), name, driver, timestamp()))
        return records

    def _default_bridge(self, old: NetworkRecord | None) -> NetworkRecord:
        settings = self._settings
        link = settings.bridge or settings.name
        identifier = old.id if old else new_id()
        subnets = [self._default_subnet(link, old)]
        if settings.ipv6:
            given = Subnet(settings.fixed_cidr_v6) if settings.fixed_cidr_v6 else None
            subnets.append(check_subnet(given) if given else unique_local(identifier))
        for number, version in enumerate((4, 6)[: len(subnets)]):
            if settings.default_gateways[number]:
                aux = {options.GATEWAY_ADDRESSES[version]: settings.default_gateways[number]}
                subnets[number] = check_subnet(
                    msgspec.structs.replace(subnets[number], auxiliary=aux)
                )
        driver_options = {
            options.DEFAULT_BRIDGE: "true",
            options.ICC: str(settings.icc).lower(),
            options.MASQUERADE: str(settings.ip_masq).lower(),
            options.HOST_BINDING: settings.ip or "0.0.0.0",
            options.BRIDGE_NAME: link,
            options.MTU: str(settings.mtu or 1500),
        }
        options.check_options("bridge", driver_options)
        return NetworkRecord(
            id=identifier,
            name="bridge",
            driver="bridge",
            created=old.created if old else timestamp(),
            subnets=tuple(subnets),
            enable_ipv6=settings.ipv6,
            bridge=link,
            options=driver_options,
            foreign_bridge=bool(settings.bridge),
        )

    def _default_subnet(self, link: str, old: NetworkRecord | None) -> Subnet:
        settings = self._settings
        if settings.bip:
            return _with_range(_subnet_of(settings.bip), settings.fixed_cidr)
        if settings.bridge:
            addresses = link_addresses(link)
            if addresses is None:
                raise InvalidParameter(
                    f"bridge {link} given with --bridge does not exist: make it first"
                )
            ipv4 = [address for address in addresses if ":" not in address]
            if not ipv4:
                raise InvalidParameter(
                    f"bridge {link} given with --bridge has no IPv4 address: give it one"
                )
            return _with_range(_subnet_of(ipv4[0]), settings.fixed_cidr)
        if settings.fixed_cidr:
            inner = ipaddress.ip_network(settings.fixed_cidr, strict=False)
            return _with_range(Subnet(str(inner)), settings.fixed_cidr)
        if old and old.bridge == link and self._still_fits(old, link):
            return msgspec.structs.replace(old.subnets[0], ip_range="", auxiliary={})
        chosen = self._catalog.choose_subnet()
        if chosen is None:
            raise NoSubnets
        return chosen

    def _still_fits(self, old: NetworkRecord, link: str) -> bool:
        """The subnet of last time stays, for running containers, unless the host took it since."""
        if not old.subnets or link_addresses(link) is not None:
            return bool(old.subnets)
        try:
            self._catalog.check_overlap(old.subnets)
        except PoolOverlaps:
            return False
        wanted = ipaddress.ip_network(old.subnets[0].subnet)
        routes = (ipaddress.ip_network(r, strict=False) for r in host_routes(frozenset({link})))
        return not any(
            route.prefixlen and route.version == wanted.version and route.overlaps(wanted)
            for route in routes
        )


def _on_users_bridge(record: NetworkRecord) -> NetworkRecord:
    """A network whose bridge is there already keeps it as it is, and leaves it at its end."""
    present = link_addresses(record.bridge)
    if present is None:
        return record
    for subnet in record.subnets:
        address = f"{subnet.gateway}/{subnet.subnet.partition('/')[2]}"
        if address not in present:
            raise InvalidParameter(
                f"bridge {record.bridge} exists and has no address {address}: give it that, or "
                "choose another bridge name"
            )
    return msgspec.structs.replace(record, foreign_bridge=True)


def _subnet_of(address: str) -> Subnet:
    """The subnet of an interface address such as `--bip` gives; raises InvalidParameter."""
    try:
        parsed = ipaddress.ip_interface(address)
    except ValueError:
        raise InvalidParameter(f"invalid CIDR address for the bridge: {address}") from None
    if parsed.network.prefixlen == parsed.max_prefixlen or parsed.ip == parsed.network[0]:
        raise InvalidParameter(f"{address} is no address of a host with a prefix length")
    return Subnet(str(parsed.network), str(parsed.ip))


def _with_range(subnet: Subnet, fixed_cidr: str) -> Subnet:
    return check_subnet(Subnet(subnet.subnet, subnet.gateway, fixed_cidr))
