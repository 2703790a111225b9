"""Network namespaces for tests: each is a thread of its own, so that sockets are plain calls."""

import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from wherry.linux.namespace import CLONE_NEWNET, namespace_fd, setns, unshare
from wherry.linux.netlink.route import Netlink, write_network_sysctl
from wherry.model.interface import Interface

P = ParamSpec("P")
R = TypeVar("R")


class NetworkNamespace:
    """A thread that has left for a new network namespace, with its loopback up."""

    def __init__(self, *, pid: int = 0) -> None:
        """With `pid` the namespace is that process's, not a new one."""
        self._thread = ThreadPoolExecutor(max_workers=1)
        if pid:
            self.run(self._join, pid)
        else:
            self.run(unshare, CLONE_NEWNET)
            self.run(self._loopback_up)

    def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls a function inside the namespace and waits for its result."""
        return self._thread.submit(function, *args, **kwargs).result()

    @contextlib.contextmanager
    def descriptor(self) -> Iterator[int]:
        """A descriptor of the namespace."""
        fd = self.run(os.open, "/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield fd
        finally:
            os.close(fd)

    def close(self) -> None:
        """Ends the thread; the kernel then removes the namespace and its links."""
        self._thread.shutdown()

    def __enter__(self) -> "NetworkNamespace":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @staticmethod
    def _join(pid: int) -> None:
        fd = namespace_fd(pid, "network")
        try:
            setns(fd, CLONE_NEWNET)
        finally:
            os.close(fd)

    @staticmethod
    def _loopback_up() -> None:
        with Netlink() as netlink:
            netlink.set_link(1, up=True)


def connect(left: NetworkNamespace, right: NetworkNamespace, name: str, peer: str) -> None:
    """Joins two namespaces with a pair of links."""
    with right.descriptor() as fd:
        left.run(_add_pair, name, peer, fd, "")


def plug(host: NetworkNamespace, container: NetworkNamespace, interface: Interface) -> None:
    """Makes an interface in a container's namespace, as the runtime does."""
    with container.descriptor() as fd:
        host.run(
            _add_pair,
            interface.host_name,
            interface.name,
            fd,
            interface.parent,
            hairpin=interface.hairpin,
            isolated=interface.isolated,
        )
    container.run(configure, interface)


def configure(interface: Interface) -> None:
    """Gives a link of the caller's namespace what an Interface says."""
    for key, value in interface.sysctls.items():
        write_network_sysctl(key, value)
    with Netlink() as netlink:
        link = netlink.link(interface.name)
        assert link is not None
        netlink.set_link(link.ifindex, up=True, mac=interface.mac)
        for address in interface.addresses:
            netlink.add_address(link.ifindex, address)
        for route in interface.routes:
            netlink.add_route(route.destination, gateway=route.gateway, link=link.ifindex)


def _add_pair(
    name: str, peer: str, namespace: int, bridge: str, *, hairpin: bool = False,
    isolated: bool = False,
) -> None:  # fmt: skip
    with Netlink() as netlink:
        master = netlink.link(bridge) if bridge else None
        netlink.add_veth(
            name,
            peer,
            peer_namespace=namespace,
            master=master.ifindex if master else 0,
            up=True,
        )
        link = netlink.link(name)
        if hairpin and link:
            netlink.set_hairpin(link.ifindex, True)
        if isolated and link:
            netlink.set_isolated(link.ifindex, True)
