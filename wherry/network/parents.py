"""Links of the host below macvlan and ipvlan networks, and VLAN links made for them."""

import errno
import logging

from wherry.base.errors import InvalidParameter
from wherry.linux.netlink.route import Netlink
from wherry.linux.syscall import SyscallError
from wherry.network.errors import NetworkUnavailable
from wherry.network.record import NetworkRecord

_log = logging.getLogger(__name__)

VLAN_IDS = range(1, 4095)


def ensure_parent(record: NetworkRecord) -> bool:
    """Sees to it that the parent is there and up; True if it was made for this network.

    A missing parent of the name LINK.ID becomes a VLAN link over LINK, as with dockerd. Raises
    InvalidParameter for a parent that cannot be, NetworkUnavailable for what the kernel lacks.
    """
    with Netlink() as netlink:
        _probe(netlink, record)
        link = netlink.link(record.bridge)
        made = link is None
        if link is None:
            _make_vlan(netlink, record)
            link = netlink.link(record.bridge)
        if link is not None and not link.up:
            netlink.set_link(link.ifindex, up=True)
        return made


def remove_parent(record: NetworkRecord) -> None:
    """Removes the VLAN link that was made for a network."""
    with Netlink() as netlink:
        link = netlink.link(record.bridge)
        if link is None or link.kind != "vlan":
            return
        try:
            netlink.delete_link(link.ifindex)
        except SyscallError as error:
            if error.errno != errno.ENODEV:
                _log.warning("cannot remove link %s: %s", record.bridge, error)


def _probe(netlink: Netlink, record: NetworkRecord) -> None:
    """Asks the kernel for a link of the kind over the loopback, which it always refuses."""
    try:
        if record.driver == "macvlan":
            netlink.add_macvlan("wherry-probe", 1, "bridge")
        else:
            netlink.add_ipvlan("wherry-probe", 1, "l2")
    except SyscallError as error:
        if error.errno == errno.EOPNOTSUPP:
            raise NetworkUnavailable(
                f"network {record.name}: this kernel has no {record.driver} links: load the module "
                f"{record.driver}, or use driver bridge"
            ) from None
        return
    probe = netlink.link("wherry-probe")
    if probe is not None:
        netlink.delete_link(probe.ifindex)


def _make_vlan(netlink: Netlink, record: NetworkRecord) -> None:
    base, dot, number = record.bridge.rpartition(".")
    if not dot or not base or not number.isdecimal():
        raise InvalidParameter(
            f"parent link {record.bridge} of network {record.name} does not exist: name a link of "
            "the host, or a VLAN of one such as eth0.10"
        )
    if int(number) not in VLAN_IDS:
        raise InvalidParameter(f"vlan id must be between 1-4094, received: {number}")
    below = netlink.link(base)
    if below is None:
        raise InvalidParameter(
            f"failed to find master interface {base} on the host for VLAN {number} of network "
            f"{record.name}"
        )
    try:
        netlink.add_vlan(record.bridge, below.ifindex, int(number))
    except SyscallError as error:
        if error.errno == errno.EOPNOTSUPP:
            raise NetworkUnavailable(
                f"cannot make VLAN link {record.bridge} for network {record.name}: this kernel has "
                "no VLAN links (module 8021q); make the link by other means and name it as parent"
            ) from None
        raise NetworkUnavailable(
            f"cannot make VLAN link {record.bridge} for network {record.name}: {error}"
        ) from error
