"""The control group of a container."""

from wherry.engine.containers.container import Container
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.linux.cgroup.group import Cgroup


def group_of(container: Container, defaults: ContainerDefaults) -> Cgroup:
    """Where its monitor put it, or where the next start will."""
    parent = container.record.host.cgroup_parent
    path = container.cgroup_path or defaults.cgroup_path(container.id, parent)
    return Cgroup(defaults.layout, path)
