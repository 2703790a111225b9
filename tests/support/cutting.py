"""A relay before a registry that cuts or stalls uploads."""

import contextlib
import socket
import threading


class CuttingProxy:
    """Relays connections; to be used as a context. Counts the bytes of requests."""

    def __init__(self, port: int) -> None:
        """`port` is where the registry listens on loopback."""
        self._target = port
        self._limit = 0
        self._stall = 0
        self._lock = threading.Lock()
        self._going = threading.Event()
        self._going.set()
        self.received = 0
        self.cuts = 0
        self.stalled = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> "CuttingProxy":
        self._start(self._accept)
        return self

    def __exit__(self, *exception: object) -> None:
        self._going.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for item in self._sockets:
            with contextlib.suppress(OSError):
                item.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for item in self._sockets:
            item.close()

    def cut_after(self, count: int) -> None:
        """Cuts, once, the connection on which the next `count` bytes have come."""
        with self._lock:
            self._limit, self.received = count, 0

    def stall_after(self, count: int) -> None:
        """Relays no more requests once `count` bytes have come, until `go_on`."""
        with self._lock:
            self._stall, self.received = count, 0
            self._going.clear()

    def go_on(self) -> None:
        """Relays again."""
        with self._lock:
            self._stall = 0
        self._going.set()

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            self._sockets += [client, server]
            self._start(self._relay, client, server, True)
            self._start(self._relay, server, client, False)

    def _relay(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(16384):
                if counted and not self._counted(len(data)):
                    for end in (source, target):
                        end.shutdown(socket.SHUT_RDWR)
                    return
                target.sendall(data)
        for end, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
            with contextlib.suppress(OSError):
                end.shutdown(how)

    def _counted(self, count: int) -> bool:
        """Whether what came may go on."""
        with self._lock:
            self.received += count
            if self._limit and self.received >= self._limit:
                self._limit = 0
                self.cuts += 1
                return False
            stalls = self._stall and self.received >= self._stall
        if stalls:
            self.stalled.set()
            self._going.wait(60)
        return True
