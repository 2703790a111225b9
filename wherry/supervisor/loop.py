"""A loop over epoll(7) for the monitor: callbacks by descriptor, one deadline."""

import select
import time
from collections.abc import Callable

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
HANG_UP = select.EPOLLHUP | select.EPOLLERR

Callback = Callable[[int], None]


class Loop:
    """Calls back with the events of descriptors until stopped."""

    def __init__(self) -> None:
        self._epoll = select.epoll(sizehint=16)
        self._callbacks: dict[int, tuple[Callback, int]] = {}
        self._deadline: tuple[float, Callable[[], None]] | None = None
        self._running = True

    def watch(self, descriptor: int, events: int, callback: Callback) -> None:
        """Watches a descriptor, or changes what is watched of it."""
        known = self._callbacks.get(descriptor)
        if known is None:
            self._epoll.register(descriptor, events)
        elif known[1] != events:
            self._epoll.modify(descriptor, events)
        self._callbacks[descriptor] = (callback, events)

    def forget(self, descriptor: int) -> None:
        """Watches a descriptor no longer; to be called before it is closed."""
        if self._callbacks.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def set_deadline(self, seconds: float, callback: Callable[[], None]) -> None:
        """Calls back once after so many seconds, in place of an earlier deadline."""
        self._deadline = (time.monotonic() + seconds, callback)

    def stop(self) -> None:
        """Ends `run` after the present callback."""
        self._running = False

    def run(self) -> None:
        """Serves until stopped."""
        while self._running:
            timeout = -1.0
            if self._deadline:
                timeout = max(self._deadline[0] - time.monotonic(), 0)
            for descriptor, events in self._epoll.poll(timeout):
                found = self._callbacks.get(descriptor)
                if found and self._running:
                    found[0](events)
            if self._deadline and time.monotonic() >= self._deadline[0]:
                _, callback = self._deadline
                self._deadline = None
                callback()
