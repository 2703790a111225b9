"""What the operations of one start share."""

import select
import socket

from wherry.linux.cgroup.layout import CgroupLayout
from wherry.runtime.context import Context
from wherry.runtime.operations import Plan, ProcessPlan


def test_a_placeholder_does_not_hide_that_init_closed_its_channel() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    layout = CgroupLayout(version=2, root="/sys/fs/cgroup")
    context = Context(Plan("name", ProcessPlan(("true",))), layout, ours)
    with ours, theirs:
        assert context.start_placeholder() > 0
        try:
            theirs.close()
            readable, _, _ = select.select([ours], [], [], 30)
            assert readable
            assert ours.recv(1) == b""
        finally:
            context.end_placeholder()
