"""The bodies of creates and updates as each version of the API means them, as in moby. Pure."""

from typing import NamedTuple

import msgspec

from wherry.api.version import Version
from wherry.base.errors import InvalidParameter
from wherry.model.docker.container import (
    BindOptions,
    ContainerConfig,
    CreateRequest,
    EndpointSettings,
    HostConfig,
    MountRequest,
    NetworkingConfig,
    UpdateRequest,
)

_OPTIONS = (
    ("volume_options", "VolumeOptions", "volume"), ("bind_options", "BindOptions", "bind"),
    ("tmpfs_options", "TmpfsOptions", "tmpfs"), ("image_options", "ImageOptions", "image"),
)  # fmt: skip
_MAC_DEPRECATED = (
    "The container-wide MacAddress field is now deprecated. It should be specified in "
    "EndpointsConfig instead."
)
_VOLUME_DRIVER_IGNORED = (
    "WARNING: the container-wide volume-driver configuration is ignored for volumes specified via "
    "'mount'. Use '--mount type=volume,volume-driver=...' instead"
)
_BLOCK_DEVICES = (
    "blkio_weight_device", "blkio_device_read_bps", "blkio_device_write_bps",
    "blkio_device_read_iops", "blkio_device_write_iops",
)  # fmt: skip
"""What an update before 1.55 passes over."""
_UNSHARED = ("host", "none")


class Create(NamedTuple):
    """A create in the words of the newest version, and what to warn its client of."""

    body: CreateRequest
    warnings: tuple[str, ...]


def create_request(body: CreateRequest, version: Version) -> Create:
    """What the version makes of a body; raises InvalidParameter for what it does not allow."""
    host = body.host_config or HostConfig()
    warnings: list[str] = []
    host = msgspec.structs.replace(host, mounts=_mounts(host.mounts or [], version) or None)
    host = _host(host, version)
    if body.healthcheck is not None and version < (1, 44):
        plain = msgspec.structs.replace(body.healthcheck, start_interval=0)
        body = msgspec.structs.replace(body, healthcheck=plain)
    endpoints = dict((body.networking_config or NetworkingConfig()).endpoints_config or {})
    endpoints = _endpoints(endpoints, version)
    if host.volume_driver and version >= (1, 48) and _has_plain_volume(host):
        warnings.append(_VOLUME_DRIVER_IGNORED)
    endpoints, warning = _with_mac_address(body, host, endpoints, version)
    warnings += [warning] if warning else []
    body = msgspec.structs.replace(
        body, host_config=host, mac_address="",
        networking_config=NetworkingConfig(endpoints or None),
    )  # fmt: skip
    return Create(body, tuple(warnings))


def update_request(body: UpdateRequest, version: Version) -> UpdateRequest:
    """An update in the words of the newest version; no limit of processes is -1."""
    changes: dict[str, object] = {}
    if body.pids_limit is not None:
        changes["pids_limit"] = None if version < (1, 40) else body.pids_limit or -1
    if version < (1, 55):
        changes.update(dict.fromkeys(_BLOCK_DEVICES))
    return msgspec.structs.replace(body, **changes)


def _host(host: HostConfig, version: Version) -> HostConfig:
    changes: dict[str, object] = {}
    if version < (1, 40) and not host.ipc_mode:
        changes["ipc_mode"] = "shareable"
    if version < (1, 42):
        changes["console_size"] = [0, 0]
    if version < (1, 43):
        changes["annotations"] = None
    if host.pids_limit is not None and host.pids_limit <= 0:
        changes["pids_limit"] = None
    return msgspec.structs.replace(host, **changes)


def _mounts(mounts: list[MountRequest], version: Version) -> list[MountRequest]:
    shown = []
    for mount in mounts:
        for field, name, kind in _OPTIONS:
            if getattr(mount, field) is None or mount.type == kind:
                continue
            if version >= (1, 42):
                raise InvalidParameter(f'{name} must not be specified on mount type "{mount.type}"')
            mount = msgspec.structs.replace(mount, **{field: None})
        _check_since(mount, version)
        if mount.type == "bind":
            mount = msgspec.structs.replace(mount, bind_options=_bind_options(mount, version))
        shown.append(mount)
    return shown


def _check_since(mount: MountRequest, version: Version) -> None:
    bind, volume = mount.bind_options, mount.volume_options
    if version < (1, 44) and bind is not None and bind.read_only_force_recursive:
        raise InvalidParameter("BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer")
    if version < (1, 45) and volume is not None and volume.subpath:
        raise InvalidParameter("VolumeOptions.Subpath needs API v1.45 or newer")
    if version < (1, 48) and mount.type == "image":
        raise InvalidParameter('Mount type "Image" needs API v1.48 or newer')


def _bind_options(mount: MountRequest, version: Version) -> BindOptions | None:
    options = mount.bind_options
    if options is None and (version >= (1, 44) or not mount.read_only):
        return None
    options = options or BindOptions()
    changes: dict[str, object] = {}
    if version < (1, 40):
        changes["non_recursive"] = False
    if version < (1, 42):
        changes["create_mountpoint"] = False
    if version < (1, 44) and mount.read_only:
        changes["read_only_non_recursive"] = True  # as all of them were
    return msgspec.structs.replace(options, **changes)


def _has_plain_volume(host: HostConfig) -> bool:
    for mount in host.mounts or ():
        options = mount.volume_options
        driver = options.driver_config if options else None
        if mount.type == "volume" and not (driver and driver.name):
            return True
    return False


Endpoints = dict[str, EndpointSettings | None]


def _endpoints(endpoints: Endpoints, version: Version) -> Endpoints:
    if version < (1, 44) and len(endpoints) > 1:
        raise InvalidParameter(
            f"Container cannot be created with multiple network endpoints: {', '.join(endpoints)}"
        )
    if version >= (1, 48):
        return endpoints
    return {
        name: msgspec.structs.replace(settings, gw_priority=0) if settings else settings
        for name, settings in endpoints.items()
    }


def _with_mac_address(
    config: ContainerConfig, host: HostConfig, endpoints: Endpoints, version: Version
) -> tuple[Endpoints, str]:
    """The container-wide address moved to its network, where versions since 1.44 have it."""
    address = config.mac_address
    if not address:
        if version < (1, 44):  # which did not know addresses of endpoints
            endpoints = {
                name: msgspec.structs.replace(settings, mac_address="") if settings else settings
                for name, settings in endpoints.items()
            }
        return endpoints, ""
    if version >= (1, 52):
        raise InvalidParameter(
            "container-wide MAC address no longer supported; use endpoint-specific MAC address "
            "instead"
        )
    mode = host.network_mode or "default"
    if mode in _UNSHARED or mode.startswith("container:"):
        if version < (1, 44):
            raise InvalidParameter("conflicting options: mac-address and the network mode")
        return endpoints, _MAC_DEPRECATED
    name = "bridge" if mode == "default" else mode
    name = "default" if name == "bridge" and "default" in endpoints else name
    settings = endpoints.get(name) or EndpointSettings()
    if version >= (1, 44) and settings.mac_address not in ("", address):
        raise InvalidParameter(
            "the container-wide MAC address must match the endpoint-specific MAC address for the "
            "main network, or be left empty"
        )
    endpoints = {**endpoints, name: msgspec.structs.replace(settings, mac_address=address)}
    return endpoints, _MAC_DEPRECATED if version >= (1, 44) else ""
