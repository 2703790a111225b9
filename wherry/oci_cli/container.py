"""Containers of one root directory: what is written down of them, and what they are doing now."""

import os
import re
import shutil
from pathlib import Path

import msgspec

from wherry.base.files import write_atomic
from wherry.linux.cgroup.group import Cgroup
from wherry.linux.cgroup.layout import CgroupLayout, read_value
from wherry.linux.process import boot_id, process_start_time
from wherry.model.runtime_spec import Hook, RuntimeSpec, State
from wherry.oci_cli.errors import NO_SUCH_CONTAINER, RuntimeFailure
from wherry.runtime.operations import Plan

_NAME = re.compile(r"[\w+.-]+", re.ASCII)
FIFO = "exec.fifo"


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a container; `pid` and `start_time` (ticks) are 0 until it has a process."""

    id: str
    bundle: str
    rootfs: str
    created: str
    cgroup_path: str
    boot_id: str
    oci_version: str
    annotations: dict[str, str] = {}
    pid: int = 0
    start_time: int = 0
    poststart: tuple[Hook, ...] = ()
    poststop: tuple[Hook, ...] = ()


class Container:
    """One container's directory below the root."""

    def __init__(self, root: str, identifier: str) -> None:
        self.id = identifier
        self.directory = Path(root) / identifier
        self.record: Record | None = None

    @property
    def fifo(self) -> Path:
        """Where `start` tells init to go on."""
        return self.directory / FIFO

    def known(self) -> Record:
        """The record; for a container that was opened or has been saved."""
        assert self.record is not None
        return self.record

    def save(self, record: Record) -> None:
        """Writes the record down, whole."""
        write_atomic(self.directory / "state.json", msgspec.json.encode(record))
        self.record = record

    def save_plan(self, plan: Plan) -> None:
        """Keeps what later processes in the container need to know of the first."""
        write_atomic(self.directory / "plan", msgspec.msgpack.encode(plan))

    def plan(self) -> Plan:
        """The plan that the container was made by."""
        return msgspec.msgpack.decode((self.directory / "plan").read_bytes(), type=Plan)

    def alive(self) -> bool:
        """Whether init is the process that was started, and has not ended."""
        record = self.known()
        if not record.pid or record.boot_id != boot_id():
            return False
        return process_start_time(record.pid) == record.start_time

    def status(self) -> str:
        """The state of the specification's runtime.md, or `paused`."""
        record = self.known()
        if not record.pid:
            return "creating" if record.boot_id == boot_id() else "stopped"
        if not self.alive():
            return "stopped"
        if self.fifo.exists():
            return "created"
        return "paused" if self._frozen() else "running"

    def state(self) -> State:
        """The state as hooks and callers see it."""
        record, status = self.known(), self.status()
        pid = record.pid if status not in ("stopped", "creating") else 0
        return State(record.oci_version, record.id, status, record.bundle, pid, record.annotations)

    def cgroup(self) -> Cgroup:
        """The container's control group."""
        return Cgroup(CgroupLayout.detect(), self.known().cgroup_path)

    def remove(self) -> None:
        """Forgets the container."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def _frozen(self) -> bool:
        group = self.cgroup()
        directory = group.directory("freezer")
        if directory is None:
            return False
        if os.path.exists(f"{directory}/freezer.state"):
            return read_value(directory, "freezer.state") in ("FROZEN", "FREEZING")
        return read_value(directory, "cgroup.freeze") == "1"


def check_name(identifier: str) -> None:
    """Raises RuntimeFailure for a name that runc does not take, either."""
    if not _NAME.fullmatch(identifier) or identifier in (".", ".."):
        raise RuntimeFailure("invalid container ID format")


def open_container(root: str, identifier: str) -> Container:
    """The container of that name; raises RuntimeFailure if there is none."""
    check_name(identifier)
    container = Container(root, identifier)
    try:
        data = (container.directory / "state.json").read_bytes()
    except FileNotFoundError:
        raise RuntimeFailure(NO_SUCH_CONTAINER) from None
    container.record = msgspec.json.decode(data, type=Record)
    return container


def all_containers(root: str) -> list[Container]:
    """The containers of a root by name; one that goes meanwhile is left out."""
    found: list[Container] = []
    try:
        names = sorted(os.listdir(root))
    except FileNotFoundError:
        return []
    for name in names:
        try:
            found.append(open_container(root, name))
        except (RuntimeFailure, NotADirectoryError):
            continue
    return found


def record_of(
    identifier: str, bundle: str, rootfs: str, spec: RuntimeSpec, cgroup: str, created: str
) -> Record:
    """The record of a container about to be made."""
    hooks = spec.hooks
    return Record(
        id=identifier, bundle=bundle, rootfs=rootfs, created=created, cgroup_path=cgroup,
        boot_id=boot_id(), oci_version=spec.oci_version, annotations=spec.annotations,
        poststart=hooks.poststart if hooks else (), poststop=hooks.poststop if hooks else (),
    )  # fmt: skip
