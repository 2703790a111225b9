"""The user's terminal: raw mode, size, and the keys that detach. POSIX parts load when used."""

from __future__ import annotations

import os
import sys

from wherry.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

DEFAULT_DETACH_KEYS = b"\x10\x11"
_CONTROL = {"@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31}


class RawTerminal:
    """Within this context the terminal hands every key through, as cfmakeraw(3) sets it."""

    def __init__(self, descriptor: int, enabled: bool) -> None:
        self._descriptor = descriptor
        self._enabled = enabled and not sys.platform.startswith("win")
        self._saved: list[Any] | None = None

    def __enter__(self) -> RawTerminal:
        if self._enabled:
            import termios

            self._saved = termios.tcgetattr(self._descriptor)
            mode = termios.tcgetattr(self._descriptor)
            mode[0] &= ~(
                termios.IGNBRK
                | termios.BRKINT
                | termios.PARMRK
                | termios.ISTRIP
                | termios.INLCR
                | termios.IGNCR
                | termios.ICRNL
                | termios.IXON
            )
            mode[1] &= ~termios.OPOST
            mode[2] = mode[2] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
            mode[3] &= ~(
                termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN
            )
            mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
            termios.tcsetattr(self._descriptor, termios.TCSANOW, mode)
        return self

    def restore(self) -> None:
        """Gives the terminal back as it was."""
        if self._saved is not None:
            import termios

            termios.tcsetattr(self._descriptor, termios.TCSANOW, self._saved)
            self._saved = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.restore()


def terminal_size(descriptor: int = 1) -> tuple[int, int]:
    """(height, width); zeros where there is no terminal."""
    try:
        size = os.get_terminal_size(descriptor)
    except (OSError, ValueError):
        return 0, 0
    return size.lines, size.columns


def parse_detach_keys(text: str) -> bytes:
    """`ctrl-p,ctrl-q` or single characters, separated by commas (moby/term `ToBytes`)."""
    keys = b""
    for key in text.split(","):
        if len(key) == 1:
            keys += key.encode()
            continue
        mark = key.removeprefix("ctrl-")
        if key.startswith("ctrl-") and len(mark) == 1:
            if "a" <= mark <= "z":
                keys += bytes([ord(mark) - ord("a") + 1])
                continue
            if mark in _CONTROL:
                keys += bytes([_CONTROL[mark]])
                continue
        raise CliError(f"Unknown character: '{key}'")
    return keys


def check_detach_keys(text: str) -> None:
    """Raises CliError for keys that cannot be read."""
    if text:
        try:
            parse_detach_keys(text)
        except CliError as error:
            raise CliError(f"invalid detach keys ({text}): {error.message}") from error


class DetachFilter:
    """Holds back what may be the beginning of the keys that detach."""

    def __init__(self, keys: bytes) -> None:
        self._keys = keys or DEFAULT_DETACH_KEYS
        self._matched = 0

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """(what to send, whether the user detached)."""
        passed = bytearray()
        for byte in data:
            if byte == self._keys[self._matched]:
                self._matched += 1
                if self._matched == len(self._keys):
                    return bytes(passed), True
                continue
            if self._matched:
                passed += self._keys[: self._matched]
                self._matched = 0
                if byte == self._keys[0]:
                    self._matched = 1
                    continue
            passed.append(byte)
        return bytes(passed), False
