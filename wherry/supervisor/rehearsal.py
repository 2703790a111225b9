"""The zygote takes a monitor's first steps itself, before it forks any.

The interpreter adapts code to what it has seen and writes that into the code (PEP 659): a forked
process pays for each page so written. What has run often enough in the zygote is shared by all.
"""

import contextlib
import os
import socket

import msgspec

from wherry.linux.cgroup.layout import CgroupLayout
from wherry.linux.fd import receive_message, send_message
from wherry.supervisor import messages as msg
from wherry.supervisor.monitor import Monitor

TIMES = 16
"""More often than it takes the interpreter to specialize an instruction."""


def rehearse(directory: str, layout: CgroupLayout) -> None:
    """Uses a scratch directory, which is removed; where it cannot be made nothing happens."""
    request = msg.MonitorRequest(
        id="", log=msg.LogSettings(path=f"{directory}/log"), state_dir=directory
    )
    data = msgspec.msgpack.encode(request)
    with contextlib.suppress(OSError):
        for _ in range(TIMES):
            _exchange_descriptors()
            Monitor(msg.decode_monitor_request(data), layout, -1).rehearse()
        os.unlink(f"{directory}/log")
        os.rmdir(directory)


def _exchange_descriptors() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        send_message(ours, msgspec.json.encode(msg.StartMonitor()), [ours.fileno()])
        _, descriptors = receive_message(theirs)
        for descriptor in descriptors:
            os.close(descriptor)
