"""What the operations of one start share while they run."""

import os
import signal
import socket

import msgspec

from wherry.linux.cgroup.layout import CgroupLayout
from wherry.linux.fd import close_range
from wherry.linux.process import set_parent_death_signal
from wherry.runtime.operations import Plan
from wherry.runtime.trees import IdMappings


class Context:
    """The state of one start: trees made so far, the root's descriptor, the way to the monitor.

    `channel` is a SOCK_SEQPACKET pair between init and its monitor; it closes at exec, which is
    how the monitor learns that the program runs.
    """

    def __init__(self, plan: Plan, layout: CgroupLayout, channel: socket.socket) -> None:
        self.plan = plan
        self.layout = layout
        self.channel = channel
        self.trees: dict[int, int] = {}
        self.tree_is_file: dict[int, bool] = {}
        self.root = -1
        self.pivoted = False
        self.console = -1
        self.resolver: tuple[int, ...] = ()
        self.init_pid = 0
        self._placeholder = 0
        self.mappings = IdMappings()

    def root_path(self) -> str:
        """A path to the root for calls that take no descriptor."""
        return "" if self.pivoted else f"/proc/self/fd/{self.root}"

    def start_placeholder(self) -> int:
        """A process that does nothing, for a control group that cannot be without one."""
        self._placeholder = os.fork()
        if self._placeholder == 0:
            try:
                set_parent_death_signal(signal.SIGKILL)
                close_range(0)  # a copy of init's channel would hide that init closed it
                while True:
                    signal.pause()
            finally:
                os._exit(0)
        return self._placeholder

    def end_placeholder(self) -> None:
        """Ends it, if there is one: init is in its group, or the start has failed."""
        if self._placeholder:
            os.kill(self._placeholder, signal.SIGKILL)
            os.waitpid(self._placeholder, 0)
            self._placeholder = 0

    def close_trees(self) -> None:
        """Closes the detached mounts; what was not attached disappears."""
        for descriptor in self.trees.values():
            os.close(descriptor)
        self.trees.clear()
        self.mappings.close()

    def take_resolver(self) -> tuple[int, ...]:
        """The embedded DNS server's sockets, the caller's from now on."""
        taken, self.resolver = self.resolver, ()
        return taken


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What init tells the monitor: a stage reached, or the failure that ended it."""

    stage: str = ""
    error: str = ""
    message: str = ""
    pid: int = 0


decode_report = msgspec.json.Decoder(Report).decode
"""Reads a Report. Made when imported: what a decoder knows of types is then shared by all forks."""
