"""Answers are kept as long as they say, and no longer."""

import struct

from tests.unit.network.dns.test_message import ask
from wherry.network.dns import message as m
from wherry.network.dns.cache import Cache

QUERY = m.parse_query(ask("web.example"))


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def absence(ttl: int, minimum: int) -> bytes:
    """NXDOMAIN with a start of authority in the authority section."""
    data = bytearray(m.reply(QUERY, m.NXDOMAIN))
    data[8:10] = b"\0\1"
    value = b"\0\0" + struct.pack("!IIIII", 1, 2, 3, 4, minimum)
    return bytes(data) + b"\0" + struct.pack("!HHIH", m.SOA, m.IN, ttl, len(value)) + value


def presence(*ttls: int) -> bytes:
    data = bytearray(m.reply(QUERY, m.NOERROR))
    data[6:8] = struct.pack("!H", len(ttls))
    for ttl in ttls:
        data += b"\xc0\x0c" + struct.pack("!HHIH", m.A, m.IN, ttl, 4) + b"\x0a\0\0\1"
    return bytes(data)


def kept_for(data: bytes) -> int:
    """Seconds that an answer is kept."""
    clock = Clock()
    cache = Cache(clock=clock)
    cache.put("key", data)
    began = clock.now
    while cache.get("key") is not None:
        clock.now += 1
    return int(clock.now - began)


def test_an_answer_is_kept_for_its_least_ttl_and_counts_down() -> None:
    assert kept_for(presence(30, 20)) == 20
    clock = Clock()
    cache = Cache(clock=clock)
    cache.put("key", presence(30, 20))
    clock.now += 5
    found = cache.get("key")
    assert found is not None
    assert [item.ttl for item in m.records(found)] == [25, 15]


def test_long_ttls_are_bounded_and_impossible_ones_are_none() -> None:
    assert kept_for(presence(90000)) == 3600
    assert kept_for(presence(0)) == 0
    assert kept_for(presence(1 << 31)) == 0


def test_an_absence_is_kept_as_its_authority_says_within_a_minute() -> None:
    assert kept_for(absence(30, 7)) == 7
    assert kept_for(absence(3, 7)) == 3
    assert kept_for(absence(9000, 9000)) == 60
    assert kept_for(m.reply(QUERY, m.NXDOMAIN)) == 0


def test_failures_and_cut_answers_are_not_kept() -> None:
    assert kept_for(m.reply(QUERY, m.SERVFAIL)) == 0
    cut = bytearray(presence(30))
    cut[2] |= m.TC >> 8
    assert kept_for(bytes(cut)) == 0


def test_what_was_used_longest_ago_goes_first() -> None:
    cache = Cache(2, clock=Clock())
    for key in ("one", "two"):
        cache.put(key, presence(30))
    assert cache.get("one") is not None
    cache.put("three", presence(30))
    assert cache.get("two") is None
    assert cache.get("one") is not None
    assert len(cache) == 2
