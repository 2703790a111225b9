"""One client attached to a process: what it types, what it is sent, and how it leaves."""

import socket
from collections.abc import Callable

from wherry.supervisor.loop import HANG_UP, READ, WRITE, Loop
from wherry.supervisor.messages import AttachOptions

OUTPUT_LIMIT = 256 * 1024
_INPUT_PIECE = 32 * 1024
_STREAM_NUMBER = {"stdin": 0, "stdout": 1, "stderr": 2}


class KeyScanner:
    """Finds the detach keys in what is typed; a beginning of them is held back meanwhile."""

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._matched = 0

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """What goes on to the process, and whether the keys were typed whole."""
        if not self._keys:
            return data, False
        passed = bytearray()
        for byte in data:
            if byte == self._keys[self._matched]:
                self._matched += 1
                if self._matched == len(self._keys):
                    return bytes(passed), True
                continue
            passed += self._keys[: self._matched]
            self._matched = 0
            if byte == self._keys[0]:
                self._matched = 1
            else:
                passed.append(byte)
        return bytes(passed), False


class Attachment:
    """A stream socket whose far end is a client; bytes come in and go out without blocking."""

    def __init__(
        self, number: int, descriptor: int, options: AttachOptions, loop: Loop,
        on_input: Callable[[bytes], bool], on_end: Callable[["Attachment", str], None],
        on_room: Callable[[], None],
    ) -> None:  # fmt: skip
        """`on_input` takes typed bytes and says whether there is room for more; `on_end` is told
        `eof` (no more input), `detached` or `gone`; `on_room` that output drained."""
        self.number = number
        self.options = options
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(False)
        self._loop = loop
        self._on_input = on_input
        self._on_end = on_end
        self._on_room = on_room
        self._scanner = KeyScanner(options.detach_keys.encode("latin-1"))
        self._output = bytearray()
        self._held = options.hold
        self._reading = True
        self._finishing = False
        self.closed = False
        self._update()

    @property
    def full(self) -> bool:
        """Whether the client reads so slowly that the process must wait."""
        return len(self._output) >= OUTPUT_LIMIT

    def send(self, stream: str, data: bytes) -> None:
        """Queues output, framed if the client asked so (Docker's stdcopy header)."""
        wanted = self.options.stdout if stream == "stdout" else self.options.stderr
        if self.closed or not wanted:
            return
        if self.options.framed:
            header = bytes((_STREAM_NUMBER[stream], 0, 0, 0)) + len(data).to_bytes(4, "big")
            self._output += header
        self._output += data
        if not self._held:
            self._flush()

    def release(self) -> None:
        """Lets output flow that was held back."""
        self._held = False
        self._flush()

    def resume_input(self) -> None:
        """Reads on, the process having taken what was typed."""
        if not self._reading and not self.closed and not self._finishing:
            self._reading = True
            self._update()

    def finish(self) -> None:
        """Closes once everything queued has been sent."""
        self._finishing = True
        self._held = False
        self._flush()

    def close(self, reason: str) -> None:
        """Closes at once and tells why."""
        if self.closed:
            return
        self.closed = True
        self._loop.forget(self._socket.fileno())
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other end is gone already
        self._socket.close()
        self._on_end(self, reason)

    def _update(self) -> None:
        events = 0
        if self._reading and not self._finishing:
            events |= READ
        if self._output and not self._held:
            events |= WRITE
        self._loop.watch(self._socket.fileno(), events, self._ready)

    def _ready(self, events: int) -> None:
        if events & READ and self._reading:
            self._read()
        if self.closed:
            return
        if events & WRITE:
            self._flush()
        if not self.closed and events & HANG_UP and not events & READ:
            self.close("gone")

    def _read(self) -> None:
        try:
            data = self._socket.recv(_INPUT_PIECE)
        except BlockingIOError:
            return
        except OSError:
            self.close("gone")
            return
        if not data:
            self._reading = False
            self._update()
            self._on_end(self, "eof")
            return
        if not self.options.stdin:
            return
        typed, detached = self._scanner.feed(data)
        room = self._on_input(typed) if typed else True
        if detached:
            self.close("detached")
        elif not room:
            self._reading = False
            self._update()

    def _flush(self) -> None:
        if self.closed:
            return
        was_full = self.full
        while self._output:
            try:
                sent = self._socket.send(memoryview(self._output)[: 1 << 16])
            except BlockingIOError:
                break
            except OSError:
                self.close("gone")
                return
            del self._output[:sent]
        if self._finishing and not self._output:
            self.close("finished")
            return
        self._update()
        if was_full and not self.full:
            self._on_room()
