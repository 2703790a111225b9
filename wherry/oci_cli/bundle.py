"""Bundles: `config.json` read, checked and planned."""

import os
from typing import Any

import msgspec

from wherry.linux.cgroup.layout import CgroupLayout
from wherry.model.mount import Mount
from wherry.model.runtime_spec import RuntimeSpec
from wherry.oci_cli.errors import RuntimeFailure
from wherry.runtime.operations import Plan
from wherry.runtime.plan import PlanContext, plan_container

_UNSUPPORTED = (
    "process.scheduler", "process.ioPriority", "process.execCPUAffinity", "linux.intelRdt",
    "linux.personality", "linux.timeOffsets", "linux.resources.hugepageLimits",
    "linux.resources.network", "linux.resources.rdma", "linux.resources.cpu.burst",
    "linux.resources.cpu.idle", "vm", "windows", "solaris", "zos",
)  # fmt: skip
"""Properties of the specification that would be lost silently."""


class Bundle(msgspec.Struct, frozen=True):
    """A directory with its specification."""

    path: str
    spec: RuntimeSpec

    @property
    def rootfs(self) -> str:
        """The root file system's absolute path."""
        return os.path.normpath(os.path.join(self.path, self.spec.root.path))


def read_bundle(path: str) -> Bundle:
    """Reads a bundle; raises RuntimeFailure for what is missing, malformed or not supported."""
    directory = os.path.realpath(path or ".")
    try:
        with open(f"{directory}/config.json", "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise RuntimeFailure("JSON specification file config.json not found") from None
    try:
        raw: dict[str, Any] = msgspec.json.decode(data, type=dict[str, Any])
        spec = msgspec.convert(_without_nulls(raw), RuntimeSpec)
    except msgspec.MsgspecError as error:
        raise RuntimeFailure(f"config.json: {error}") from None
    _check(raw, spec)
    return Bundle(directory, spec)


def _without_nulls(value: Any) -> Any:
    """Go writes null for an empty list or map: it means that nothing was said."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _check(raw: dict[str, Any], spec: RuntimeSpec) -> None:
    if not spec.oci_version.startswith("1."):
        raise RuntimeFailure(f"ociVersion {spec.oci_version} is not supported")
    if "process" not in raw:
        raise RuntimeFailure("process property must not be empty")
    if not spec.process.args:
        raise RuntimeFailure("args must not be empty")
    if not spec.process.cwd.startswith("/"):
        raise RuntimeFailure("cwd must be an absolute path")
    if "root" not in raw:
        raise RuntimeFailure("root must be specified")
    for name in _UNSUPPORTED:
        value: Any = raw
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value:
            raise RuntimeFailure(f"{name} is not supported")
    if spec.hostname and not any(item.type == "uts" for item in spec.linux.namespaces):
        raise RuntimeFailure("unable to set hostname without a private UTS namespace")


def cgroup_path(identifier: str, spec: RuntimeSpec) -> str:
    """The control group's path below the roots: as named, else the container's own name."""
    given = spec.linux.cgroups_path
    if given.count(":") == 2 and not given.startswith("/"):
        raise RuntimeFailure(f"cgroupsPath {given} is for systemd, which is not supported")
    return os.path.normpath("/" + (given or identifier))


def plan_bundle(
    bundle: Bundle, identifier: str, directory: str, layout: CgroupLayout, *,
    preserve_fds: int, new_keyring: bool, pivot: bool,
) -> Plan:  # fmt: skip
    """The plan of a bundle; raises RuntimeFailure if its root is missing."""
    if not os.path.isdir(bundle.rootfs):
        raise RuntimeFailure(
            f"invalid rootfs: stat {bundle.rootfs}: no such file or directory"
        )  # fmt: skip
    context = PlanContext(
        id=identifier,
        root=Mount("bind", bundle.rootfs, "", ("rbind",)),
        root_directory=f"{directory}/rootfs",
        layout=layout,
        cgroup_path=cgroup_path(identifier, bundle.spec),
        bundle=bundle.path,
        preserve_fds=preserve_fds,
        new_keyring=new_keyring,
        pivot=pivot,
    )
    return plan_container(bundle.spec, context)
