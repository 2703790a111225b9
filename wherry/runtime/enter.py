"""Further processes in a running container: two forks from the caller, one setns(2)."""

import os
import signal
import socket

import msgspec

from wherry.base.errors import NotFound
from wherry.linux import namespace as ns
from wherry.linux.cgroup.group import Cgroup
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.linux.fd import receive_message
from wherry.linux.process import (
    forbid_imports,
    pidfd_open,
    process_start_time,
    set_dumpable,
)
from wherry.linux.terminal import set_window_size, take_terminal
from wherry.runtime import devices, process
from wherry.runtime.context import Report
from wherry.runtime.errors import BY_NAME, StartFailed
from wherry.runtime.launch import Launched, Streams
from wherry.runtime.operations import ProcessPlan

_NAMESPACES = ("ipc", "uts", "network", "pid", "cgroup", "mount")


def enter(
    plan: ProcessPlan, init_pid: int, cgroup_path: str, layout: CgroupLayout, streams: Streams
) -> Launched:
    """Runs a process beside a container's first one; returns when its program runs.

    The caller must be a subreaper. Raises StartFailed and its kin, in runc's words.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stage = os.fork()
    if stage == 0:
        ours.close()
        _stage(plan, init_pid, cgroup_path, layout, streams, theirs)
    theirs.close()
    console, pid = -1, 0
    failure: Report | None = None
    try:
        while True:
            data, descriptors = receive_message(ours)
            if not data:
                break
            report = msgspec.json.decode(data, type=Report)
            if report.pid:
                pid = report.pid
                os.waitpid(stage, 0)
                stage = 0
            if report.error:
                failure = report  # its pid may still be on the way
            if report.stage == "console":
                console = descriptors[0]
        if failure:
            raise BY_NAME[failure.error](failure.message)
        if not pid:
            raise StartFailed("the container's namespaces cannot be joined")
    except BaseException:
        if console >= 0:
            os.close(console)
        if pid:
            _reap(pid)
        raise
    finally:
        ours.close()
        if stage:
            os.waitpid(stage, 0)
    return Launched(pid, console)


def _reap(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        return


def _stage(
    plan: ProcessPlan, init_pid: int, cgroup_path: str, layout: CgroupLayout, streams: Streams,
    channel: socket.socket,
) -> None:  # fmt: skip
    """Joins the container and forks the process, which is in its pid namespace; never returns."""
    status = 1
    try:
        # Not to be traced by what is inside before it has become the container's own
        # (CVE-2016-9962).
        set_dumpable(False)
        forbid_imports()
        if cgroup_path:
            Cgroup(layout, cgroup_path).join_beside(init_pid)
        if in_user_namespace(init_pid):
            process.raise_limits(plan.rlimits)
        _join_namespaces(init_pid)
        pid = os.fork()
        if pid == 0:
            _main(plan, streams, channel)
        channel.send(msgspec.json.encode(Report(pid=pid)))
        status = 0
    except tuple(BY_NAME.values()) as error:
        _tell(channel, type(error).__name__, error.message)
    except OSError as error:
        _tell(channel, "StartFailed", str(error))
    finally:
        os._exit(status)


def _join_namespaces(init_pid: int) -> None:
    flags = 0
    for kind in _NAMESPACES:
        if ns.supported(kind):
            flags |= ns.KINDS[kind][0]
    pidfd = os.pidfd_open(init_pid)
    try:
        join_namespaces(pidfd, init_pid, flags)
    finally:
        os.close(pidfd)


def join_container(pid: int, start_time: int) -> None:
    """Joins the mount namespace of a container, as root of the user namespace that owns it.

    Its process is told by id and start time (proc(5)); raises NotFound if it has ended.
    """
    pidfd = pidfd_open(pid)
    try:
        if process_start_time(pid) != start_time:
            raise NotFound("the container has ended meanwhile: try again")
        join_namespaces(pidfd, pid, ns.CLONE_NEWNS)
    finally:
        os.close(pidfd)


def join_namespaces(pidfd: int, pid: int, flags: int) -> None:
    """Joins namespaces of a process, as root of the user namespace that owns them."""
    mapped = in_user_namespace(pid)
    ns.setns(pidfd, flags | (ns.CLONE_NEWUSER if mapped else 0))
    if mapped:
        os.setgroups(())
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)


def in_user_namespace(pid: int) -> bool:
    """Whether a process has another user namespace than the caller."""
    return os.stat("/proc/self/ns/user").st_ino != os.stat(f"/proc/{pid}/ns/user").st_ino


def _main(plan: ProcessPlan, streams: Streams, channel: socket.socket) -> None:
    try:
        os.chdir("/")
        if plan.terminal:
            master, slave = devices.open_terminal()
            if plan.console_size != (0, 0):
                set_window_size(master, *plan.console_size)
            socket.send_fds(channel, [b'{"stage":"console"}'], [master])
            os.close(master)
            take_terminal(slave)
        else:
            os.setsid()
            for target, source in enumerate(streams):
                os.dup2(source, target)
        path, environment = process.become(plan, channel.fileno())
        process.execute(path, plan.args, environment)
    except tuple(BY_NAME.values()) as error:
        _tell(channel, type(error).__name__, error.message)
    except OSError as error:
        _tell(channel, "StartFailed", str(error))
    finally:
        os._exit(1)


def _tell(channel: socket.socket, error: str, message: str) -> None:
    channel.send(msgspec.json.encode(Report(error=error, message=message)))
