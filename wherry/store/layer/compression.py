"""Compressed archives, told by their first bytes."""

from typing import IO, Any, Protocol


class Readable(Protocol):
    """A stream that is read from start to end."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""


def decompress(file: Any) -> Readable:
    """The stream inside gzip, zstd, bzip2 or xz, told by its first bytes; else as it is.

    `file` is a buffered binary reader: it is peeked at.
    """
    head = file.peek(6)[:6]
    if head[:2] == b"\x1f\x8b":
        try:
            from isal import igzip
        except ImportError:
            import gzip

            return gzip.GzipFile(fileobj=file)
        stream: Readable = igzip.IGzipFile(fileobj=file)  # type: ignore[no-untyped-call]
        return stream
    if head[:4] == b"\x28\xb5\x2f\xfd":
        import zstandard

        return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
    if head[:3] == b"BZh":
        import bz2

        return bz2.BZ2File(file)
    if head[:6] == b"\xfd7zXZ\x00":
        import lzma

        return lzma.LZMAFile(file)
    plain: Readable = file
    return plain


def gzip_writer(target: IO[bytes]) -> Any:
    """A stream that compresses into a file; the same bytes in give the same bytes out."""
    # No time and no name in the header, so that the same layer has the same digest.
    try:
        from isal import igzip
    except ImportError:
        import gzip

        return gzip.GzipFile("", "wb", 6, target, mtime=0)
    return igzip.IGzipFile("", "wb", 3, target, mtime=0)  # type: ignore[no-untyped-call]
