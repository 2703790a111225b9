"""The daemon's listening sockets: taken over from an earlier daemon's holder, or made anew."""

import json
import os
import socket
import stat
from collections.abc import Sequence
from pathlib import Path

from wherry.supervisor.client import Supervisor, Task
from wherry.wire.server.holder import HeldListeners, take_listeners
from wherry.wire.server.listeners import give_access, open_listener, remove_sockets

HOLD_TASK = "socket.hold"
_SECONDS = 10.0
_UNIX = "unix://"


class FrontDoor:
    """Opens and closes what clients connect to; blocking, for pools."""

    def __init__(
        self, hosts: Sequence[str], group: str, exec_root: Path, supervisor: Supervisor
    ) -> None:
        self._hosts = hosts
        self._group = group
        self._exec_root = exec_root
        self._supervisor = supervisor
        self._served: list[str] = []
        self._held: HeldListeners | None = None
        self._holder: Task | None = None

    def open(self) -> list[socket.socket]:
        """The listening sockets of all hosts; raises as `open_listener`."""
        unix = [host for host in self._hosts if host.startswith(_UNIX)]
        held = take_listeners(self._exec_root)
        if held and (set(held.listeners) != set(unix) or not all(map(_is_there, unix))):
            held.release()
            held = None
        found: list[socket.socket] = []
        fresh: dict[str, socket.socket] = {}
        for host in self._hosts:
            if held and host in held.listeners:
                give_access(host.removeprefix(_UNIX), self._group)
                self._served.append(host)
                found.append(held.listeners[host])
                continue
            opened = open_listener(host, group=self._group)
            self._served.append(host)
            found += opened
            if host.startswith(_UNIX):  # those of fd:// are held by systemd
                fresh[host] = opened[0]
        self._held = held or (self._hold(fresh) if fresh else None)
        return found

    def close(self, *, keep: bool) -> None:
        """Ends the sockets; or leaves those of unix hosts to their holder for the next daemon."""
        if self._held and keep:
            self._held.leave()
            return
        if self._held:
            self._held.release()
        remove_sockets(self._served)  # never one that another daemon serves

    def _hold(self, listeners: dict[str, socket.socket]) -> HeldListeners | None:
        """Starts a holder of the sockets and becomes its daemon."""
        parameters = json.dumps([str(self._exec_root), list(listeners)]).encode()
        descriptors = [item.fileno() for item in listeners.values()]
        self._holder = self._supervisor.run_task(HOLD_TASK, parameters, descriptors, outlive=True)
        self._holder.next_frame(_SECONDS)
        found = take_listeners(self._exec_root)
        if found:
            for copy in found.listeners.values():
                copy.close()
        return found


def _is_there(host: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(host.removeprefix(_UNIX)).st_mode)
    except OSError:
        return False
