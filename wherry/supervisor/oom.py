"""Processes that the kernel killed for want of memory: counted while the container lives.

On version 2 they are counted as they happen, since systemd may remove the group of a container as
soon as its last process is gone, before its monitor has looked.
"""

import errno
import os
import select
from collections.abc import Callable

from wherry.linux.cgroup.group import Cgroup
from wherry.supervisor.loop import Loop


class OomWatch:
    """The count of one container's group, and who is told when it rises."""

    def __init__(self, loop: Loop, tell: Callable[[], None]) -> None:
        self._loop = loop
        self._tell = tell
        self._group: Cgroup | None = None
        self._events = -1
        self._kills = 0

    def start(self, group: Cgroup) -> None:
        """Begins to watch a group with the container in it."""
        self._group = group
        try:
            self._events = group.open_memory_events()
        except FileNotFoundError:  # version 1, no memory controller, or all over already
            return
        self._loop.watch(self._events, select.EPOLLPRI, lambda _: self._read())
        self._read()

    def finish(self) -> int:
        """The last count, after the container's first process has ended."""
        if self._events >= 0:
            self._read()
        elif self._group:
            self._count(self._group.oom_kills())
        self._close()
        return self._kills

    def _read(self) -> None:
        try:
            text = os.pread(self._events, 4096, 0).decode()
        except OSError as error:
            if error.errno != errno.ENODEV:
                raise
            self._close()  # the group is gone, and its file with it
            return
        for line in text.splitlines():
            key, _, value = line.partition(" ")
            if key == "oom_kill":
                self._count(int(value))

    def _count(self, kills: int) -> None:
        if kills > self._kills:
            self._kills = kills
            self._tell()

    def _close(self) -> None:
        if self._events >= 0:
            self._loop.forget(self._events)
            os.close(self._events)
            self._events = -1
