"""Terminals: ptmx(4), ioctl_tty(2)."""

import fcntl
import os
import struct
import termios

_TIOCSPTLCK = 0x40045431
_TIOCGPTN = 0x80045430


def unlock(master: int) -> int:
    """Makes the other side of a terminal usable; returns its number below /dev/pts."""
    fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
    number: int = struct.unpack("i", fcntl.ioctl(master, _TIOCGPTN, b"\0" * 4))[0]
    return number


def set_window_size(terminal: int, height: int, width: int) -> None:
    """Tells a terminal its rows and columns."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


def take_terminal(slave: int) -> None:
    """Makes a terminal the controlling one of a new session, and the standard streams."""
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for stream in (0, 1, 2):
        os.dup2(slave, stream)
    if slave > 2:
        os.close(slave)
