"""A program on a pseudo-terminal, as a person has it before them."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from typing import Any

_PATIENCE = 30.0


class Terminal:
    """Runs a command in a terminal of `rows` by `columns`; to be used as a context."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str],
        rows: int = 24, columns: int = 80,
    ) -> None:  # fmt: skip
        self.seen = ""
        self._read = 0
        self._ours, theirs = pty.openpty()
        self.resize(rows, columns, tell=False)
        self._before = termios.tcgetattr(self._ours)
        self._process = subprocess.Popen(
            command, env=dict(environment), stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True, preexec_fn=_take_terminal,
        )  # fmt: skip
        self._theirs = theirs

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._ours)
        os.close(self._theirs)

    def send(self, text: str) -> None:
        """Types."""
        os.write(self._ours, text.encode())

    def resize(self, rows: int, columns: int, tell: bool = True) -> None:
        """Gives the window another size."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self.signal(signal.SIGWINCH)

    def signal(self, number: signal.Signals) -> None:
        """Sends the program a signal."""
        self._process.send_signal(number)

    def expect(self, text: str) -> None:
        """Waits until the text shows up after what was expected before."""
        deadline = time.monotonic() + _PATIENCE
        while (at := self.seen.find(text, self._read)) < 0:
            left = deadline - time.monotonic()
            assert left > 0, f"no {text!r} in {self.seen[self._read :]!r}"
            if not self._more(left):
                assert self._process.poll() is None, f"no {text!r} in {self.seen!r}"
        self._read = at + len(text)

    def _more(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], min(seconds, 0.2))
        if not ready:
            return False
        with contextlib.suppress(OSError):
            self.seen += os.read(self._ours, 65536).decode(errors="replace")
        return True

    def wait(self) -> int:
        """Waits for the end; the exit code."""
        deadline = time.monotonic() + _PATIENCE
        while self._process.poll() is None:
            assert time.monotonic() < deadline, f"it goes on after {self.seen!r}"
            self._more(0.05)
        while self._more(0):
            pass
        return self._process.returncode

    def restored(self) -> bool:
        """Whether the terminal's mode is what it was before the program ran."""
        now: list[Any] = termios.tcgetattr(self._ours)
        return now == self._before


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
