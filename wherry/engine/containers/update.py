"""Changing the limits, the restart policy and the log's options of a container that exists."""

from collections.abc import Mapping

import msgspec

from wherry.base.errors import Conflict, InternalError, InvalidParameter
from wherry.engine.containers.container import Container
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.discard import discard_unsupported
from wherry.engine.containers.groups import group_of
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.log_settings import log_settings
from wherry.engine.containers.spec import resources
from wherry.engine.containers.validate import check_log, check_resources, check_restart
from wherry.engine.pools import Pools
from wherry.engine.system.event_bus import EventBus
from wherry.model import runtime_spec as oci
from wherry.model.docker.container import HostConfig, LogConfig, Resources, UpdateRequest
from wherry.runtime.plan import resources as group_resources

_FIXED = frozenset({"cgroup_parent", "devices", "device_cgroup_rules", "device_requests",
                    "ulimits", "oom_kill_disable"})  # fmt: skip
_FIELDS = tuple(name for name in Resources.__struct_fields__ if name not in _FIXED)


class UpdateContainer:
    """Applies an update at once if the container runs; all of it or nothing."""

    def __init__(
        self, index: ContainerIndex, pools: Pools, events: EventBus, defaults: ContainerDefaults
    ) -> None:
        self._index = index
        self._pools = pools
        self._events = events
        self._defaults = defaults

    async def __call__(self, container: Container, request: UpdateRequest) -> list[str]:
        """Warnings; raises InvalidParameter and Conflict in Docker's words."""
        async with container.lock:
            before = container.record
            if container.removed:
                raise Conflict(
                    f"Cannot update container {container.id}: container is marked for removal and "
                    'cannot be "update".'
                )
            request, warnings = discard_unsupported(request, self._defaults.facilities)
            changed = changed_fields(request)
            host = merge_update(before.host, request, changed)
            check_resources(host, self._defaults.cpus, self._defaults.memory_nodes)
            check_restart(host)
            check_log(host)
            record = msgspec.structs.replace(before, host=host)
            logging = log_settings(record, self._defaults)
            container.record = record
            try:
                if container.monitor is not None and changed:
                    await self._pools.run("disk", self._apply, container, request, host)
                if container.monitor is not None and request.log_config:
                    await self._pools.run("supervisor", container.monitor.set_log, logging)
                await self._index.save(container, durable=True)
            except BaseException:
                container.record = before
                raise
        self._events.publish("container", "update", container.id, container.attributes())
        return warnings

    def _apply(self, container: Container, request: UpdateRequest, host: HostConfig) -> None:
        """Writes the new limits; the device list stays as it is."""
        limits = msgspec.structs.replace(resources(request), devices=())
        if request.memory and not request.memory_swap:
            memory = msgspec.structs.replace(
                limits.memory or oci.Memory(), swap=host.memory_swap or None
            )
            limits = msgspec.structs.replace(limits, memory=memory)
        elif request.memory_swap and not request.memory:
            # Version 2 limits swap alone: what memory and swap have together says too little.
            memory = msgspec.structs.replace(limits.memory or oci.Memory(), limit=host.memory)
            limits = msgspec.structs.replace(limits, memory=memory)
        wanted = group_resources(oci.Linux(resources=limits))
        wanted = msgspec.structs.replace(wanted, devices=())
        try:
            group_of(container, self._defaults).adjust(wanted)
        except OSError as error:
            raise InternalError(f"Cannot update container {container.id}: {error}") from error


def changed_fields(request: UpdateRequest) -> Mapping[str, object]:
    """What an update sets: everything that is not zero or null."""
    values = {name: getattr(request, name) for name in _FIELDS}
    return {name: value for name, value in values.items() if value not in (None, 0, "")}


def merge_update(
    host: HostConfig, request: UpdateRequest, changed: Mapping[str, object]
) -> HostConfig:
    """The host configuration after an update; raises InvalidParameter for what contradicts it."""
    if "nano_cpus" in changed:
        for name, word in (("cpu_period", "CPU Period"), ("cpu_quota", "CPU Quota")):
            if getattr(host, name):
                raise InvalidParameter(
                    "Conflicting options: Nano CPUs cannot be updated as "
                    f"{word} has already been set"
                )
    for name, word in (("cpu_period", "CPU Period"), ("cpu_quota", "CPU Quota")):
        if name in changed and host.nano_cpus:
            raise InvalidParameter(
                f"Conflicting options: {word} cannot be updated as NanoCPUs has already been set"
            )
    if request.memory and not request.memory_swap and 0 < host.memory_swap < request.memory:
        raise InvalidParameter(
            "Memory limit should be smaller than already set memoryswap limit, update the "
            "memoryswap at the same time"
        )
    merged = msgspec.structs.replace(host, **changed)
    policy = request.restart_policy
    if policy is not None and policy.name:
        if host.auto_remove and policy.name != "no":
            raise InvalidParameter(
                "Restart policy cannot be updated because AutoRemove is enabled for the container"
            )
        merged = msgspec.structs.replace(merged, restart_policy=policy)
    return merge_log(merged, request.log_config)


def merge_log(host: HostConfig, wanted: LogConfig | None) -> HostConfig:
    """With options of the log added or changed, an empty value taking one away.

    The driver stays: what it has written would be lost to readers. Raises Conflict.
    """
    if wanted is None:
        return host
    present = host.log_config
    if wanted.type not in ("", present.type):
        raise Conflict(
            f"the log driver {present.type} of a container cannot be changed to {wanted.type}: "
            "create it anew"
        )
    options = {**(present.config or {}), **(wanted.config or {})}
    kept = {key: value for key, value in options.items() if value}
    return msgspec.structs.replace(host, log_config=LogConfig(present.type, kept))
