"""Interfaces of a running container: added, removed and routed anew, in a child of the zygote.

The child makes the host's half where it is, then joins the container's network namespace (and the
user namespace that owns it) for the other half. It is asked again after a crash of the daemon, so
what is gone already is no error.
"""

import contextlib
import errno
import os
from collections.abc import Callable, Iterator, Sequence

import msgspec

from wherry.base.errors import NotFound
from wherry.linux.namespace import CLONE_NEWNET
from wherry.linux.netlink.route import Netlink
from wherry.linux.process import process_start_time
from wherry.linux.syscall import SyscallError
from wherry.model.interface import DefaultRoute, Interface, LinkChange
from wherry.runtime.enter import join_namespaces
from wherry.runtime.errors import StartFailed
from wherry.runtime.links import add_interface, configure_interface, temporary_name

_ENDED = "the container has ended meanwhile"


class PlugRequest(msgspec.Struct, frozen=True):
    """A change to the interfaces of the container whose first process is `pid`.

    `start_time` is the kernel's, in ticks: another process may have got the number since.
    """

    pid: int
    start_time: int
    change: LinkChange


def plug_task(parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]) -> bytes:
    """Carries out a PlugRequest, all of it or nothing."""
    request = msgspec.json.decode(parameters, type=PlugRequest)
    change = request.change
    process = _open(request)
    try:
        if change.add is not None:
            add_interface(change.add, request.pid)
        join_namespaces(process, request.pid, CLONE_NEWNET)
    except (OSError, StartFailed) as error:
        if _has_ended(request):
            raise NotFound(_ENDED) from error
        raise
    finally:
        os.close(process)
    with Netlink() as netlink:
        try:
            _apply(netlink, change)
        except BaseException:
            _take_back(netlink, change)
            raise
    return b""


def _open(request: PlugRequest) -> int:
    """A pidfd of the container's first process."""
    try:
        process = os.pidfd_open(request.pid)
    except ProcessLookupError:
        process = -1
    if process < 0 or _has_ended(request):
        raise NotFound(_ENDED)
    return process


def _has_ended(request: PlugRequest) -> bool:
    """Whether the process is gone; one that nobody has waited for yet has no namespaces."""
    return process_start_time(request.pid) != request.start_time or not os.path.exists(
        f"/proc/{request.pid}/ns/net"
    )


def _apply(netlink: Netlink, change: LinkChange) -> None:
    if change.remove:
        _delete(netlink, change.remove)
    _drop_routes(netlink, change.lost)
    if change.add is not None:
        configure_interface(change.add)
    _add_routes(netlink, change.gained)


def _take_back(netlink: Netlink, change: LinkChange) -> None:
    if change.add is not None:
        for name in _names(change.add):
            with contextlib.suppress(SyscallError):
                _delete(netlink, name)
    with contextlib.suppress(SyscallError, StartFailed):
        _add_routes(netlink, change.lost)


def _names(interface: Interface) -> Iterator[str]:
    yield interface.name
    yield temporary_name(interface)


def _delete(netlink: Netlink, name: str) -> None:
    link = netlink.link(name)
    if link is None:
        return
    try:
        netlink.delete_link(link.ifindex)
    except SyscallError as error:
        if error.errno != errno.ENODEV:
            raise


def _drop_routes(netlink: Netlink, routes: Sequence[DefaultRoute]) -> None:
    for route in routes:
        link = netlink.link(route.interface)
        if link is None:
            continue  # it took its routes with it
        try:
            netlink.delete_route(route.destination, gateway=route.gateway, link=link.ifindex)
        except SyscallError as error:
            if error.errno != errno.ESRCH:
                raise


def _add_routes(netlink: Netlink, routes: Sequence[DefaultRoute]) -> None:
    for route in routes:
        link = netlink.link(route.interface)
        if link is None:
            raise StartFailed(f"interface {route.interface} of the container is gone")
        try:
            netlink.add_route(route.destination, gateway=route.gateway, link=link.ifindex)
        except SyscallError as error:
            if error.errno != errno.EEXIST:
                raise
