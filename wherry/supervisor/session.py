"""The standard streams of one process: pipes or a terminal, its log, its attached clients."""

import errno
import os
from collections.abc import Callable
from typing import NamedTuple

from wherry.linux.fd import set_pipe_size
from wherry.runtime.launch import Streams
from wherry.store.logs.writer import LogWriter
from wherry.supervisor.attachment import Attachment
from wherry.supervisor.loop import READ, WRITE, Loop
from wherry.supervisor.messages import AttachOptions

_PIECE = 64 * 1024
_STDIN_LIMIT = 128 * 1024


class Pipes(NamedTuple):
    """Both ends of a process's streams: `child` for it, the others for its monitor."""

    child: Streams
    stdin: int
    stdout: int
    stderr: int


def make_pipes(open_stdin: bool, owner: tuple[int, int] = (0, 0)) -> Pipes:
    """Pipes for a process without a terminal; standard input is /dev/null unless wanted.

    `owner` is the container's root: it must be able to open /dev/stdout again.
    """
    stdout_read, stdout_write = os.pipe()
    stderr_read, stderr_write = os.pipe()
    stdin_write = -1
    if open_stdin:
        stdin_read, stdin_write = os.pipe()
    else:
        stdin_read = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    for descriptor in (stdout_read, stderr_read, stdin_write):
        if descriptor >= 0:
            os.set_blocking(descriptor, False)
    if owner != (0, 0):
        ends = (stdout_write, stderr_write, *((stdin_read,) if open_stdin else ()))
        for descriptor in ends:
            os.fchown(descriptor, *owner)
    set_pipe_size(stdout_read, 1 << 16)
    return Pipes(Streams(stdin_read, stdout_write, stderr_write), stdin_write, stdout_read,
                 stderr_read)  # fmt: skip


class Session:
    """Reads a process's output into the log and to clients, writes what they type.

    It ends with the process and not with its output, even if that ends first: a client that sees
    the end asks for the exit code, which must be known by then.
    """

    def __init__(
        self, loop: Loop, *, log: LogWriter | None, close_stdin: bool,
        on_end: Callable[[], None], on_detached: Callable[[int], None],
    ) -> None:  # fmt: skip
        """`close_stdin`: the end of one client's input is the end of the process's."""
        self._loop = loop
        self.log = log
        self._close_stdin = close_stdin
        self._on_end = on_end
        self._on_detached = on_detached
        self._outputs: dict[int, str] = {}
        self._stdin = -1
        self._stdin_is_output = False
        self._stdin_buffer = bytearray()
        self._stdin_ending = False
        self._attachments: dict[int, Attachment] = {}
        self._numbers = 0
        self.terminal = -1
        self.ended = False

    def use_pipes(self, stdin: int, stdout: int, stderr: int) -> None:
        """Begins with a process that has pipes."""
        self._stdin = stdin
        self._outputs = {stdout: "stdout", stderr: "stderr"}
        self._watch_outputs()

    def use_terminal(self, master: int) -> None:
        """Begins with a process that has a terminal, whose output is all `stdout`."""
        os.set_blocking(master, False)
        self.terminal = self._stdin = master
        self._stdin_is_output = True
        self._outputs = {master: "stdout"}
        self._watch_outputs()

    def attach(self, descriptor: int, options: AttachOptions) -> int:
        """Adds a client; returns its number."""
        self._numbers += 1
        number = self._numbers
        attachment = Attachment(
            number, descriptor, options, self._loop, self._type, self._client_ended,
            self._watch_outputs,
        )  # fmt: skip
        self._attachments[number] = attachment
        if self.ended:
            attachment.finish()
        return number

    def release(self, number: int) -> None:
        """Lets a held client's output flow."""
        attachment = self._attachments.get(number)
        if attachment:
            attachment.release()

    def finish(self) -> None:
        """The process is gone: reads what is left, then ends every client and the log."""
        if self.ended:
            return
        for descriptor in list(self._outputs):
            while descriptor in self._outputs and self._read_output(descriptor):
                continue
        self._end()

    def _end(self) -> None:
        if self.ended:
            return
        self.ended = True
        for descriptor in list(self._outputs):
            self._close_output(descriptor)
        self._close_input()
        if self.log:
            self.log.close()
        for attachment in list(self._attachments.values()):
            attachment.finish()
        self._on_end()

    def idle(self) -> bool:
        """Whether every client has been sent everything."""
        return not self._attachments

    def _watch_outputs(self) -> None:
        """Reads the process only while every client keeps up: it blocks then, as in Docker."""
        blocked = any(item.full for item in self._attachments.values())
        for descriptor in self._outputs:
            events = 0 if blocked else READ
            if descriptor == self._stdin and self._stdin_buffer:
                events |= WRITE
            self._loop.watch(descriptor, events, self._callback(descriptor))

    def _callback(self, descriptor: int) -> Callable[[int], None]:
        def ready(events: int) -> None:
            if events & WRITE and descriptor == self._stdin:
                self._write_input()
            if events & ~WRITE and descriptor in self._outputs:
                self._read_output(descriptor)

        return ready

    def _read_output(self, descriptor: int) -> bool:
        try:
            data = os.read(descriptor, _PIECE)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != errno.EIO:  # the other side of a terminal is closed
                raise
            data = b""
        if not data:
            self._close_output(descriptor)
            return False
        stream = self._outputs[descriptor]
        if self.log:
            self.log.write(stream, data)
        for attachment in list(self._attachments.values()):
            attachment.send(stream, data)
        self._watch_outputs()
        return True

    def _close_output(self, descriptor: int) -> None:
        del self._outputs[descriptor]
        self._loop.forget(descriptor)
        if descriptor == self._stdin:
            self._stdin = self.terminal = -1
        os.close(descriptor)

    def _type(self, data: bytes) -> bool:
        if self._stdin < 0:
            return True
        self._stdin_buffer += data
        self._write_input()
        return len(self._stdin_buffer) < _STDIN_LIMIT

    def _write_input(self) -> None:
        while self._stdin_buffer and self._stdin >= 0:
            try:
                written = os.write(self._stdin, memoryview(self._stdin_buffer)[: 1 << 16])
            except BlockingIOError:
                break
            except OSError:  # the process closed its input: what is typed goes nowhere
                self._stdin_buffer.clear()
                self._close_input()
                return
            del self._stdin_buffer[:written]
        if len(self._stdin_buffer) < _STDIN_LIMIT:
            for attachment in self._attachments.values():
                attachment.resume_input()
        if not self._stdin_buffer and self._stdin_ending:
            self._close_input()
            return
        if self._stdin_is_output:
            self._watch_outputs()
        elif self._stdin >= 0:
            if self._stdin_buffer:
                self._loop.watch(self._stdin, WRITE, lambda _: self._write_input())
            else:
                self._loop.forget(self._stdin)

    def _close_input(self) -> None:
        if self._stdin < 0 or self._stdin_is_output:
            return
        self._loop.forget(self._stdin)
        os.close(self._stdin)
        self._stdin = -1

    def _client_ended(self, attachment: Attachment, reason: str) -> None:
        if reason != "eof":
            self._attachments.pop(attachment.number, None)
            self._watch_outputs()
        if reason == "detached":
            self._on_detached(attachment.number)
        elif attachment.options.stdin and self._close_stdin and reason in ("eof", "gone"):
            self._stdin_ending = True
            if not self._stdin_buffer:
                self._close_input()
        if self.ended and not self._attachments:
            self._on_end()
