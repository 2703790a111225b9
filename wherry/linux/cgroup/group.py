"""One control group, on whichever version the machine has."""

import errno
import os
import select
import signal
import time

from wherry.linux.cgroup import v1, v2
from wherry.linux.cgroup.layout import CgroupLayout, read_keyed, read_value, write_value
from wherry.linux.cgroup.resources import Resources
from wherry.linux.cgroup.scope import change_scope, is_scope, make_scope

_REMOVE_SECONDS = 5.0


class Cgroup:
    """The group at `path` (absolute, below the root of each hierarchy)."""

    def __init__(self, layout: CgroupLayout, path: str) -> None:
        self._layout = layout
        self.path = "/" + path.strip("/")

    def directories(self) -> dict[str, str]:
        """The group's directory by controller or name; for version 2 by the empty name."""
        if self._layout.version == 2:
            return {"": f"{self._layout.root}{self.path}"}
        hierarchies = {**self._layout.controllers, **self._layout.named}
        return {name: f"{root}{self.path}" for name, root in hierarchies.items()}

    def directory(self, controller: str) -> str | None:
        """The group's directory for one controller, None if the machine lacks it."""
        directories = self.directories()
        return directories.get("" if self._layout.version == 2 else controller)

    def create(self, resources: Resources | None = None) -> None:
        """Makes the group in every hierarchy and writes its limits; raises OSError."""
        if self._layout.version == 2:
            v2.enable_controllers(self._layout.root, f"{self._layout.root}{self.path}")
        else:
            for root in self._layout.hierarchies():
                os.makedirs(f"{root}{self.path}", mode=0o755, exist_ok=True)
            cpuset = self._layout.controllers.get("cpuset")
            if cpuset:
                v1.prepare_cpuset(cpuset, f"{cpuset}{self.path}")
        if resources is not None:
            self.apply(resources)

    def exists(self) -> bool:
        """Whether the group is there in any hierarchy."""
        return any(os.path.isdir(directory) for directory in self.directories().values())

    def apply(self, resources: Resources) -> None:
        """Writes the limits that are set; raises OSError naming file and value."""
        if self._layout.version == 2:
            v2.apply(f"{self._layout.root}{self.path}", resources)
        else:
            v1.apply(self.directories(), resources)

    def adjust(self, resources: Resources) -> None:
        """Changes the limits of a group in use; where systemd made it, systemd is told too."""
        if is_scope(self.path):
            change_scope(self.path, resources, f"{self._layout.root}{self.path}")
        self.apply(resources)

    def enter(self, description: str) -> None:
        """Moves the caller into the group, which is made if it is not there."""
        if not is_scope(self.path):
            self.create()
            self.join(0)
        elif self._layout.own_path().get("") != self.path:
            try:
                self.join(0)
            except OSError as error:  # gone, or just about to go with its last process
                if error.errno not in (errno.ENOENT, errno.ENODEV):
                    raise
                make_scope(self.path, [os.getpid()], description)

    def join_beside(self, pid: int) -> None:
        """Moves the caller into the group, or below it into the group of a process of it.

        A group of version 2 that has given controllers to groups below holds no processes itself
        ("no internal processes", EBUSY).
        """
        try:
            self.join(0)
        except OSError as error:
            if error.errno != errno.EBUSY or self._layout.version == 1:
                raise
            Cgroup(self._layout, self._layout.own_path(pid)[""]).join(0)

    def join(self, pid: int) -> None:
        """Moves a process (0 for the caller) into the group in every hierarchy."""
        for directory in dict.fromkeys(self.directories().values()):
            write_value(directory, "cgroup.procs", str(pid))

    def ready_migration(self) -> None:
        """Joins a group that the caller is in, so that joins within the next moments are fast.

        The first write to a cgroup.procs waits for a grace period of RCU, some ten milliseconds;
        another one soon after it does not (percpu_down_write of cgroup_threadgroup_rwsem,
        kernel/cgroup/cgroup.c).
        """
        directory = self._process_directory()
        try:
            write_value(directory, "cgroup.procs", "0")
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENODEV, errno.EBUSY, errno.EACCES):
                raise

    def processes(self) -> list[int]:
        """Processes in the group and below, as seen from the caller's pid namespace."""
        directory = self._process_directory()
        found: list[int] = []
        for folder, _, _ in os.walk(directory):
            text = read_value(folder, "cgroup.procs")
            found.extend(int(line) for line in text.split())
        return found

    def freeze(self) -> None:
        """Stops all processes of the group, and waits until they are; raises TimeoutError."""
        self._set_frozen(True)

    def thaw(self) -> None:
        """Lets the processes go on."""
        self._set_frozen(False)

    def is_frozen(self) -> bool:
        """Whether `freeze` stopped the group."""
        if self._layout.version == 2:
            return read_keyed(f"{self._layout.root}{self.path}", "cgroup.events").get("frozen") == 1
        directory = self.directory("freezer")
        return directory is not None and read_value(directory, "freezer.state") != "THAWED"

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Signals every process of the group; with SIGKILL in one stroke where the kernel can."""
        directory = self.directory("")
        if number == signal.SIGKILL and directory and os.path.exists(f"{directory}/cgroup.kill"):
            write_value(directory, "cgroup.kill", "1")
            return
        for pid in self.processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def oom_kills(self) -> int:
        """How many processes the kernel killed here for want of memory."""
        directory = self.directory("memory")
        if directory is None:
            return 0
        name = "memory.events" if self._layout.version == 2 else "memory.oom_control"
        return read_keyed(directory, name).get("oom_kill", 0)

    def open_memory_events(self) -> int:
        """A descriptor that polls as urgent when memory ran out; raises FileNotFoundError.

        Reading it fails with ENODEV once the group is gone. Version 1 has no such file.
        """
        directory = self.directory("memory")
        return os.open(f"{directory}/memory.events", os.O_RDONLY | os.O_CLOEXEC)

    def remove(self) -> None:
        """Removes the group and groups below it, killing what is left; raises TimeoutError."""
        deadline = time.monotonic() + _REMOVE_SECONDS
        pause = 0.001
        for directory in dict.fromkeys(self.directories().values()):
            while not _remove_tree(directory):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"control group {directory} is still busy")
                self.kill()
                time.sleep(pause)
                pause = min(pause * 2, 0.1)

    def remove_if_empty(self, seconds: float = 0.0) -> None:
        """Removes the group where it holds neither processes nor groups; elsewhere it stays.

        For so many seconds it is waited for processes that are just ending.
        """
        deadline = time.monotonic() + seconds
        for directory in dict.fromkeys(self.directories().values()):
            while not _remove_empty(directory) and time.monotonic() < deadline:
                time.sleep(0.01)

    def _process_directory(self) -> str:
        directories = self.directories()
        for name in ("", "pids", "memory", "devices"):
            if name in directories:
                return directories[name]
        return next(iter(directories.values()))

    def _set_frozen(self, frozen: bool) -> None:
        deadline = time.monotonic() + 10
        if self._layout.version == 2:
            directory = f"{self._layout.root}{self.path}"
            write_value(directory, "cgroup.freeze", str(int(frozen)))
            self._await_frozen(directory, frozen, deadline)
            return
        directory_v1 = self.directory("freezer")
        if directory_v1 is None:
            raise OSError(errno.EOPNOTSUPP, "the kernel offers no freezer control group")
        state = "FROZEN" if frozen else "THAWED"
        write_value(directory_v1, "freezer.state", state)
        while read_value(directory_v1, "freezer.state") != state:
            # Version 1 has no event for this; the kernel asks to write again and look again.
            if time.monotonic() > deadline:
                raise TimeoutError(f"control group {self.path} does not become {state.lower()}")
            time.sleep(0.001)
            write_value(directory_v1, "freezer.state", state)

    def _await_frozen(self, directory: str, frozen: bool, deadline: float) -> None:
        with open(f"{directory}/cgroup.events") as events:
            poll = select.poll()
            poll.register(events, select.POLLPRI)
            while True:
                events.seek(0)
                if f"frozen {int(frozen)}" in events.read():
                    return
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"control group {self.path} does not change")
                poll.poll(left * 1000)


def _remove_empty(directory: str) -> bool:
    """Whether the directory of a group is gone now."""
    try:
        os.rmdir(directory)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno not in (errno.EBUSY, errno.ENOTEMPTY):
            raise
        return False
    return True


def _remove_tree(directory: str) -> bool:
    if not os.path.isdir(directory):
        return True
    for folder, _, _ in os.walk(directory, topdown=False):
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            return False
    return True
