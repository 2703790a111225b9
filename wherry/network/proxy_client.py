"""The daemon's side of the proxy of published ports: started when needed, found again, ended."""

import errno
import logging
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from wherry.base.errors import InternalError
from wherry.network.errors import PortUnavailable
from wherry.network.proxy_messages import BATCH, CONTROL, MESSAGE_SIZE, Answer, Forward, Order

__all__ = ["Forward", "Proxy"]

_log = logging.getLogger(__name__)

_SECONDS = 10.0


class Proxy:
    """Keeps the proxy's forwards as they should be. Blocking, for the "network" pool."""

    def __init__(self, directory: Path, launch: Callable[[Path], None]) -> None:
        """`launch` starts the process, which makes its control socket in `directory`."""
        self._directory = directory
        self._launch = launch
        self._connection: socket.socket | None = None
        self._forwards: dict[Forward, None] = {}
        self.on_connect: Callable[[socket.socket], None] | None = None
        """Is given a connection of its own to each process, which ends with it."""

    def add(self, forwards: Sequence[Forward]) -> None:
        """Adds forwards, all or nothing; raises PortUnavailable in Docker's words."""
        if not forwards:
            return
        done: list[Forward] = []
        try:
            for batch in _batches(forwards):
                self._order("add", batch)
                done += batch
        except BaseException:
            self._order("remove", done)
            raise
        self._forwards.update(dict.fromkeys(forwards))

    def remove(self, forwards: Sequence[Forward]) -> None:
        """Removes forwards; the process ends with the last one."""
        known = [item for item in forwards if self._forwards.pop(item, True) is None]
        if not known:
            return
        if self._forwards:
            for batch in _batches(known):
                self._order("remove", batch)
        else:
            self._end()

    def restore(self, forwards: Sequence[Forward]) -> None:
        """Makes the forwards what they should be after a restart of the daemon, or of the proxy."""
        self._forwards = dict.fromkeys(forwards)
        if not forwards:
            if self._find():
                self._end()
            return
        for batch in _batches(forwards):
            try:
                self._order("keep", batch)
            except PortUnavailable as error:
                _log.warning("a published port is not proxied: %s", error.message)
        self._order("sweep", [])

    def revive(self) -> None:
        """Starts the process again if it has ended against its will."""
        if self._connection is None or not self._forwards:
            return
        if self._exchange(Order("add")) is not None:
            return  # it answers: another was started meanwhile
        self.close()
        _log.warning("the proxy of published ports has ended: starting it again")
        self.restore(list(self._forwards))

    def close(self) -> None:
        """Leaves the process alone."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _end(self) -> None:
        if self._find():
            self._exchange(Order("end"))
            self.close()

    def _order(self, verb: str, forwards: Sequence[Forward]) -> None:
        order = Order(verb, list(forwards))
        answer = self._exchange(order)
        if answer is None:  # it has died: a new one knows nothing
            self.close()
            for batch in _batches(list(self._forwards)):
                self._exchange(Order("add", batch))
            answer = self._exchange(order)
        if answer is None:
            raise InternalError("the proxy of published ports does not answer")
        if answer.errno:
            raise PortUnavailable(_refusal(answer))

    def _exchange(self, order: Order) -> Answer | None:
        """The answer to an order, None if there is none."""
        connection = self._connect()
        try:
            connection.send(msgspec.json.encode(order))
            data = connection.recv(MESSAGE_SIZE)
        except OSError:
            return None
        return msgspec.json.decode(data, type=Answer) if data else None

    def _connect(self) -> socket.socket:
        if self._connection is None and not self._find():
            self._launch(self._directory)
            if not self._find():
                raise InternalError("the proxy of published ports does not start")
        assert self._connection is not None
        return self._connection

    def _find(self) -> bool:
        """Connects to a process that runs."""
        if self._connection is not None:
            return True
        self._connection = _dial(self._directory)
        if self._connection is None:
            return False
        life = _dial(self._directory) if self.on_connect is not None else None
        if life is not None and self.on_connect is not None:
            self.on_connect(life)
        return True


def _dial(directory: Path) -> socket.socket | None:
    """A connection to the process's control socket, None if nobody listens there."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(_SECONDS)
    try:
        # By descriptor, since a socket's path may have 107 bytes only (unix(7)).
        descriptor = os.open(directory, os.O_PATH | os.O_CLOEXEC)
        try:
            connection.connect(f"/proc/self/fd/{descriptor}/{CONTROL}")
        finally:
            os.close(descriptor)
    except OSError:
        connection.close()
        return None
    return connection


def _batches(forwards: Sequence[Forward]) -> list[list[Forward]]:
    return [list(forwards[at : at + BATCH]) for at in range(0, len(forwards), BATCH)]


def _refusal(answer: Answer) -> str:
    forward = answer.forward
    if forward is None:
        return os.strerror(answer.errno)
    shown = f"[{forward.host_ip}]" if ":" in forward.host_ip else forward.host_ip
    text = os.strerror(answer.errno).lower()
    if answer.errno == errno.EMFILE:
        text = "the proxy has no descriptors left: raise the daemon's limit of open files"
    return f"failed to bind host port for {shown}:{forward.host_port}/{forward.protocol}: {text}"
