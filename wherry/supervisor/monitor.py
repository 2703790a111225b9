"""The monitor: one process for each container, from before its start until after its end.

It owns the container's streams, log and exit status and everything exec'd in it, and outlives the
daemon. What it must not lose is on disk before it says it: the state file before the container
exists, the exit before the event.
"""

import contextlib
import os
import signal
import socket
from collections.abc import Sequence

import msgspec

from wherry.base.clock import now_ns
from wherry.base.errors import WherryError, failure_of_system_call
from wherry.base.files import write_atomic
from wherry.linux.cgroup.group import Cgroup
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.linux.fd import read_whole, receive_message, send_message
from wherry.linux.namespace import namespace_fd
from wherry.linux.process import (
    boot_id,
    process_start_time,
    set_name,
)
from wherry.linux.terminal import set_window_size
from wherry.runtime.enter import enter
from wherry.runtime.errors import BY_NAME
from wherry.runtime.launch import Streams
from wherry.runtime.resolver import open_inside
from wherry.store.logs.writer import LogWriter
from wherry.supervisor import messages as msg
from wherry.supervisor.execs import process_plan
from wherry.supervisor.loop import READ, Loop
from wherry.supervisor.oom import OomWatch
from wherry.supervisor.session import Pipes, Session, make_pipes
from wherry.supervisor.starter import Starter, read_process

DRAIN_SECONDS = 2.0
"""How long output is awaited after the process ended: an orphan may hold the pipe."""

_LINGER_SECONDS = 10.0


class RunningExec:
    """An exec'd process and its streams."""

    def __init__(self, identifier: str, session: Session) -> None:
        self.id = identifier
        self.session = session
        self.pid = 0
        self.pidfd = -1
        self.exit_code = -1


class Monitor:
    """The state and the behaviour of one monitor process."""

    def __init__(self, request: msg.MonitorRequest, layout: CgroupLayout, lock: int) -> None:
        """`lock` is a descriptor to be closed when the container runs, or will not."""
        self._request = request
        self._lock = lock
        self._layout = layout
        self._loop = Loop()
        self._events: list[socket.socket] = []
        self._execs: dict[str, RunningExec] = {}
        self._pid = 0
        self._pidfd = -1
        self._process = -1
        self._start_time = 0
        self._started_at = 0.0
        self._exit: msg.Exited | None = None
        self._resolver: tuple[int, ...] = ()
        self._oom = OomWatch(self._loop, self._tell_oom)
        self._session = Session(
            self._loop, log=self._open_log(request.log), close_stdin=request.stdin_once,
            on_end=self._maybe_stop, on_detached=lambda number: self._tell(msg.Detached(number)),
        )  # fmt: skip

    # Beginning and end

    def run(
        self, starter: Starter, plan: int, requests: socket.socket, events: socket.socket,
        attachments: Sequence[tuple[int, msg.AttachOptions]],
    ) -> None:  # fmt: skip
        """Starts the container, answers the first request, serves until all is over.

        `plan` is the memory file of the whole request, which is closed.
        """
        listener = self._prepare()
        try:
            started = self._start(starter, plan, attachments)
        except (WherryError, OSError) as error:
            name = type(error).__name__ if type(error).__name__ in BY_NAME else "StartFailed"
            if isinstance(error, WherryError):
                text = error.message
            else:
                text = failure_of_system_call(error)
            self._session.finish()
            self._remove_files()
            os.close(self._lock)
            with contextlib.suppress(OSError):  # the daemon may be gone, and the next one looks
                requests.send(msgspec.json.encode(msg.Answer(error=name, message=text)))
            return
        os.close(self._lock)
        self._loop.watch(listener.fileno(), READ, lambda _: self._accept(listener))
        self._serve(requests)
        self._add_events(events)
        # The daemon may be gone already: the container runs all the same.
        with contextlib.suppress(OSError):
            requests.send(msgspec.json.encode(msg.Answer(started=started)))
        self._loop.run()

    def rehearse(self) -> None:
        """Takes the first steps of `run` and the last, without a container."""
        self._prepare().close()
        pipes = make_pipes(False, self._request.root_ids)
        self._session.use_pipes(pipes.stdin, pipes.stdout, pipes.stderr)
        for descriptor in pipes.child:
            os.close(descriptor)
        self._session.finish()
        self._remove_files()

    def _prepare(self) -> socket.socket:
        os.makedirs(self._request.state_dir, mode=0o700, exist_ok=True)
        self._write_state()
        return self._listen()

    def _write_state(self) -> None:
        state = msg.StateFile(
            protocol=msg.PROTOCOL,
            id=self._request.id,
            boot_id=boot_id(),
            monitor_pid=os.getpid(),
            monitor_start_time=process_start_time(os.getpid()) or 0,
            cgroup_path=self._request.cgroup_path,
            pid=self._pid,
            start_time=self._start_time,
            started_at=self._started_at,
        )
        write_atomic(self._path("state.json"), msgspec.json.encode(state))

    def _path(self, name: str) -> str:
        return f"{self._request.state_dir}/{name}"

    def _listen(self) -> socket.socket:
        self._remove("monitor.sock")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        mask = os.umask(0o177)
        directory = os.open(self._request.state_dir, os.O_PATH | os.O_CLOEXEC)
        try:
            # By descriptor, since a socket's path may have 107 bytes only (unix(7)).
            listener.bind(f"/proc/self/fd/{directory}/monitor.sock")
        finally:
            os.close(directory)
            os.umask(mask)
        listener.listen(16)
        listener.setblocking(False)
        return listener

    def _start(
        self, starter: Starter, plan: int, attachments: Sequence[tuple[int, msg.AttachOptions]]
    ) -> msg.Started:
        for descriptor, options in attachments:
            self._session.attach(descriptor, options)
        request = self._request
        pipes: Pipes | None = None
        streams = Streams(-1, -1, -1)
        if not request.tty:
            pipes = make_pipes(request.open_stdin, request.root_ids)
            streams = pipes.child
        try:
            launched = starter.start(plan, streams)
        finally:
            for descriptor in (plan, *streams):
                if descriptor >= 0:
                    os.close(descriptor)
        self._pid = launched.pid
        self._resolver = launched.resolver
        self._process = launched.process
        self._pidfd = os.pidfd_open(launched.pid)
        self._start_time = process_start_time(launched.pid) or 0
        self._started_at = now_ns() / 1e9
        self._write_state()
        if pipes:
            self._session.use_pipes(pipes.stdin, pipes.stdout, pipes.stderr)
        else:
            self._session.use_terminal(launched.console)
        self._loop.watch(self._pidfd, READ, lambda _: self._reap_init())
        if request.cgroup_path:
            self._oom.start(Cgroup(self._layout, request.cgroup_path))
        return msg.Started(self._pid, self._start_time, self._started_at)

    def _reap_init(self) -> None:
        _, status = os.waitpid(self._pid, 0)
        self._loop.forget(self._pidfd)
        os.close(self._pidfd)
        oom = self._oom.finish() > 0
        code, number = exit_code(status)
        self._exit = msg.Exited(code, now_ns() / 1e9, number, oom)
        self._record_exit(self._exit)
        self._session.finish()
        self._loop.set_deadline(DRAIN_SECONDS, self._finish_all)
        self._tell(self._exit)
        self._maybe_stop()

    def _tell_oom(self) -> None:
        self._tell(msg.OutOfMemory())

    def _record_exit(self, event: msg.Exited) -> None:
        """Appends the exit and makes it survive before anybody is told."""
        descriptor = os.open(
            self._path("exits"), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        try:
            os.write(descriptor, msgspec.json.encode(event) + b"\n")
        finally:
            os.close(descriptor)

    def _finish_all(self) -> None:
        self._session.finish()
        for running in self._execs.values():
            running.session.finish()
        self._loop.set_deadline(_LINGER_SECONDS, self._loop.stop)
        self._maybe_stop()

    def _maybe_stop(self) -> None:
        """Ends when the container has, all its output is delivered and nobody waits."""
        if self._exit is None or not self._session.ended:
            return
        sessions = [self._session, *(item.session for item in self._execs.values())]
        if all(item.ended and item.idle() for item in sessions):
            self._loop.stop()

    def _remove_files(self) -> None:
        for name in ("monitor.sock", "state.json"):
            self._remove(name)

    def _remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path(name))

    # Connections

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        self._loop.watch(connection.fileno(), READ, lambda _: self._request_ready(connection))

    def _add_events(self, connection: socket.socket) -> None:
        self._events.append(connection)
        if self._exit:
            self._tell(self._exit)

    def _request_ready(self, connection: socket.socket) -> None:
        try:
            data, descriptors = receive_message(connection, msg.MESSAGE_SIZE)
        except OSError:
            data, descriptors = b"", []
        if not data:
            self._loop.forget(connection.fileno())
            connection.close()
            return
        given: tuple[int, ...] = ()
        try:
            request = msg.decode_request(data)
            if isinstance(request, msg.Hello) and request.role == "events":
                self._loop.forget(connection.fileno())
                self._add_events(connection)
                return
            if isinstance(request, msg.OpenResolver):
                given = self._open_resolver()
            answer = self._answer(request, descriptors)
        except WherryError as error:
            name = type(error).__name__ if type(error).__name__ in BY_NAME else "StartFailed"
            answer = msg.Answer(error=name, message=error.message)
        except (OSError, msgspec.MsgspecError) as error:
            answer = msg.Answer(error="StartFailed", message=str(error))
        with contextlib.suppress(OSError):
            send_message(connection, msgspec.json.encode(answer), given)

    def _answer(self, request: msg.Request, descriptors: list[int]) -> msg.Answer:
        match request:
            case msg.GetState():
                return msg.Answer(state=self._state())
            case msg.Signal(number, exec_id):
                self._signal(number, exec_id)
            case msg.Attach(options):
                number = self._session.attach(descriptors[0], options)
                return msg.Answer(attach_id=number, log_offset=self._log_size())
            case msg.Release(attach_id):
                self._session.release(attach_id)
            case msg.Exec(exec_request, options):
                return self._exec(exec_request, options, descriptors)
            case msg.Resize(height, width, exec_id):
                self._resize(height, width, exec_id)
            case msg.SetLog(settings):
                self._set_log(settings)
            case msg.Hello() | msg.OpenResolver():
                pass
        return msg.Answer()

    def _tell(self, event: msg.Event) -> None:
        data = msgspec.json.encode(event)
        for connection in list(self._events):
            try:
                connection.send(data, socket.MSG_DONTWAIT)
            except OSError:  # a daemon that is gone, or does not read: the files tell the next
                self._events.remove(connection)
                connection.close()

    # What is asked

    def _state(self) -> msg.MonitorState:
        finished = self._exit
        return msg.MonitorState(
            id=self._request.id,
            pid=self._pid,
            status="exited" if finished else "running",
            started_at=self._started_at,
            start_time=self._start_time,
            exit_code=finished.exit_code if finished else -1,
            finished_at=finished.finished_at if finished else 0.0,
            oom_killed=finished.oom_killed if finished else False,
            log_offset=self._log_size(),
            execs={
                key: msg.ExecState(item.pid, item.exit_code < 0, item.exit_code)
                for key, item in self._execs.items()
            },
        )

    def _log_size(self) -> int:
        return self._session.log.size if self._session.log else 0

    def _signal(self, number: int, exec_id: str) -> None:
        pidfd = self._execs[exec_id].pidfd if exec_id else self._pidfd
        finished = self._execs[exec_id].exit_code >= 0 if exec_id else self._exit is not None
        if finished:
            raise ProcessLookupError(3, "the process has ended")
        signal.pidfd_send_signal(pidfd, number)

    def _resize(self, height: int, width: int, exec_id: str) -> None:
        session = self._execs[exec_id].session if exec_id else self._session
        if session.terminal >= 0:
            set_window_size(session.terminal, height, width)

    def _open_resolver(self) -> tuple[int, ...]:
        """The sockets and what says whose they are; raises StartFailed, OSError at its end."""
        if self._exit is not None:
            raise ProcessLookupError(3, "the process has ended")
        if not self._resolver:
            self._resolver = open_inside(self._pid)
        if len(self._resolver) == 2:
            self._resolver = (*self._resolver, namespace_fd(self._pid, "network"))
        return (*self._resolver, self._pidfd)

    def _exec(
        self, request: msg.ExecRequest, options: msg.AttachOptions, descriptors: list[int]
    ) -> msg.Answer:
        session = Session(
            self._loop, log=None, close_stdin=True, on_end=self._maybe_stop,
            on_detached=lambda number: self._tell(msg.Detached(number, request.id)),
        )  # fmt: skip
        pipes: Pipes | None = None
        streams = Streams(-1, -1, -1)
        if not request.tty:
            pipes = make_pipes(request.open_stdin, self._request.root_ids)
            streams = pipes.child
        try:
            launched = enter(
                lambda: process_plan(read_process(self._process), request),
                self._pid, self._request.cgroup_path, self._layout, streams,
            )  # fmt: skip
        except BaseException:
            for descriptor in (*descriptors, *(pipes[1:] if pipes else ())):
                if isinstance(descriptor, int) and descriptor >= 0:
                    os.close(descriptor)
            raise
        finally:
            for descriptor in streams:
                if descriptor >= 0:
                    os.close(descriptor)
        running = RunningExec(request.id, session)
        running.pid, running.pidfd = launched.pid, os.pidfd_open(launched.pid)
        self._execs[request.id] = running
        if descriptors:
            session.attach(descriptors[0], options)
        if pipes:
            session.use_pipes(pipes.stdin, pipes.stdout, pipes.stderr)
        else:
            session.use_terminal(launched.console)
        self._loop.watch(running.pidfd, READ, lambda _: self._reap_exec(running))
        return msg.Answer(pid=launched.pid)

    def _reap_exec(self, running: RunningExec) -> None:
        _, status = os.waitpid(running.pid, 0)
        running.exit_code, _ = exit_code(status)
        self._loop.forget(running.pidfd)
        os.close(running.pidfd)
        # The daemon must know the code before the client sees its stream end.
        self._tell(msg.ExecExited(running.id, running.exit_code))
        running.session.finish()

    # Log

    def _open_log(self, settings: msg.LogSettings) -> LogWriter | None:
        if settings.driver == "none" or not settings.path:
            return None
        ring = settings.max_buffer_size if settings.mode == "non-blocking" else 0
        os.makedirs(os.path.dirname(settings.path), mode=0o710, exist_ok=True)
        return LogWriter(
            settings.path, max_size=settings.max_size, max_file=settings.max_file,
            compress=settings.compress, attributes=settings.attrs, buffer_size=ring,
        )  # fmt: skip

    def _set_log(self, settings: msg.LogSettings) -> None:
        if self._session.log:
            ring = settings.max_buffer_size if settings.mode == "non-blocking" else 0
            self._session.log.configure(
                max_size=settings.max_size, max_file=settings.max_file,
                compress=settings.compress, buffer_size=ring, attributes=settings.attrs,
            )  # fmt: skip


def exit_code(status: int) -> tuple[int, int]:
    """Docker's exit code and the signal (0 for none) of a wait status."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return 128 + number, number
    return os.WEXITSTATUS(status), 0


def monitor_main(
    descriptors: list[int], options: Sequence[msg.AttachOptions], layout: CgroupLayout, lock: int,
    starter: Starter,
) -> None:  # fmt: skip
    """The forked process's main function: request, two connections, attachments."""
    os.setsid()
    set_name("wherry-monitor")
    plan, requests, events, *clients = descriptors
    monitor = Monitor(msg.decode_monitor_request(read_whole(plan)), layout, lock)
    monitor.run(
        starter, plan, socket.socket(fileno=requests), socket.socket(fileno=events),
        list(zip(clients, options, strict=True)),
    )  # fmt: skip
