"""The codec of DNS messages: what it reads, what it writes, and that nothing can hurt it."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.network.dns import message as m


def ask(name: str, kind: int = m.A, *, size: int = 0, flags: int = m.RD, options: int = 0) -> bytes:
    """A query in wire form; `size` asks with EDNS, `options` are bytes of EDNS options."""
    data = struct.pack("!HHHHHH", 0x1234, flags, 1, 0, 0, 1 if size else 0)
    data += m.encode_name(name) + struct.pack("!HH", kind, m.IN)
    if size:
        data += b"\0" + struct.pack("!HHIH", m.OPT, size, 0, options) + bytes(options)
    return data


def test_a_question_is_read_with_its_letters_in_lower_case() -> None:
    query = m.parse_query(ask("Web.Example", m.AAAA))
    assert (query.id, query.labels, query.type) == (0x1234, (b"web", b"example"), m.AAAA)
    assert query.question.startswith(b"\x03Web\x07Example\0")


def test_edns_raises_the_limit_up_to_what_is_sent_at_all() -> None:
    assert m.parse_query(ask("a")).udp_limit == 512
    assert m.parse_query(ask("a", size=1232)).udp_limit == 1232
    assert m.parse_query(ask("a", size=100)).udp_limit == 512
    assert m.parse_query(ask("a", size=65535)).udp_limit == 4096
    assert m.parse_query(ask("a", size=1232, options=4)).options


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 11,
        ask("a", flags=m.QR),
        ask("a")[:-1],
        ask("a").replace(b"\0\1\0\0\0\0\0\0", b"\0\2\0\0\0\0\0\0"),
        ask("a")[:12] + b"\xc0\x0c\0\1\0\1",
        ask("a")[:12] + b"\x3f" * 300,
        ask("a", size=512)[:-1],
        ask(".".join(["a" * 63] * 5)),
    ],
)
def test_what_is_no_question_is_refused(data: bytes) -> None:
    with pytest.raises(m.MalformedMessage):
        m.parse_query(data)


@given(st.binary(max_size=600))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    for read in (m.parse_query, lambda item: list(m.records(item))):
        try:
            read(data)
        except m.MalformedMessage:
            pass
    m.failure(data, m.FORMERR)
    m.answers(m.parse_query(ask("web")), data)


@given(st.integers(0, 60), st.binary(min_size=1, max_size=4))
def test_no_change_of_a_true_answer_does_more_than_be_refused(place: int, change: bytes) -> None:
    query = m.parse_query(ask("web", size=1232))
    data = bytearray(m.reply(query, m.NOERROR, [m.address_record("10.0.0.1")], 5))
    data[place : place + len(change)] = change
    m.answers(query, bytes(data))


def test_an_answer_repeats_the_question_and_carries_edns_only_if_asked() -> None:
    query = m.parse_query(ask("Web", size=1232))
    data = m.reply(query, m.NOERROR, [m.address_record("10.0.0.1")], 7)
    assert m.answers(query, data)
    found = list(m.records(data))
    assert [(item.section, item.type, item.ttl) for item in found] == [(1, m.A, 7), (3, m.OPT, 0)]
    plain = m.reply(m.parse_query(ask("Web")), m.NXDOMAIN)
    assert m.rcode(plain) == m.NXDOMAIN
    assert list(m.records(plain)) == []


def test_an_answer_to_another_question_is_not_taken() -> None:
    query = m.parse_query(ask("web"))
    assert m.answers(query, m.reply(m.parse_query(ask("WEB")), m.NOERROR))
    for other in (ask("wep"), ask("web", m.AAAA)):
        assert not m.answers(query, m.reply(m.parse_query(other), m.NOERROR))
    assert not m.answers(query, m.with_id(m.reply(query, m.NOERROR), 1))
    assert not m.answers(query, ask("web"))


def test_what_does_not_fit_sends_the_client_to_tcp() -> None:
    query = m.parse_query(ask("web"))
    data = m.reply(query, m.NOERROR, [m.address_record("10.0.0.1")] * 40, 5)
    assert len(data) > 512
    short = m.fit(query, data, query.udp_limit)
    assert m.truncated(short) and not m.truncated(data)
    assert len(short) < 512
    assert m.fit(query, data, 65535) == data


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("4.3.2.1.in-addr.arpa", "1.2.3.4"),
        (f"1.{'0.' * 29}d.f.ip6.arpa", "fd00::1"),
        ("3.2.1.in-addr.arpa", None),
        ("x.3.2.1.in-addr.arpa", None),
        ("300.3.2.1.in-addr.arpa", None),
        ("web.example", None),
    ],
)
def test_names_of_addresses_are_read(name: str, address: str | None) -> None:
    assert m.reverse_address(m.parse_query(ask(name, m.PTR)).labels) == address
