"""Answers of name servers, kept as long as they say, within bounds."""

import struct
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple

from wherry.network.dns import message as m

LONGEST = 3600
"""Seconds that an answer is kept at most."""

LONGEST_NEGATIVE = 60
"""Seconds that the absence of a name is believed at most: it may be made any moment."""

_LARGEST = 8192


class _Entry(NamedTuple):
    data: bytes
    ttls: tuple[tuple[int, int], ...]
    kept_at: float
    ends_at: float


class Cache:
    """The latest answers, oldest use out first; TTLs count down while they are kept."""

    def __init__(self, size: int = 4096, clock: Callable[[], float] = time.monotonic) -> None:
        """`size` is how many answers are kept."""
        self._size = size
        self._clock = clock
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> bytes | None:
        """The answer kept under a key, with what is left of its TTLs; its id is an old one."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        now = self._clock()
        if now >= entry.ends_at:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        age = int(now - entry.kept_at)
        data = bytearray(entry.data)
        for offset, ttl in entry.ttls:
            struct.pack_into("!I", data, offset, max(ttl - age, 0))
        return bytes(data)

    def put(self, key: Hashable, data: bytes) -> None:
        """Keeps a well-formed answer, unless it may not be kept."""
        found = list(m.records(data))
        seconds = lifetime(data, found)
        if seconds <= 0 or len(data) > _LARGEST or m.truncated(data):
            return
        now = self._clock()
        ttls = tuple((item.ttl_at, item.ttl) for item in found if item.type != m.OPT)
        self._entries[key] = _Entry(data, ttls, now, now + seconds)
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        """Forgets everything: the host has other name servers now."""
        self._entries.clear()


def lifetime(data: bytes, found: list[m.ResourceRecord]) -> int:
    """Seconds that an answer may be kept: the least TTL, or for an absence RFC 2308's."""
    ttls = [_seconds(item.ttl) for item in found if item.section == 1]
    code = m.rcode(data)
    if code == m.NOERROR and ttls:
        return min(*ttls, LONGEST)
    if code not in (m.NOERROR, m.NXDOMAIN):
        return 0
    for item in found:
        if item.section == 2 and item.type == m.SOA and item.length >= 20:
            minimum = struct.unpack_from("!I", data, item.data_at + item.length - 4)[0]
            return min(_seconds(item.ttl), _seconds(minimum), *ttls, LONGEST_NEGATIVE)
    return 0


def _seconds(ttl: int) -> int:
    """RFC 2181, 8: a TTL with its highest bit set is 0."""
    return 0 if ttl >= 1 << 31 else ttl
