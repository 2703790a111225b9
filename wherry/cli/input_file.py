"""Reading what is uploaded."""

from __future__ import annotations

import os

from wherry.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 18


def open_input(path: str) -> int:
    """A descriptor to read a file from."""
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise CliError(f"open {path}: {(error.strerror or '').lower()}") from error


def file_chunks(descriptor: int) -> Iterator[bytes]:
    """Everything from a descriptor, in pieces."""
    while data := os.read(descriptor, _CHUNK):
        yield data
