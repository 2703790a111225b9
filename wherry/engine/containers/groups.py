"""The control group of a container."""

import logging

from wherry.engine.containers.container import Container
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.linux.cgroup.group import Cgroup

logger = logging.getLogger("wherry.engine")


def group_of(container: Container, defaults: ContainerDefaults) -> Cgroup:
    """Where its monitor put it, or where the next start will."""
    parent = container.record.host.cgroup_parent
    path = container.cgroup_path or defaults.cgroup_path(container.id, parent)
    return Cgroup(defaults.layout, path)


def remove_group(container: Container, defaults: ContainerDefaults) -> None:
    """Removes it with whatever is left in it; one that stays busy is reported, not raised."""
    try:
        group_of(container, defaults).remove()
    except OSError as error:
        logger.warning("container %s: its control group stays: %s", container.id, error)
    container.cgroup_path = ""
