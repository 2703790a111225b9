"""The host's own name servers, followed when resolv.conf(5) changes."""

import ipaddress
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from wherry.network.files import FALLBACK_SERVERS, HOST_RESOLV_CONF, name_servers

_log = logging.getLogger("wherry.dns")

_LOOK_SECONDS = 1.0


class HostServers:
    """Addresses in the host's resolv.conf, read again when the file is another one.

    They are asked from the host's namespace, so its loopback ones are as good as any. A file that
    names none is as if there were none: the public ones that dockerd falls back to.
    """

    def __init__(
        self, *, on_change: Callable[[], None], path: Path = HOST_RESOLV_CONF,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`on_change` is called when there are others than before."""
        self._on_change = on_change
        self._path = path
        self._clock = clock
        self._looked_at = -_LOOK_SECONDS
        self._mark: tuple[int, int, int] | None = None
        self._servers: tuple[str, ...] = FALLBACK_SERVERS

    def __call__(self) -> tuple[str, ...]:
        """The servers now; the file is looked at once a second at most."""
        now = self._clock()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            self._look()
        return self._servers

    def _look(self) -> None:
        try:
            status = os.stat(self._path)
            mark = (status.st_ino, status.st_mtime_ns, status.st_size)
            if mark == self._mark:
                return
            text = self._path.read_text(errors="replace")
        except OSError as error:
            _log.debug("%s: %s", self._path, error.strerror)
            mark, text = None, ""
        found = tuple(filter(_is_address, name_servers(text))) or FALLBACK_SERVERS
        if found != self._servers:
            if self._mark is not None:
                _log.info("the host's name servers are now %s", ", ".join(found))
            self._servers = found
            self._on_change()
        self._mark = mark


def _is_address(server: str) -> bool:
    """A name could not be resolved without asking it first."""
    try:
        ipaddress.ip_address(server)
    except ValueError:
        return False
    return True
