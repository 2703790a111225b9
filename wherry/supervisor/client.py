"""The daemon's side: the zygote's keeper, and connections to monitors.

Blocking, for pools; every call has a bound. Events of a monitor come on a connection of their own,
to be watched by a loop.
"""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from wherry.base.errors import Cancelled, InternalError, NotFound, Timeout
from wherry.linux.fd import receive_message, sealed_memfd, send_message
from wherry.linux.process import boot_id, process_start_time
from wherry.linux.seal import sealed_copy
from wherry.runtime.errors import BY_NAME
from wherry.supervisor import messages as msg
from wherry.supervisor import tasks as task_frames
from wherry.supervisor.quiet import open_lock, wait_until_quiet

START_SECONDS = 60.0
EXPECT_SECONDS = 0.005
"""How long one `expect` is as good as another."""

CALL_SECONDS = 20.0

logger = logging.getLogger("wherry.supervisor")


class MonitorGone(NotFound):
    """The container's monitor has ended; its files tell how."""


class Task:
    """A task that runs in a child of the zygote."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._pid = 0

    def fileno(self) -> int:
        """Readable when there is progress or the result."""
        return self._stream.fileno()

    def result(self, timeout: float | None = None) -> bytes:
        """Waits for the result, passing over progress; raises what the task raised, or Timeout."""
        while True:
            kind, payload = self.next_frame(timeout)
            if kind == task_frames.RESULT:
                self._stream.close()
                return payload

    def next_frame(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """The next progress or result; raises the task's failure, Timeout, Cancelled."""
        self._stream.settimeout(timeout)
        while True:
            kind, length = task_frames.FRAME.unpack(self._read(task_frames.FRAME.size))
            payload = self._read(length)
            if kind == task_frames.PID:
                self._pid = int(payload)
            elif kind == task_frames.FAILURE:
                self._stream.close()
                raise task_frames.failure(payload)
            else:
                return kind, payload

    def kill(self) -> None:
        """Ends the task at once."""
        try:
            if not self._pid:
                self._stream.settimeout(1)
                kind, length = task_frames.FRAME.unpack(self._read(task_frames.FRAME.size))
                payload = self._read(length)
                self._pid = int(payload) if kind == task_frames.PID else 0
            if self._pid:
                os.kill(self._pid, signal.SIGKILL)
        except (OSError, Cancelled, Timeout):
            pass  # it has ended by itself
        finally:
            self._stream.close()

    def _read(self, length: int) -> bytes:
        data = bytearray()
        while len(data) < length:
            try:
                piece = self._stream.recv(length - len(data))
            except TimeoutError as error:
                raise Timeout("a task does not end in time") from error
            except OSError as error:
                raise Cancelled("a task was ended") from error
            if not piece:
                raise Cancelled("a task was ended")
            data += piece
        return bytes(data)


class MonitorConnection:
    """The two connections to one monitor: requests in turn, events as they come."""

    def __init__(
        self, requests: socket.socket, events: socket.socket, started: msg.Started
    ) -> None:
        self._requests = requests
        self._requests.settimeout(CALL_SECONDS)
        self._events = events
        self._events.setblocking(False)
        self._lock = threading.Lock()
        self.started = started

    def fileno(self) -> int:
        """Readable when events wait."""
        return self._events.fileno()

    def receive(self) -> list[msg.Event]:
        """The events that wait; raises MonitorGone at the end."""
        found: list[msg.Event] = []
        while True:
            try:
                data = self._events.recv(msg.MESSAGE_SIZE)
            except BlockingIOError:
                return found
            except OSError:
                data = b""
            if not data:
                if found:
                    return found
                raise MonitorGone("the monitor has ended")
            found.append(msgspec.json.decode(data, type=msg.Event))

    def state(self) -> msg.MonitorState:
        """What the monitor knows."""
        state = self._call(msg.GetState()).state
        if state is None:
            raise InternalError("a monitor did not tell its state")
        return state

    def signal(self, number: int) -> None:
        """Signals the container's first process; raises MonitorGone or StartFailed if gone."""
        self._call(msg.Signal(number))

    def exec_signal(self, exec_id: str, number: int) -> None:
        """Signals an exec'd process."""
        self._call(msg.Signal(number, exec_id))

    def attach(self, descriptor: int, options: msg.AttachOptions) -> msg.Answer:
        """Attaches a stream socket; the answer has `attach_id` and `log_offset`."""
        return self._call(msg.Attach(options), [descriptor])

    def release(self, attach_id: int) -> None:
        """Lets a held attachment flow."""
        self._call(msg.Release(attach_id))

    def exec(
        self, request: msg.ExecRequest, descriptor: int | None, options: msg.AttachOptions
    ) -> int:
        """Runs a process in the container and returns its pid on the host."""
        descriptors = [] if descriptor is None else [descriptor]
        return self._call(msg.Exec(request, options), descriptors).pid

    def resize(self, exec_id: str | None, height: int, width: int) -> None:
        """Tells a terminal its size."""
        self._call(msg.Resize(height, width, exec_id or ""))

    def set_log(self, settings: msg.LogSettings) -> None:
        """Changes the live log's rotation."""
        self._call(msg.SetLog(settings))

    def resolver(self) -> list[int]:
        """Descriptors of the embedded DNS server's sockets, its namespace, the first process.

        They are the caller's to close. Raises MonitorGone, StartFailed; a monitor of an earlier
        release has none to give.
        """
        with self._lock:
            data, descriptors = self._exchange(msg.OpenResolver(), ())
        _checked(data)
        return descriptors

    def close(self) -> None:
        """Leaves the monitor alone."""
        self._requests.close()
        self._events.close()

    def _call(self, request: msg.Request, descriptors: Sequence[int] = ()) -> msg.Answer:
        with self._lock:
            data, _ = self._exchange(request, descriptors)
        return _checked(data)

    def _exchange(
        self, request: msg.Request, descriptors: Sequence[int]
    ) -> tuple[bytes, list[int]]:
        try:
            send_message(self._requests, msgspec.json.encode(request), descriptors)
            data, received = receive_message(self._requests, msg.MESSAGE_SIZE)
        except TimeoutError as error:
            raise Timeout("the container's monitor does not answer") from error
        except OSError as error:
            raise MonitorGone("the container's monitor has ended") from error
        if not data:
            raise MonitorGone("the container's monitor has ended")
        return data, received


def _checked(data: bytes) -> msg.Answer:
    answer = msgspec.json.decode(data, type=msg.Answer)
    if answer.error:
        raise BY_NAME[answer.error](answer.message)
    return answer


class Supervisor:
    """Keeps the zygote alive; starts containers and tasks through it."""

    def __init__(self, exec_root: Path, *, tasks: Mapping[str, str], cgroup: str = "") -> None:
        """`tasks` maps names to `module:function`; `cgroup` is the monitors' and zygote's."""
        self._exec_root = exec_root
        self._tasks = dict(tasks)
        self._cgroup = cgroup
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._expected = 0.0

    def open(self) -> None:
        """Starts the zygote when that of an earlier daemon has ended with its unfinished work.

        Raises InternalError if it does not come up.
        """
        wait_until_quiet(self._exec_root, START_SECONDS)
        with self._lock:
            self._spawn()

    def close(self) -> None:
        """Ends the zygote; monitors go on."""
        with self._lock:
            self._end_zygote()

    def expect(self) -> None:
        """Says that a start or an exec is on its way; never waits, so a loop may call it."""
        now = time.monotonic()
        if now - self._expected < EXPECT_SECONDS or not self._lock.acquire(blocking=False):
            return
        try:
            self._expected = now
            if self._connection:
                self._connection.send(msgspec.json.encode(msg.Expect()), socket.MSG_DONTWAIT)
        except OSError:
            pass  # the start itself finds out what is wrong
        finally:
            self._lock.release()

    def start(
        self, request: msg.StartRequest,
        attachments: Sequence[tuple[int, msg.AttachOptions]] = (),
    ) -> MonitorConnection:  # fmt: skip
        """Starts a container; returns when its program runs.

        Raises StartFailed and its kin with runc's words. The attachments' descriptors stay the
        caller's to close.
        """
        requests, their_requests = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        events, their_events = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        plan = sealed_memfd("plan", msgspec.msgpack.encode(request))
        try:
            message = msg.StartMonitor(tuple(options for _, options in attachments))
            self._send(
                message,
                [plan, their_requests.fileno(), their_events.fileno(),
                 *(descriptor for descriptor, _ in attachments)],
            )  # fmt: skip
        finally:
            os.close(plan)
            their_requests.close()
            their_events.close()
        requests.settimeout(START_SECONDS)
        try:
            data = requests.recv(msg.MESSAGE_SIZE)
            if not data:
                raise InternalError("the monitor died while it started the container")
            started = _checked(data).started
            if started is None:
                raise InternalError("the monitor did not say that the container runs")
        except BaseException as error:
            requests.close()
            events.close()
            if isinstance(error, TimeoutError):
                raise Timeout("the container does not start in time") from error
            raise
        return MonitorConnection(requests, events, started)

    def adopt(self, state_dir: Path) -> MonitorConnection | None:
        """Connects to the monitor of a container that an earlier daemon started, if it lives."""
        state = read_state(state_dir)
        if state is None or not state.pid or state.boot_id != boot_id():
            return None
        if process_start_time(state.monitor_pid) != state.monitor_start_time:
            return None
        try:
            requests = _connect(state_dir, "requests")
            events = _connect(state_dir, "events")
        except (OSError, MonitorGone):
            return None
        started = msg.Started(state.pid, state.start_time, state.started_at)
        return MonitorConnection(requests, events, started)

    def run_task(
        self, name: str, params: bytes, fds: Sequence[int] = (), *, outlive: bool = False
    ) -> Task:
        """Runs a task of the table in a child of the zygote; it ends with the daemon if it must."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        parameters = sealed_memfd("task", params)
        try:
            self._send(msg.RunTask(name, outlive), [parameters, theirs.fileno(), *fds])
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(parameters)
        return Task(ours)

    def _send(self, message: msg.ZygoteRequest, descriptors: list[int]) -> None:
        data = msgspec.json.encode(message)
        with self._lock:
            for attempt in (1, 2):
                if self._connection is None or self._has_ended():
                    self._spawn()
                if self._connection is None:
                    raise InternalError("the zygote does not start")
                try:
                    socket.send_fds(self._connection, [data], descriptors)
                    return
                except OSError as error:
                    if attempt == 2:
                        raise InternalError(f"the zygote does not answer: {error}") from error
                    self._end_zygote()

    def _has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def _spawn(self) -> None:
        self._end_zygote()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        interpreter = sealed_copy("wherry-python", os.path.realpath(sys.executable))
        lock = open_lock(self._exec_root)
        arguments = [
            sys.executable, "-I", "-c",
            "import sys; sys.path[:0] = sys.argv.pop(1).split(':'); "
            "from wherry.supervisor.zygote import main; main()",
            _package_root(), str(theirs.fileno()), json.dumps(self._tasks), self._cgroup, str(lock),
            f"{self._exec_root}/rehearsal",
        ]  # fmt: skip
        try:
            self._process = subprocess.Popen(
                arguments, executable=f"/proc/self/fd/{interpreter}", stdin=subprocess.DEVNULL,
                pass_fds=(interpreter, theirs.fileno(), lock), start_new_session=True, cwd="/",
            )  # fmt: skip
        finally:
            os.close(interpreter)
            os.close(lock)
            theirs.close()
        ours.settimeout(30)
        try:
            if ours.recv(16) != b"ready":
                raise InternalError("the zygote ended while it started")
        except TimeoutError as error:
            ours.close()
            raise InternalError("the zygote does not start in time") from error
        ours.settimeout(None)
        self._connection = ours
        logger.debug("zygote runs as process %d", self._process.pid)

    def _end_zygote(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None
        if self._process:
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def _package_root() -> str:
    import wherry

    return str(Path(wherry.__file__).resolve().parent.parent)


def _connect(state_dir: Path, role: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    directory = os.open(state_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        connection.settimeout(CALL_SECONDS)
        connection.connect(f"/proc/self/fd/{directory}/monitor.sock")
        connection.send(msgspec.json.encode(msg.Hello(role)))
        if role == "requests":
            data = connection.recv(msg.MESSAGE_SIZE)
            if not data:
                raise MonitorGone("the container's monitor has ended")
            _checked(data)
    except (OSError, MonitorGone):
        connection.close()
        raise
    finally:
        os.close(directory)
    return connection


def read_state(state_dir: Path) -> msg.StateFile | None:
    """What a container's monitor wrote down, None if there is no such file."""
    try:
        return msgspec.json.decode((state_dir / "state.json").read_bytes(), type=msg.StateFile)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def read_exits(state_dir: Path) -> list[msg.Exited]:
    """The exits that monitors wrote down, oldest first; a torn last line does not count."""
    try:
        data = (state_dir / "exits").read_bytes()
    except FileNotFoundError:
        return []
    lines = data.split(b"\n")[:-1]
    return [msgspec.json.decode(line, type=msg.Exited) for line in lines if line]
