"""Further processes in a running container: a fork into its pid namespace, one setns(2)."""

import errno
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import msgspec

from wherry.base.errors import NotFound, failure_of_system_call
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
from wherry.runtime.context import Report, decode_report
from wherry.runtime.errors import BY_NAME, StartFailed
from wherry.runtime.launch import Launched, Streams
from wherry.runtime.operations import ProcessPlan

_NAMESPACES = ("ipc", "uts", "network", "cgroup", "mount")


def enter(
    plan: Callable[[], ProcessPlan], init_pid: int, cgroup_path: str, layout: CgroupLayout,
    streams: Streams,
) -> Launched:  # fmt: skip
    """Runs a process beside a container's first one; returns when its program runs.

    What is to run is asked for in the new process, so that the caller need not hold it. Raises
    StartFailed and its kin, in runc's words.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    console = -1
    pid = 0
    try:
        with _container(init_pid) as pidfd:
            pid = os.fork()
            if pid == 0:
                ours.close()
                _Process(plan, streams, theirs).main(pidfd, init_pid, cgroup_path, layout)
        theirs.close()
        while True:
            data, descriptors = receive_message(ours)
            if not data:
                return Launched(pid, console)
            report = decode_report(data)
            if report.error:
                raise BY_NAME[report.error](report.message)
            if report.stage == "console":
                console = descriptors[0]
    except BaseException:
        if console >= 0:
            os.close(console)
        if pid:
            _reap(pid)
        raise
    finally:
        ours.close()
        theirs.close()


@contextmanager
def _container(init_pid: int) -> Iterator[int]:
    """Children forked meanwhile are born into the container's pid namespace; yields its pidfd.

    They are not to be traced by what is inside before they have become the container's own
    (CVE-2016-9962), so they are born undumpable.
    """
    own = ns.namespace_fd("self", "pid")
    try:
        pidfd = os.pidfd_open(init_pid)
        try:
            ns.setns(pidfd, ns.CLONE_NEWPID)
            set_dumpable(False)
            yield pidfd
        finally:
            set_dumpable(True)
            ns.setns(own, ns.CLONE_NEWPID)
            os.close(pidfd)
    except OSError as error:
        raise StartFailed(f"the container's namespaces cannot be joined: {error}") from error
    finally:
        os.close(own)


def _reap(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        return


def join_container(pid: int, start_time: int) -> None:
    """Joins the mount namespace of a container, as root of the user namespace that owns it.

    Its process is told by id and start time (proc(5)); raises NotFound if it has ended.
    """
    ended = NotFound("the container has ended meanwhile: try again")
    pidfd = -1
    try:
        pidfd = pidfd_open(pid)
        if process_start_time(pid) != start_time:
            raise ended
        join_namespaces(pidfd, pid, ns.CLONE_NEWNS)
    except OSError as error:
        if error.errno == errno.ESRCH:
            raise ended from error
        raise
    finally:
        if pidfd >= 0:
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


class _Process:
    """The child's side: from the fork to the program."""

    def __init__(
        self, plan: Callable[[], ProcessPlan], streams: Streams, channel: socket.socket
    ) -> None:
        self._make_plan = plan
        self._streams = streams
        self._channel = channel

    def main(self, pidfd: int, init_pid: int, cgroup_path: str, layout: CgroupLayout) -> NoReturn:
        """Joins the container and executes the program."""
        try:
            plan = self._make_plan()
            forbid_imports()
            if cgroup_path:
                Cgroup(layout, cgroup_path).join_beside(init_pid)
            if in_user_namespace(init_pid):
                process.raise_limits(plan.rlimits)
            join_namespaces(pidfd, init_pid, _kinds())
            self._run(plan)
        except tuple(BY_NAME.values()) as error:
            self._tell(type(error).__name__, error.message)
        except OSError as error:
            self._tell("StartFailed", failure_of_system_call(error))
        finally:
            os._exit(1)

    def _run(self, plan: ProcessPlan) -> None:
        os.chdir("/")
        if plan.terminal:
            self._open_terminal(plan)
        else:
            os.setsid()
            for target, source in enumerate(self._streams):
                os.dup2(source, target)
        path, environment = process.become(plan, self._channel.fileno())
        process.execute(path, plan.args, environment)

    def _open_terminal(self, plan: ProcessPlan) -> None:
        master, slave = devices.open_terminal()
        if plan.console_size != (0, 0):
            set_window_size(master, *plan.console_size)
        socket.send_fds(self._channel, [b'{"stage":"console"}'], [master])
        os.close(master)
        take_terminal(slave)

    def _tell(self, error: str, message: str) -> None:
        self._channel.send(msgspec.json.encode(Report(error=error, message=message)))


def _kinds() -> int:
    """The namespaces to join, as far as the kernel knows them."""
    flags = 0
    for kind in _NAMESPACES:
        if ns.supported(kind):
            flags |= ns.KINDS[kind][0]
    return flags
