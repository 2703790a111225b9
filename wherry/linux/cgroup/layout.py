"""Where the control groups of this machine are mounted (cgroups(7), cgroup_namespaces(7))."""

import os

import msgspec

from wherry.linux.mount import mountinfo

MOUNT_POINT = "/sys/fs/cgroup"
CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids",
               "hugetlb", "perf_event", "net_cls", "net_prio")  # fmt: skip


class CgroupLayout(msgspec.Struct, frozen=True):
    """The hierarchies: for version 1 a directory by controller, for version 2 one directory.

    `named` are hierarchies without a controller (systemd's) and the `unified` one beside version
    1: a process is accounted there, nothing is limited.
    """

    version: int
    root: str
    controllers: dict[str, str] = {}
    named: dict[str, str] = {}

    @classmethod
    def detect(cls) -> "CgroupLayout":
        """Reads the mounts below /sys/fs/cgroup; version 2 if that itself is cgroup2."""
        controllers: dict[str, str] = {}
        named: dict[str, str] = {}
        for mount in mountinfo():
            if mount.type == "cgroup2":
                if mount.target == MOUNT_POINT:
                    return cls(version=2, root=MOUNT_POINT)
                if mount.target.startswith(MOUNT_POINT):
                    named["unified"] = mount.target
            elif mount.type == "cgroup" and mount.target.startswith(MOUNT_POINT):
                words = mount.super_options.split(",")
                found = [word for word in words if word in CONTROLLERS]
                for word in found:
                    controllers[word] = mount.target
                for word in words:
                    if word.startswith("name="):
                        named[word.removeprefix("name=")] = mount.target
        return cls(version=1, root=MOUNT_POINT, controllers=controllers, named=named)

    def hierarchies(self) -> list[str]:
        """Each hierarchy's directory once."""
        if self.version == 2:
            return [self.root]
        return list(dict.fromkeys([*self.controllers.values(), *self.named.values()]))

    def available(self) -> frozenset[str]:
        """Controllers that can be used."""
        if self.version == 1:
            return frozenset(self.controllers)
        with open(f"{self.root}/cgroup.controllers") as file:
            return frozenset(file.read().split())

    def own_path(self, pid: int | str = "self") -> dict[str, str]:
        """The path of a process in each hierarchy, by controller (empty for version 2)."""
        paths: dict[str, str] = {}
        with open(f"/proc/{pid}/cgroup") as file:
            for line in file:
                _, names, path = line.rstrip("\n").split(":", 2)
                for name in names.split(","):
                    paths[name.removeprefix("name=")] = path
        return paths


def write_value(directory: str, name: str, value: str) -> None:
    """Writes one control file; raises OSError naming the file and the value."""
    path = f"{directory}/{name}"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, value.encode())
        finally:
            os.close(descriptor)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise OSError(error.errno, f'failed to write "{value}" to {path}: {reason}') from error


def read_value(directory: str, name: str) -> str:
    """The text of one control file, stripped; empty if the kernel has no such file."""
    try:
        with open(f"{directory}/{name}") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def read_keyed(directory: str, name: str) -> dict[str, int]:
    """A flat keyed file (`memory.stat` and the like) as numbers."""
    values: dict[str, int] = {}
    for line in read_value(directory, name).splitlines():
        key, _, value = line.rpartition(" ")
        if value.isdecimal():
            values[key] = int(value)
    return values
