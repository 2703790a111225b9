"""What daemon, zygote and monitors say to each other. Shared by all; imports nothing of theirs.

Requests and answers are single messages of SOCK_SEQPACKET connections, JSON with descriptors.
The core (hello, state, signal, exec, attach, events) does not change within a protocol version;
fields are only added, with defaults, so that a new daemon speaks to older monitors.
"""

import msgspec

from wherry.runtime.operations import Plan

PROTOCOL = 1
MESSAGE_SIZE = 1 << 17


class LogSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a container's output is logged; sizes in bytes, `max_size` -1 for no rotation."""

    driver: str = "json-file"
    path: str = ""
    max_size: int = -1
    max_file: int = 1
    compress: bool = False
    mode: str = "blocking"
    max_buffer_size: int = 1 << 20
    attrs: dict[str, str] = {}
    tag: str = ""


class MonitorRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a monitor has to know of its container; `root_ids` is its root's user and group."""

    id: str
    log: LogSettings
    state_dir: str
    cgroup_path: str = ""
    root_ids: tuple[int, int] = (0, 0)
    tty: bool = False
    open_stdin: bool = False
    stdin_once: bool = False


class StartRequest(MonitorRequest, frozen=True, kw_only=True, omit_defaults=True):
    """A container to start; travels as a sealed memory file. Only the starter reads the plan."""

    plan: Plan


decode_start_request = msgspec.msgpack.Decoder(StartRequest).decode
decode_monitor_request = msgspec.msgpack.Decoder(MonitorRequest).decode
"""Read a StartRequest, whole or without the plan. Made when imported: what a decoder knows of types
is then shared by all forks."""


class AttachOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a client wants of a process's streams.

    `framed` puts Docker's eight-byte headers before output. `hold` collects output until
    `release`, while somebody writes the history before it. Detach keys are bytes, none if empty.
    """

    stdin: bool = False
    stdout: bool = True
    stderr: bool = True
    framed: bool = True
    detach_keys: str = ""
    hold: bool = False


class ExecRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A further process in the container; empty fields are as for its first one."""

    id: str
    args: tuple[str, ...]
    env: tuple[str, ...] = ()
    cwd: str = ""
    user: str = ""
    group_add: tuple[str, ...] = ()
    privileged: bool = False
    tty: bool = False
    open_stdin: bool = False
    console_size: tuple[int, int] = (0, 0)


class Started(msgspec.Struct, frozen=True):
    """A container runs: its pid, the kernel's start time of it in ticks, seconds of the epoch."""

    pid: int
    start_time: int
    started_at: float


class ExecState(msgspec.Struct, frozen=True, omit_defaults=True):
    """An exec'd process: `exit_code` -1 while it runs."""

    pid: int
    running: bool = True
    exit_code: int = -1


class MonitorState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything a new daemon asks a monitor; `exit_code` -1 while it runs."""

    id: str
    pid: int
    status: str
    started_at: float
    start_time: int = 0
    exit_code: int = -1
    finished_at: float = 0.0
    oom_killed: bool = False
    log_offset: int = 0
    execs: dict[str, ExecState] = {}


class StateFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a monitor writes down before anything irreversible."""

    protocol: int
    id: str
    boot_id: str
    monitor_pid: int
    monitor_start_time: int
    cgroup_path: str
    pid: int = 0
    start_time: int = 0
    started_at: float = 0.0


class Exited(msgspec.Struct, frozen=True, tag="exited", omit_defaults=True):
    """The container's first process has ended; `signal` 0 if it exited by itself."""

    exit_code: int
    finished_at: float
    signal: int = 0
    oom_killed: bool = False
    error: str = ""


class ExecExited(msgspec.Struct, frozen=True, tag="exec_exited"):
    """An exec'd process has ended."""

    exec_id: str
    exit_code: int


class Detached(msgspec.Struct, frozen=True, tag="detached", omit_defaults=True):
    """A client typed the detach keys, or went away."""

    attach_id: int
    exec_id: str = ""


class OutOfMemory(msgspec.Struct, frozen=True, tag="oom"):
    """The kernel killed a process of the container for want of memory."""


Event = Exited | ExecExited | Detached | OutOfMemory


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The first message of a connection: what it is for (`requests` or `events`)."""

    role: str
    protocol: int = PROTOCOL


class GetState(msgspec.Struct, frozen=True, tag="state"):
    """Asks for MonitorState."""


class Signal(msgspec.Struct, frozen=True, tag="signal", omit_defaults=True):
    """Signals the first process, or an exec'd one."""

    number: int
    exec_id: str = ""


class Attach(msgspec.Struct, frozen=True, tag="attach"):
    """Attaches the descriptor that comes along."""

    options: AttachOptions


class Release(msgspec.Struct, frozen=True, tag="release"):
    """Lets a held attachment flow."""

    attach_id: int


class Exec(msgspec.Struct, frozen=True, tag="exec"):
    """Runs a process; the descriptor that comes along, if any, is attached to it."""

    request: ExecRequest
    options: AttachOptions


class Resize(msgspec.Struct, frozen=True, tag="resize", omit_defaults=True):
    """Tells a terminal its size."""

    height: int
    width: int
    exec_id: str = ""


class SetLog(msgspec.Struct, frozen=True, tag="set_log"):
    """Changes rotation of the live log."""

    settings: LogSettings


class OpenResolver(msgspec.Struct, frozen=True, tag="resolver"):
    """Asks for the embedded DNS server's sockets, opened now if they are not yet.

    With the answer come descriptors: UDP and TCP sockets, the network namespace, a pidfd.
    """


Request = Hello | GetState | Signal | Attach | Release | Exec | Resize | SetLog | OpenResolver


decode_request = msgspec.json.Decoder(Request).decode
"""Reads a Request. Made when imported: what a decoder knows of types is shared by all forks."""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a request: a value by kind of request, or an error by class name."""

    error: str = ""
    message: str = ""
    started: Started | None = None
    state: MonitorState | None = None
    attach_id: int = 0
    log_offset: int = 0
    pid: int = 0


class StartMonitor(msgspec.Struct, frozen=True, tag="start", omit_defaults=True):
    """To the zygote: descriptors are the request, two connections, then attachments."""

    attachments: tuple[AttachOptions, ...] = ()


class RunTask(msgspec.Struct, frozen=True, tag="task", omit_defaults=True):
    """To the zygote: descriptors are the parameters, the result's stream, then the task's own.

    A task that does not `outlive` the daemon is killed when the daemon ends.
    """

    name: str
    outlive: bool = False


class Expect(msgspec.Struct, frozen=True, tag="expect"):
    """To the zygote: a start or an exec is on its way, so make the kernel ready for it."""


ZygoteRequest = StartMonitor | RunTask | Expect
