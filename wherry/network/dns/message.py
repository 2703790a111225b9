"""DNS messages (RFC 1035, EDNS by RFC 6891): as much as a forwarding server must understand.

Everything read here may come from a hostile container or name server: every offset is checked, no
compression pointer is followed, and what does not fit raises MalformedMessage.
"""

import ipaddress
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

Labels = tuple[bytes, ...]
"""A name as its labels in lower case, without the root."""

A, NS, SOA, PTR, AAAA, OPT, DS, DNSKEY, ANY = 1, 2, 6, 12, 28, 41, 43, 48, 255
IN = 1
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = 0, 1, 2, 3, 4, 5

QR, TC, RD, RA, AD, CD = 0x8000, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010
_OPCODE = 0x7800
_DO = 0x8000

PLAIN_SIZE = 512
"""The longest answer over UDP for a client that says nothing of its size (RFC 1035, 4.2.1)."""

LARGEST_UDP = 4096
"""The longest that is sent over UDP whatever a client says: these packets cross no network."""

_HEADER = struct.Struct("!HHHHHH")
_TYPE_CLASS = struct.Struct("!HH")
_FIXED = struct.Struct("!HHIH")
_QUESTION_POINTER = b"\xc0\x0c"
_LONGEST_NAME = 255


class MalformedMessage(ValueError):
    """Bytes that are no DNS message, or one that nobody sends in good faith."""


class Query(NamedTuple):
    """A question as it came. `question` is its wire form, with the letters' case as sent.

    `size` is the client's UDP size in bytes, 0 without EDNS; `options` whether EDNS options (client
    subnet, cookie) make the answer one for this client alone.
    """

    id: int
    flags: int
    labels: Labels
    type: int
    cls: int
    question: bytes
    size: int = 0
    dnssec: bool = False
    options: bool = False

    @property
    def opcode(self) -> int:
        """0 for an ordinary query."""
        return (self.flags & _OPCODE) >> 11

    @property
    def udp_limit(self) -> int:
        """The longest answer in bytes that the client takes over UDP."""
        return min(max(self.size, PLAIN_SIZE), LARGEST_UDP)


class ResourceRecord(NamedTuple):
    """A record's place in a message: `ttl_at` and `data_at` are offsets, `length` in bytes."""

    section: int
    type: int
    ttl: int
    ttl_at: int
    data_at: int
    length: int


def parse_query(data: bytes) -> Query:
    """The one question of a message; raises MalformedMessage."""
    identifier, flags, questions, _, _, _ = _header(data)
    if flags & QR:
        raise MalformedMessage("an answer where a question is expected")
    if questions != 1:
        raise MalformedMessage(f"{questions} questions in one message")
    labels, offset = _read_name(data, _HEADER.size)
    kind, cls = _unpack(_TYPE_CLASS, data, offset)
    end = offset + _TYPE_CLASS.size
    query = Query(identifier, flags, labels, kind, cls, data[_HEADER.size : end])
    for record in records(data):
        if record.type == OPT:
            size = struct.unpack_from("!H", data, record.ttl_at - 2)[0]
            return query._replace(
                size=max(size, PLAIN_SIZE), dnssec=bool(record.ttl & _DO), options=record.length > 0
            )
    return query


def records(data: bytes) -> Iterator[ResourceRecord]:
    """The records of the answer (1), authority (2) and additional (3) sections."""
    _, _, questions, *counts = _header(data)
    offset = _HEADER.size
    for _ in range(questions):
        offset = _skip_name(data, offset) + _TYPE_CLASS.size
    for section, count in enumerate(counts, start=1):
        for _ in range(count):
            offset = _skip_name(data, offset)
            kind, _, ttl, length = _unpack(_FIXED, data, offset)
            data_at = offset + _FIXED.size
            if data_at + length > len(data):
                raise MalformedMessage("a record reaches beyond its message")
            yield ResourceRecord(section, kind, ttl, offset + 4, data_at, length)
            offset = data_at + length


def answers(query: Query, data: bytes) -> bool:
    """Whether bytes from a name server answer this question: its id and question, well formed."""
    try:
        identifier, flags, questions, _, _, _ = _header(data)
        if identifier != query.id or not flags & QR or flags & _OPCODE != query.flags & _OPCODE:
            return False
        if questions == 0:
            return rcode(data) not in (NOERROR, NXDOMAIN)  # some servers say no without repeating
        end = _HEADER.size + len(query.question)
        # Lengths of labels are below the letters, so lower() changes nothing but letters.
        if questions != 1 or data[_HEADER.size : end].lower() != query.question.lower():
            return False
        for _ in records(data):
            pass
    except MalformedMessage:
        return False
    return True


def rcode(data: bytes) -> int:
    """The response code of a message's header."""
    return data[3] & 0xF


def truncated(data: bytes) -> bool:
    """Whether the sender says that there is more."""
    return bool(data[2] & (TC >> 8))


def with_id(data: bytes, identifier: int) -> bytes:
    """The message under another id."""
    return struct.pack("!H", identifier) + data[2:]


def failure(data: bytes, code: int) -> bytes | None:
    """The answer to something that is no valid query; None if even its header is not there."""
    if len(data) < _HEADER.size or data[2] & 0x80:
        return None
    identifier, flags = struct.unpack_from("!HH", data)
    flags = QR | flags & (_OPCODE | RD) | RA | code
    return _HEADER.pack(identifier, flags, 0, 0, 0, 0)


def reply(query: Query, code: int, answer: Sequence[tuple[int, bytes]] = (), ttl: int = 0) -> bytes:
    """An answer to the question itself: records of its own name, as type and data."""
    body = [
        _QUESTION_POINTER + _FIXED.pack(kind, IN, ttl, len(value)) + value for kind, value in answer
    ]
    flags = QR | query.flags & (_OPCODE | RD | CD) | RA | code
    return _assemble(query, flags, body)


def fit(query: Query, data: bytes, limit: int) -> bytes:
    """The message if it is within the limit, else one that sends the client to TCP."""
    if len(data) <= limit:
        return data
    flags = struct.unpack_from("!H", data, 2)[0] | TC
    return _assemble(query, flags, [])


def address_record(address: str) -> tuple[int, bytes]:
    """Type and data of an A or AAAA record."""
    parsed = ipaddress.ip_address(address)
    return (A if parsed.version == 4 else AAAA), parsed.packed


def pointer_record(name: str) -> tuple[int, bytes]:
    """Type and data of a PTR record; raises MalformedMessage for a name with impossible labels."""
    return PTR, encode_name(name)


def encode_name(name: str) -> bytes:
    """A dotted name in wire form, uncompressed."""
    parts = [label.encode() for label in name.rstrip(".").split(".") if label]
    if any(len(part) > 63 for part in parts):
        raise MalformedMessage(f"a label of {name} is longer than 63 bytes")
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def reverse_address(labels: Labels) -> str | None:
    """The address whose name is asked for below in-addr.arpa or ip6.arpa; None if none is."""
    if labels[-2:] == (b"in-addr", b"arpa") and len(labels) == 6:
        text = b".".join(reversed(labels[:4])).decode("ascii", "replace")
    elif labels[-2:] == (b"ip6", b"arpa") and len(labels) == 34:
        digits = b"".join(reversed(labels[:32])).decode("ascii", "replace")
        text = ":".join(digits[at : at + 4] for at in range(0, 32, 4))
    else:
        return None
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _assemble(query: Query, flags: int, body: list[bytes]) -> bytes:
    extra = b""
    if query.size:  # RFC 6891, 7: an answer has EDNS if the question has
        extra = b"\0" + _FIXED.pack(OPT, LARGEST_UDP, _DO if query.dnssec else 0, 0)
    head = _HEADER.pack(query.id, flags, 1, len(body), 0, 1 if extra else 0)
    return b"".join((head, query.question, *body, extra))


def _header(data: bytes) -> tuple[int, int, int, int, int, int]:
    if len(data) < _HEADER.size:
        raise MalformedMessage("shorter than a header")
    return _HEADER.unpack_from(data)


def _unpack(form: struct.Struct, data: bytes, offset: int) -> tuple[int, ...]:
    if offset + form.size > len(data):
        raise MalformedMessage("the message ends in the middle of a record")
    return form.unpack_from(data, offset)


def _read_name(data: bytes, offset: int) -> tuple[Labels, int]:
    """The labels of an uncompressed name and the offset behind it."""
    labels: list[bytes] = []
    start = offset
    while True:
        if offset >= len(data):
            raise MalformedMessage("a name reaches beyond its message")
        length = data[offset]
        if length > 63:
            raise MalformedMessage("compression in a question")
        label = data[offset + 1 : offset + 1 + length]
        offset += 1 + length
        if offset - start > _LONGEST_NAME or len(label) < length:
            raise MalformedMessage("a name is too long")
        if not length:
            return tuple(labels), offset
        labels.append(label.lower())


def _skip_name(data: bytes, offset: int) -> int:
    """The offset behind a name, compressed or not."""
    start = offset
    while offset < len(data):
        length = data[offset]
        if length >= 0xC0:
            return offset + 2
        if length > 63 or offset - start > _LONGEST_NAME:
            break
        offset += 1 + length
        if not length:
            return offset
    raise MalformedMessage("a name that cannot be")
