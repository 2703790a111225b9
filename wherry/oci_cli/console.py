"""Terminals: handing the master side to an engine, or relaying it to the caller's own."""

import errno
import os
import select
import signal
import socket
import termios
import tty

from wherry.linux.terminal import set_window_size
from wherry.oci_cli.errors import RuntimeFailure

_PIECE = 32 * 1024


def send_master(path: str, master: int) -> None:
    """Sends a terminal's master over an engine's console socket, as runc does, and closes it."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
        socket.send_fds(connection, [b"/dev/ptmx"], [master])
    except OSError as error:
        raise RuntimeFailure(f"console socket {path}: {(error.strerror or '').lower()}") from error
    finally:
        connection.close()
        os.close(master)


def forward_signals(pid: int) -> None:
    """Gives the process what this one is told, as a foreground runtime does."""
    skipped = {signal.SIGCHLD, signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, signal.SIGURG,
               signal.SIGWINCH}  # fmt: skip

    def forward(number: int, _: object) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return

    for number in signal.valid_signals():
        if number not in skipped:
            try:
                signal.signal(number, forward)
            except OSError as error:
                if error.errno != errno.EINVAL:  # the C library's own
                    raise


class Relay:
    """Copies between the caller's terminal, in raw mode, and the container's."""

    def __init__(self, master: int) -> None:
        self._master = master
        self._settings = termios.tcgetattr(0) if os.isatty(0) else None
        self._resize()
        signal.signal(signal.SIGWINCH, lambda *_: self._resize())

    def _resize(self) -> None:
        if os.isatty(0):
            size = os.get_terminal_size(0)
            set_window_size(self._master, size.lines, size.columns)

    def run(self) -> None:
        """Copies until the container's side is closed."""
        if self._settings is not None:
            tty.setraw(0)
        try:
            self._copy()
        finally:
            if self._settings is not None:
                termios.tcsetattr(0, termios.TCSADRAIN, self._settings)
            os.close(self._master)

    def _copy(self) -> None:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        poll.register(0, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                try:
                    data = os.read(descriptor, _PIECE)
                except OSError as error:
                    if error.errno != errno.EIO:
                        raise
                    data = b""
                if descriptor == self._master:
                    if not data:
                        return
                    _write_all(1, data)
                elif data:
                    _write_all(self._master, data)
                else:
                    poll.unregister(0)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
