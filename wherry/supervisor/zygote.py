"""The zygote: a single-threaded process with everything imported, which forks monitors and tasks.

Executed from a sealed copy of the interpreter, so that no descendant's /proc/self/exe is a file of
the host (CVE-2019-5736). Its heap is frozen before the first fork: children share its pages. It
ends when the daemon's end of its connection closes; monitors go on.
"""

import gc
import json
import os
import signal
import socket
import sys

import msgspec

from wherry.linux.cgroup.group import Cgroup
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.linux.fd import receive_message
from wherry.linux.process import set_name
from wherry.supervisor import messages as msg
from wherry.supervisor.monitor import monitor_main
from wherry.supervisor.tasks import task_main


def main() -> None:
    """`zygote DESCRIPTOR TASKS CGROUP`: serves the connection until it closes."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    tasks: dict[str, str] = json.loads(sys.argv[2])
    set_name("wherry-zygote")
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # Children that nobody waits for: the kernel reaps them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    layout = CgroupLayout.detect()
    if sys.argv[3]:
        Cgroup(layout, sys.argv[3]).enter("monitors of containers")
    decoder = msgspec.json.Decoder(msg.ZygoteRequest)
    connection.send(b"ready")
    gc.collect()
    gc.disable()
    gc.freeze()
    while True:
        data, descriptors = receive_message(connection, msg.MESSAGE_SIZE, 64)
        if not data:
            return
        request = decoder.decode(data)
        if os.fork() == 0:
            connection.close()
            _child(request, descriptors, tasks, layout)
        for descriptor in descriptors:
            os.close(descriptor)


def _child(
    request: msg.ZygoteRequest, descriptors: list[int], tasks: dict[str, str],
    layout: CgroupLayout,
) -> None:  # fmt: skip
    """Becomes a monitor or a task; never returns."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if isinstance(request, msg.RunTask):
            task_main(tasks[request.name], descriptors)
        else:
            monitor_main(descriptors, request.attachments, layout)
        status = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
