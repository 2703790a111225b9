"""Where bodies end, and where they can have no end."""

import pytest

from wherry.wire.server.body import BodyLength


def test_a_body_of_known_length_ends_there() -> None:
    body = BodyLength(5, chunked=False)
    assert (body.take(b"abc"), body.done) == (3, False)
    assert (body.take(b"deNEXT"), body.done) == (2, True)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 100])
def test_chunks_end_after_the_trailer_however_they_come(step: int) -> None:
    data = b"5;x=y\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\nNEXT"
    body = BodyLength(3000, chunked=True)
    used = 0
    while not body.done:
        used += body.take(data[used : used + step])
    assert data[used:] == b"NEXT"
    assert not body.broken


@pytest.mark.parametrize(
    "data", [b"zz\r\n", b"-5\r\n", b"0x5\r\n", b"f" * 16 + b"\r\n", b"1" * 5000]
)
def test_a_chunk_without_a_size_is_broken(data: bytes) -> None:
    body = BodyLength(0, chunked=True)
    body.take(data)
    assert body.broken
