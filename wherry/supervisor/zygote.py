"""The zygote: a single-threaded process with everything imported, which forks monitors and tasks.

Executed from a sealed copy of the interpreter, so that no descendant's /proc/self/exe is a file of
the host (CVE-2019-5736). Its heap is frozen before the first fork: children share its pages. It
ends when the daemon's end of its connection closes; monitors go on.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

import msgspec

from wherry.linux.cgroup import scope
from wherry.linux.cgroup.group import Cgroup
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.linux.fd import receive_message
from wherry.linux.process import die_with, set_child_subreaper, set_name
from wherry.supervisor import messages as msg
from wherry.supervisor.monitor import monitor_main
from wherry.supervisor.rehearsal import rehearse
from wherry.supervisor.starter import Starter
from wherry.supervisor.tasks import task_main

_DESCRIPTORS = 64


def main() -> None:
    """`zygote DESCRIPTOR TASKS CGROUP LOCK SCRATCH`: serves the connection until it closes."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    tasks: dict[str, str] = json.loads(sys.argv[2])
    lock = int(sys.argv[4])
    os.set_inheritable(lock, False)
    set_name("wherry-zygote")
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # Children that nobody waits for: the kernel reaps them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    layout = CgroupLayout.detect()
    group = Cgroup(layout, sys.argv[3]) if sys.argv[3] else None
    if group:
        group.enter("monitors of containers")
        if scope.is_scope(group.path):
            scope.load()
    zygote = Zygote(connection, tasks, layout, group, lock)
    connection.send(b"ready")
    rehearse(sys.argv[5], layout)
    gc.collect()
    gc.disable()
    gc.freeze()
    zygote.serve()


class Zygote:
    """Answers requests by forking; keeps one child ahead for the next start."""

    def __init__(
        self, connection: socket.socket, tasks: dict[str, str], layout: CgroupLayout,
        group: Cgroup | None, lock: int,
    ) -> None:  # fmt: skip
        """`lock` is the descriptor of supervisor.quiet, which children inherit."""
        self._connection = connection
        self._tasks = tasks
        self._layout = layout
        self._group = group
        self._lock = lock
        self._pid = os.getpid()
        self._decoder = msgspec.json.Decoder(msg.ZygoteRequest)
        self._spare: socket.socket | None = None

    def serve(self) -> None:
        """Returns when the connection closes."""
        waiting = select.poll()
        waiting.register(self._connection, select.POLLIN)
        while True:
            if self._spare is None and not waiting.poll(0):
                self._fork_spare()
            data, descriptors = receive_message(self._connection, msg.MESSAGE_SIZE, _DESCRIPTORS)
            if not data:
                return
            request = self._decoder.decode(data)
            if isinstance(request, msg.Expect):
                self._give_to_spare(data, descriptors)
            elif isinstance(request, msg.StartMonitor) and self._give_to_spare(data, descriptors):
                self._forget_spare()
            else:
                self._fork(request, descriptors)
            for descriptor in descriptors:
                os.close(descriptor)

    def _fork(self, request: msg.ZygoteRequest, descriptors: list[int]) -> None:
        if os.fork() == 0:
            self._connection.close()
            self._forget_spare()
            self._become(request, descriptors)

    def _fork_spare(self) -> None:
        """A start then does not wait for fork(2), which copies the page tables of a large heap."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            ours.close()
            self._connection.close()
            self._wait_for_request(theirs)
        theirs.close()
        self._spare = ours

    def _give_to_spare(self, data: bytes, descriptors: Sequence[int]) -> bool:
        """Passes a request on; False if there is no spare child, or it has died."""
        if self._spare is None:
            return False
        try:
            socket.send_fds(self._spare, [data], descriptors)
        except OSError:
            self._forget_spare()
            return False
        return True

    def _forget_spare(self) -> None:
        if self._spare:
            self._spare.close()
            self._spare = None

    def _wait_for_request(self, connection: socket.socket) -> NoReturn:
        """The spare child; ends with the zygote."""
        try:
            set_name("wherry-spare")
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            set_child_subreaper()
            starter = Starter(self._layout, connection)
            while True:
                data, descriptors = receive_message(connection, msg.MESSAGE_SIZE, _DESCRIPTORS)
                if not data:
                    os._exit(0)
                request = self._decoder.decode(data)
                if not isinstance(request, msg.Expect):
                    break
                if self._group:
                    self._group.ready_migration()
            connection.close()
            self._become(request, descriptors, starter)
        finally:
            os._exit(1)

    def _become(
        self, request: msg.ZygoteRequest, descriptors: list[int], starter: Starter | None = None
    ) -> NoReturn:
        """The child becomes a monitor or a task; never returns."""
        status = 1
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if isinstance(request, msg.RunTask):
                if request.outlive:
                    os.close(self._lock)
                else:
                    die_with(self._pid)
                task_main(self._tasks[request.name], descriptors)
            elif isinstance(request, msg.StartMonitor):
                set_child_subreaper()
                starter = starter or Starter(self._layout)
                monitor_main(descriptors, request.attachments, self._layout, self._lock, starter)
            status = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)


if __name__ == "__main__":
    main()
