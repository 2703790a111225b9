"""Carries bytes between the user's streams and a hijacked connection."""

from __future__ import annotations

import os
import sys

from wherry.cli.errors import CliError
from wherry.cli.session import write_all
from wherry.cli.terminal import DetachFilter, RawTerminal
from wherry.client.stdcopy import STDERR, SYSTEM_ERROR, Demultiplexer
from wherry.client.transport import SHUT_WR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.client.http import Connection

_READ = 65536


class Detached(CliError):
    """The user pressed the keys that detach."""

    def __init__(self) -> None:
        super().__init__("read escape sequence")


class StreamPump:
    """One attachment: standard input goes in, output comes out, until the engine ends it."""

    def __init__(
        self,
        connection: Connection,
        *,
        tty: bool,
        stdin: bool,
        stdout: bool = True,
        stderr: bool = True,
        detach_keys: bytes = b"",
    ) -> None:
        self._connection = connection
        self._tty = tty
        self._stdin = stdin
        self._wanted = {0: stdout, 1: stdout, STDERR: stderr}
        self._demultiplexer = None if tty else Demultiplexer()
        self._filter = DetachFilter(detach_keys) if tty else None
        self._input_open = stdin

    def run(self) -> None:
        """Carries until the engine's end of stream; raises Detached."""
        sys.stdout.flush()
        raw = self._tty and self._stdin and _isatty(0)
        with RawTerminal(0, raw) as terminal:
            if not self._stdin:
                self._finish_input()
                self._drain()
            elif sys.platform.startswith("win"):
                self._run_with_thread()
            else:
                self._run_with_select(terminal)

    def _drain(self) -> None:
        while self._receive():
            pass

    def _receive(self) -> bool:
        """Passes on what has come; False at the end."""
        try:
            data = self._connection.read(_READ)
        except ConnectionError:
            return False
        if not data:
            return False
        if self._demultiplexer is None:
            if self._wanted[1]:
                write_all(1, data)
            return True
        for stream, part in self._demultiplexer.feed(data):
            if stream == SYSTEM_ERROR:
                raise CliError(
                    f"error from daemon in stream: {part.decode('utf-8', 'replace').strip()}"
                )
            if self._wanted[stream]:
                write_all(2 if stream == STDERR else 1, part)
        return True

    def _finish_input(self) -> None:
        """Tells the engine that no more input comes; output goes on."""
        self._input_open = False
        try:
            self._connection.stream.shutdown(SHUT_WR)
        except OSError:
            pass  # the engine has closed already: its end of stream follows

    def _forward_input(self) -> None:
        try:
            data = os.read(0, _READ)
        except OSError:
            data = b""
        detached = False
        if data and self._filter:
            data, detached = self._filter.feed(data)
        elif not data:
            self._finish_input()
            return
        try:
            if data:
                self._connection.stream.sendall(data)
        except OSError:
            self._input_open = False
        if detached:
            raise Detached

    def _run_with_select(self, terminal: RawTerminal) -> None:
        from select import select

        engine = self._connection.stream.fileno()
        try:
            os.fstat(0)
        except OSError:
            self._finish_input()  # this process was started without a standard input
        while True:
            if self._connection.buffered:
                if not self._receive():
                    return
                continue
            ready, _, _ = select([engine, 0] if self._input_open else [engine], [], [])
            if engine in ready and not self._receive():
                return
            if 0 in ready:
                self._forward_input()
                if not self._input_open:
                    terminal.restore()

    def _run_with_thread(self) -> None:
        from _thread import start_new_thread

        def carry() -> None:
            while self._input_open:
                self._forward_input()

        start_new_thread(carry, ())
        self._drain()


def _isatty(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
