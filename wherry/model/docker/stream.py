"""Docker's framing of a process's two outputs on one connection (stdcopy)."""

STREAM_NUMBERS = {"stdin": 0, "stdout": 1, "stderr": 2, "systemerr": 3}
"""The first byte of a frame's header, by stream."""

HEADER_SIZE = 8


def frame(stream: str, data: bytes) -> bytes:
    """Data with its header: the stream's number, three zero bytes, the length in big endian."""
    return bytes((STREAM_NUMBERS[stream], 0, 0, 0)) + len(data).to_bytes(4, "big") + data
