"""Watches on files: inotify(7)."""

import os
import struct
from typing import NamedTuple

from wherry.linux.syscall import syscall

IN_MODIFY = 0x2
IN_ATTRIB = 0x4
IN_CLOSE_WRITE = 0x8
IN_MOVED_FROM = 0x40
IN_MOVED_TO = 0x80
IN_CREATE = 0x100
IN_DELETE = 0x200
IN_DELETE_SELF = 0x400
IN_MOVE_SELF = 0x800

_EVENT = struct.Struct("iIII")


class Event(NamedTuple):
    """What happened: the watch, its mask, and the name inside a watched directory."""

    watch: int
    mask: int
    name: str


class Inotify:
    """One inotify instance; its descriptor is readable when events wait."""

    def __init__(self) -> None:
        self._descriptor = syscall("inotify_init1", os.O_CLOEXEC | os.O_NONBLOCK)

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._descriptor

    def watch(self, path: str, mask: int) -> int:
        """Begins to watch a path; returns the number that its events carry."""
        return syscall("inotify_add_watch", self._descriptor, os.fsencode(path), mask, path=path)

    def read(self) -> list[Event]:
        """The events that wait; an empty list if none does."""
        try:
            data = os.read(self._descriptor, 1 << 16)
        except BlockingIOError:
            return []
        events: list[Event] = []
        offset = 0
        while offset < len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, offset)
            offset += _EVENT.size
            name = os.fsdecode(data[offset : offset + length].rstrip(b"\0"))
            offset += length
            events.append(Event(watch, mask, name))
        return events

    def close(self) -> None:
        """Ends all watches."""
        os.close(self._descriptor)
