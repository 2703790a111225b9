"""Who makes the control groups, systemd or the daemon itself, and where."""

import posixpath
from typing import NamedTuple

from wherry.base.errors import InvalidParameter
from wherry.daemon.config import Config, cgroup_driver
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.linux.cgroup.scope import is_slice
from wherry.linux.systemd import systemd_runs


class Groups(NamedTuple):
    """The driver (Docker's name for it), the containers' parent and the monitors' own group."""

    layout: CgroupLayout
    driver: str
    parent: str
    monitors: str

    @property
    def monitor_units(self) -> tuple[str, ...]:
        """The systemd units that must end after every container."""
        return (posixpath.basename(self.monitors),) if self.driver == "systemd" else ()


def choose_groups(config: Config, instance: str, layout: CgroupLayout) -> Groups:
    """As dockerd chooses: systemd on version 2 where it runs, unless an option says otherwise.

    Raises InvalidParameter for a driver that this machine does not have and for a parent that does
    not fit it.
    """
    possible = layout.version == 2 and systemd_runs()
    driver = cgroup_driver(config) or ("systemd" if possible else "cgroupfs")
    if driver == "cgroupfs":
        parent = config.cgroup_parent or f"/{instance}"
        return Groups(layout, driver, parent, f"/{instance}-monitors")
    if not possible:
        raise InvalidParameter(
            "native.cgroupdriver=systemd needs systemd and cgroup version 2: leave the option out"
        )
    if config.cgroup_parent and not is_slice(config.cgroup_parent):
        raise InvalidParameter(
            'cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"'
        )
    parent = config.cgroup_parent or "system.slice"
    return Groups(layout, driver, parent, f"/system.slice/{instance}-monitors.scope")
