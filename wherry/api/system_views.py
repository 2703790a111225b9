"""The engine as a whole as each version of the API shows it. Pure functions."""

from typing import Any

import msgspec

from wherry.api.container_views import summary_view
from wherry.api.version import Version
from wherry.engine.system.disk_usage import Measured
from wherry.model.docker.disk_usage import DiskUsageResponse
from wherry.model.docker.system import InfoResponse
from wherry.model.event import Event

View = dict[str, Any]

_WITH_KERNEL_MEMORY = (1, 42)
_WITH_CDI = (1, 44)
_WITH_NONDISTRIBUTABLE = (1, 47)
_WITHOUT_EXPECTED_COMMITS = (1, 49)
_WITHOUT_BRIDGE_FILTER = (1, 50)
_WITHOUT_VIRTUAL_SIZE = (1, 44)
_WITH_USAGE = (1, 52)
_WITHOUT_LEGACY_EVENT_FIELDS = (1, 52)
_WITH_IMAGE_CREATE = (1, 46)


def info_view(info: InfoResponse, version: Version) -> View:
    """`GET /info`: what later versions left out, older ones get; what they brought, they do not."""
    view: View = msgspec.to_builtins(info)
    if version < _WITH_KERNEL_MEMORY:
        # Deprecated in 1.41 and, since this engine sets no such limit, always false.
        view.update(KernelMemory=False, KernelMemoryTCP=False)
    if version < _WITH_CDI:
        view.pop("CDISpecDirs")
    if version >= _WITH_NONDISTRIBUTABLE:
        for key in (
            "AllowNondistributableArtifactsCIDRs",
            "AllowNondistributableArtifactsHostnames",
        ):
            view["RegistryConfig"].pop(key)
    if version < _WITHOUT_EXPECTED_COMMITS:
        view.pop("FirewallBackend")
        for key in ("ContainerdCommit", "RuncCommit", "InitCommit"):
            view[key]["Expected"] = view[key]["ID"]
    if version < _WITHOUT_BRIDGE_FILTER:
        view.update(BridgeNfIptables=False, BridgeNfIp6tables=False)
    return view


def disk_usage_view(measured: Measured, version: Version, verbose: bool) -> DiskUsageResponse:
    """`GET /system/df`: lists before 1.52, sums since, and both for who does not ask for either."""
    images, containers, volumes, build_cache, data_root = measured
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    if version < _WITH_USAGE or not verbose:
        if images is not None:
            shown: list[Any] = images.items
            if version < _WITHOUT_VIRTUAL_SIZE:
                shown = [{**msgspec.to_builtins(item), "VirtualSize": item.size} for item in shown]
            old.update(layers_size=images.total_size, images=shown)
        for name, usage in (
            ("containers", containers), ("volumes", volumes), ("build_cache", build_cache),
        ):  # fmt: skip
            if usage is not None:
                old[name] = usage.items
        if containers is not None:
            old["containers"] = [summary_view(item, version) for item in containers.items]
    if version >= _WITH_USAGE:
        for name, usage in (
            ("image_usage", images), ("container_usage", containers), ("volume_usage", volumes),
            ("build_cache_usage", build_cache),
        ):  # fmt: skip
            if usage is not None:
                new[name] = usage if verbose else msgspec.structs.replace(usage, items=[])
    return DiskUsageResponse(**old, **new, data_root=data_root or msgspec.UNSET)


def event_view(event: Event, version: Version) -> Event | None:
    """One event of `GET /events`; None for a kind that the version does not know."""
    if version >= _WITHOUT_LEGACY_EVENT_FIELDS:
        return msgspec.structs.replace(
            event, status=msgspec.UNSET, id=msgspec.UNSET, origin=msgspec.UNSET
        )
    if version < _WITH_IMAGE_CREATE and (event.type, event.action) == ("image", "create"):
        return None
    return event
