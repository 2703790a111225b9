"""Operations on the network: the host's half of an interface, and init's half."""

import contextlib
import errno
import os

from wherry.linux.namespace import namespace_fd
from wherry.linux.netlink.route import Netlink, link_index, write_network_sysctl
from wherry.linux.syscall import SyscallError
from wherry.model.interface import Interface
from wherry.runtime import operations as op
from wherry.runtime.context import Context, decode_report
from wherry.runtime.errors import StartFailed


def temporary_name(interface: Interface) -> str:
    """The name of a link until init gives it its own: unique beside others on their way."""
    return f"{interface.host_name or 'if'}p"[:15]


def make_link(step: op.MakeLink, context: Context) -> None:
    """Makes a veth pair, macvlan or ipvlan with its end in init's namespace."""
    add_interface(step.interface, context.init_pid)


def add_interface(interface: Interface, pid: int) -> None:
    """Makes an interface in the network namespace of a process; raises StartFailed."""
    namespace = namespace_fd(pid, "network")
    try:
        with Netlink() as netlink:
            _add(netlink, interface, namespace)
    except SyscallError as error:
        raise StartFailed(
            f"cannot make interface {interface.name} on {interface.parent}: {error}"
        ) from error
    finally:
        os.close(namespace)


def _add(netlink: Netlink, interface: Interface, namespace: int) -> None:
    name = temporary_name(interface)
    parent = link_index(interface.parent) if interface.parent else 0
    if interface.kind == "veth":
        netlink.add_veth(
            interface.host_name, name, peer_namespace=namespace, mtu=interface.mtu,
            peer_mac=interface.mac, master=parent, up=True,
        )  # fmt: skip
        if interface.hairpin:
            netlink.set_hairpin(link_index(interface.host_name), True)
        if interface.isolated:
            netlink.set_isolated(link_index(interface.host_name), True)
    elif interface.kind == "macvlan":
        netlink.add_macvlan(name, parent, interface.mode, namespace=namespace, mac=interface.mac)
    elif interface.kind == "ipvlan":
        netlink.add_ipvlan(name, parent, interface.mode, flag=interface.flag, namespace=namespace)
    else:
        raise StartFailed(f"interface {interface.name} is of unknown kind {interface.kind}")


def raise_loopback(step: op.RaiseLoopback, context: Context) -> None:
    """Turns `lo` on, which gives it 127.0.0.1 and ::1.

    An engine without CAP_NET_ADMIN cannot, and has said at its start that it offers no network: a
    container with none runs all the same.
    """
    with Netlink() as netlink:
        try:
            netlink.set_link(1, up=True)
        except SyscallError as error:
            if error.errno != errno.EPERM:
                raise


def await_links(step: op.AwaitLinks, context: Context) -> None:
    """Waits for the monitor's word; its end of the channel closed means that it gave up."""

    data = context.channel.recv(1 << 16)
    if not data:
        raise SystemExit(1)
    report = decode_report(data)
    if report.stage != "links":
        raise StartFailed(f"unexpected message from the monitor: {report.stage}")


def configure_link(step: op.ConfigureLink, context: Context) -> None:
    """Names the interface, gives it addresses and routes."""
    configure_interface(step.interface)


def configure_interface(interface: Interface) -> None:
    """The container's half, in its network namespace; raises StartFailed naming the step."""
    try:
        with Netlink() as netlink:
            index = link_index(temporary_name(interface))
            netlink.set_link(index, name=interface.name)
            _write_sysctls(interface)
            for address in interface.addresses:
                netlink.add_address(index, address)
            _announce(interface, True)
            netlink.set_link(index, up=True, mtu=interface.mtu)
            _announce(interface, False)
            for route in interface.routes:
                netlink.add_route(route.destination, gateway=route.gateway, link=index)
    except SyscallError as error:
        raise StartFailed(f"cannot set up interface {interface.name}: {error}") from error


def _announce(interface: Interface, on: bool) -> None:
    """Whether the kernel tells the neighbours of the addresses when the link comes up.

    An address may have had another MAC a moment ago, which they remember (arp_notify of
    Documentation/networking/ip-sysctl.rst).
    """
    with contextlib.suppress(FileNotFoundError, PermissionError):
        write_network_sysctl(f"net/ipv4/conf/{interface.name}/arp_notify", "1" if on else "0")


def _write_sysctls(interface: Interface) -> None:
    """IPv6 router advertisements are refused (CVE-2020-13401); then what the user asked for."""
    base = f"net/ipv6/conf/{interface.name}"
    has_ipv6 = any(":" in address for address in interface.addresses)
    settings = {f"{base}/accept_ra": "0", f"{base}/disable_ipv6": "0" if has_ipv6 else "1"}
    for key, value in settings.items():
        try:
            write_network_sysctl(key, value)
        except FileNotFoundError:
            continue  # a kernel without IPv6
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.EACCES):
                raise
    for key, value in interface.sysctls.items():
        path = key.replace(".", "/").replace("IFNAME", interface.name)
        write_network_sysctl(path, value)
