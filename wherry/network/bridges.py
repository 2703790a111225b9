"""Bridges on the host: made with their first container, removed when nothing uses them."""

import contextlib
import errno
import logging
import secrets
from pathlib import Path

from wherry.linux.netlink.route import Link, Netlink, write_network_sysctl
from wherry.linux.syscall import SyscallError
from wherry.network import driver_options as opt
from wherry.network.errors import NetworkUnavailable
from wherry.network.firewall import Firewall
from wherry.network.foreign import ForeignFirewalls
from wherry.network.parents import ensure_parent, remove_parent
from wherry.network.record import NetworkRecord, Subnet
from wherry.network.rules import NetworkRules

_log = logging.getLogger(__name__)

_SYSCTL = Path("/proc/sys/net")

PORT_LIMIT = 1023
"""Ports that one bridge takes (BR_PORT_BITS of net/bridge/br_private.h)."""


class Bridges:
    """Makes and removes the links of bridge networks, with their rules."""

    def __init__(
        self, firewall: Firewall, foreign: ForeignFirewalls, *, ip_forward: bool = True
    ) -> None:
        """`ip_forward` false leaves the host's forwarding as it is (dockerd's option)."""
        self._firewall = firewall
        self._foreign = foreign
        self._ip_forward = ip_forward
        self._up: dict[str, NetworkRecord] = {}
        self.warnings: list[str] = []

    def is_up(self, record: NetworkRecord) -> bool:
        """Whether this daemon has the network's bridge in use."""
        return record.id in self._up

    def ensure(self, record: NetworkRecord) -> None:
        """Makes the bridge with addresses and rules unless that was done.

        Raises NetworkUnavailable; a bridge that was made then is removed again. For macvlan and
        ipvlan it is their parent that has to be there.
        """
        if record.plain or record.id in self._up:
            return
        if record.driver != "bridge":
            ensure_parent(record)
            self._up[record.id] = record
            return
        with Netlink() as netlink:
            link = netlink.link(record.bridge)
            made = link is None
            try:
                link = self._make(netlink, record) if link is None else _check(link, record)
                self._configure(netlink, record, link)
                self._firewall.add_network(rules_of(record))
            except SyscallError as error:
                self._undo(netlink, record, made)
                raise NetworkUnavailable(
                    f"cannot make bridge {record.bridge} for network {record.name}: {error}; "
                    "containers with --network none or host still run"
                ) from error
            except BaseException:
                self._undo(netlink, record, made)
                raise
        self._up[record.id] = record
        self._open_others(record)

    def adopt(self, record: NetworkRecord) -> None:
        """Counts a bridge as in use whose rules are restored elsewhere; makes a missing link."""
        if record.driver != "bridge":
            self.ensure(record)
            return
        with Netlink() as netlink:
            link = netlink.link(record.bridge)
            try:
                link = self._make(netlink, record) if link is None else _check(link, record)
                self._configure(netlink, record, link)
            except SyscallError as error:
                raise NetworkUnavailable(
                    f"cannot take over bridge {record.bridge}: {error}"
                ) from error
        self._up[record.id] = record
        self._open_others(record)

    def repair(self, damaged: bool) -> None:
        """Puts right what a change of the rule set by others has undone; see `Firewall.repair`."""
        self._firewall.repair(damaged)
        for record in list(self._up.values()):
            if record.driver == "bridge":
                self._open_others(record)

    def _open_others(self, record: NetworkRecord) -> None:
        self.warn(self._foreign.open_for(record.bridge, ipv6=record.enable_ipv6))

    def remove(self, record: NetworkRecord) -> None:
        """Removes the bridge and its rules; a bridge that the user made stays."""
        self._up.pop(record.id, None)
        if record.driver != "bridge":
            if record.made_parent:
                remove_parent(record)
            return
        self._foreign.close_for(record.bridge)
        self._firewall.remove_network(record.bridge)
        if not record.foreign_bridge:
            with Netlink() as netlink:
                _delete(netlink, record.bridge)

    def remove_leftover(self, record: NetworkRecord) -> None:
        """Removes the bridge that an earlier daemon left, unless something is plugged in."""
        with Netlink() as netlink:
            link = netlink.link(record.bridge)
            if link is None or link.kind != "bridge" or record.foreign_bridge:
                return
            if any(other.master == link.ifindex for other in netlink.links()):
                return
            _delete(netlink, record.bridge)
        self._foreign.close_for(record.bridge)

    def warn(self, lines: list[str]) -> None:
        """Logs what only the user can mend, once, and keeps it for `docker info`."""
        for line in lines:
            if line not in self.warnings:
                self.warnings.append(line)
                _log.warning("%s", line)

    def _make(self, netlink: Netlink, record: NetworkRecord) -> Link:
        if record.foreign_bridge:
            raise NetworkUnavailable(
                f"bridge {record.bridge} of network {record.name} does not exist: it was made by "
                "you, make it again"
            )
        # A fixed address: the kernel otherwise takes the lowest of the ports', which changes.
        netlink.add_bridge(record.bridge, mtu=record.mtu, mac=_random_mac())
        link = netlink.link(record.bridge)
        if link is None:
            raise NetworkUnavailable(f"bridge {record.bridge} vanished while it was made")
        return link

    def _configure(self, netlink: Netlink, record: NetworkRecord, link: Link) -> None:
        conf = f"ipv6/conf/{record.bridge}"
        _sysctl(f"{conf}/accept_ra", "0")  # CVE-2020-13401: containers advertise no routers
        if not record.foreign_bridge:
            # Until its link-local address is known to be unique, the bridge solicits no neighbour
            # for forwarded packets (ndisc_send_ns of net/ipv6/ndisc.c): two seconds lost.
            _sysctl(f"{conf}/accept_dad", "0")
            _sysctl(f"{conf}/disable_ipv6", "0" if record.enable_ipv6 else "1")
            present = {address for _, address in netlink.addresses(link.ifindex)}
            for subnet in _on_bridge(record):
                address = f"{subnet.gateway}/{subnet.subnet.partition('/')[2]}"
                if address not in present:
                    with contextlib.suppress(FileExistsError):
                        netlink.add_address(link.ifindex, address)
        netlink.set_link(link.ifindex, up=True)
        if self._firewall.enabled:
            _sysctl(f"ipv4/conf/{record.bridge}/route_localnet", "1")
        if not record.icc:
            self._filter_bridged()
        if self._ip_forward and not record.internal:
            self._forward(record)

    def _forward(self, record: NetworkRecord) -> None:
        if (_SYSCTL / "ipv4/ip_forward").read_text().strip() != "1":
            _sysctl("ipv4/ip_forward", "1", required=True)
            _log.info("turned on net.ipv4.ip_forward for network %s", record.name)
        everywhere = _SYSCTL / "ipv6/conf/all/forwarding"
        if record.enable_ipv6 and everywhere.read_text().strip() != "1":
            for entry in (_SYSCTL / "ipv6/conf").iterdir():
                # A forwarding host ignores router advertisements unless told 2: keep its address.
                if (entry / "accept_ra").read_text().strip() == "1":
                    _sysctl(f"ipv6/conf/{entry.name}/accept_ra", "2")
            _sysctl("ipv6/conf/all/forwarding", "1", required=True)
            _log.info("turned on net.ipv6.conf.all.forwarding for network %s", record.name)

    def _filter_bridged(self) -> None:
        """icc=false where br_netfilter is loaded: bridged frames meet the rules too.

        Elsewhere the ports are isolated by the bridge itself.
        """
        if bridges_are_filtered():
            _sysctl("bridge/bridge-nf-call-ip6tables", "1")

    def _undo(self, netlink: Netlink, record: NetworkRecord, made: bool) -> None:
        if made and not record.foreign_bridge:
            _delete(netlink, record.bridge)


def rules_of(record: NetworkRecord) -> NetworkRules:
    """What the firewall has to know of a network."""
    return NetworkRules(
        bridge=record.bridge,
        subnets=tuple(subnet.subnet for subnet in _live(record)),
        masquerade=record.masquerade,
        icc=record.icc,
        internal=record.internal,
        modes=(record.gateway_mode(4), record.gateway_mode(6)),
        sources=(
            record.options.get(opt.SOURCE_ADDRESSES[4], ""),
            record.options.get(opt.SOURCE_ADDRESSES[6], ""),
        ),
        trusted=opt.trusted_interfaces(record.options),
    )


def _live(record: NetworkRecord) -> list[Subnet]:
    """The subnets of the IP versions that are on."""
    return [s for s in record.subnets if record.has_version(6 if ":" in s.subnet else 4)]


def _on_bridge(record: NetworkRecord) -> list[Subnet]:
    """Those whose gateway's address the bridge has."""
    found = []
    for subnet in _live(record):
        version = 6 if ":" in subnet.subnet else 4
        inhibited = version == 4 and not record.bridge_addressed
        if not inhibited and record.gateway_mode(version) != "isolated":
            found.append(subnet)
    return found


def bridges_are_filtered() -> bool:
    """Whether br_netfilter shows bridged frames to the rules.

    It then translates a container's call of its own published port before the frame is routed, and
    the frame comes back only through a port with hairpin mode on.
    """
    try:
        return (_SYSCTL / "bridge/bridge-nf-call-iptables").read_text().strip() == "1"
    except FileNotFoundError:
        return False


def host_routes(without: frozenset[str] = frozenset()) -> list[str]:
    """Destinations that the host routes, but for those out of the links named `without`."""
    with Netlink() as netlink:
        ours = {link.ifindex for link in netlink.links() if link.name in without}
        routes = [r.destination for r in netlink.routes() if r.link not in ours]
        return routes + [text for index, text in netlink.addresses() if index not in ours]


def link_addresses(name: str) -> list[str] | None:
    """Addresses (CIDR) of a link, None if there is no such link."""
    with Netlink() as netlink:
        link = netlink.link(name)
        if link is None:
            return None
        return [address for _, address in netlink.addresses(link.ifindex)]


def delete_link(name: str) -> None:
    """Removes a link if it is there."""
    with Netlink() as netlink:
        _delete(netlink, name)


def _check(link: Link, record: NetworkRecord) -> Link:
    if link.kind != "bridge":
        raise NetworkUnavailable(
            f"link {link.name} exists and is no bridge: remove it, or choose another with --bridge"
        )
    return link


def _delete(netlink: Netlink, name: str) -> None:
    link = netlink.link(name)
    if link is None:
        return
    try:
        netlink.delete_link(link.ifindex)
    except SyscallError as error:
        if error.errno != errno.ENODEV:
            raise


def _random_mac() -> str:
    return "02:" + secrets.token_bytes(5).hex(":")


def _sysctl(key: str, value: str, *, required: bool = False) -> None:
    """Writes a sysctl below net; one that the kernel lacks, or that is read-only, is reported."""
    try:
        write_network_sysctl(f"net/{key}", value)
    except OSError as error:
        if required:
            raise SyscallError(error.errno or errno.EIO, "write", f"net/{key}") from error
        if error.errno != errno.ENOENT:
            _log.warning("cannot set net/%s to %s: %s", key, value, error.strerror)
