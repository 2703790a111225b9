"""How containers are shown in lists (docker/cli `formatter/container.go`)."""

from __future__ import annotations

from wherry.cli.listing import ellipsis, truncate_id
from wherry.cli.timestamps import ago, local_time
from wherry.cli.units import human_size
from wherry.cli.values import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TYPE_NAME = "*formatter.ContainerContext"
RAW = (
    "container_id: ID",
    "image: Image",
    "command: Command",
    "created_at: CreatedAt",
    "state: State",
    "status: Status",
    "names: Names",
    "labels: Labels",
    "ports: Ports",
)
COLUMNS = ("ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names")


def _identity(item: Any, trunc: bool) -> str:
    return truncate_id(item["Id"]) if trunc else str(item["Id"])


def _names(item: Any, trunc: bool) -> str:
    names = [name.removeprefix("/") for name in item.get("Names") or ()]
    if trunc:
        return next((name for name in names if "/" not in name), "")
    return ",".join(names)


def _image(item: Any, trunc: bool) -> str:
    image = str(item.get("Image") or "")
    if not image:
        return "<no image>"
    if not trunc:
        return image
    if truncate_id(item.get("ImageID") or "") == truncate_id(image):
        return truncate_id(image)
    if "@" in image:
        from wherry.cli.reference import parse_reference

        reference = parse_reference(image)
        reference.digest = ""
        return reference.familiar
    return image


def _command(item: Any, trunc: bool) -> str:
    command = str(item.get("Command") or "")
    return quoted(ellipsis(command, 20) if trunc else command)


def _size(item: Any, trunc: bool) -> str:
    text = human_size(item.get("SizeRw") or 0, 3)
    if item.get("SizeRootFs"):
        text += f" (virtual {human_size(item['SizeRootFs'], 3)})"
    return text


def labels_text(item: Any, trunc: bool) -> str:
    """`a=b,c=d`, sorted."""
    labels = item.get("Labels") or {}
    return ",".join(sorted(f"{name}={value}" for name, value in labels.items()))


def _mounts(item: Any, trunc: bool) -> str:
    names = [mount.get("Name") or mount.get("Source", "") for mount in item.get("Mounts") or ()]
    return ",".join(ellipsis(name, 15) if trunc else name for name in names)


def _networks(item: Any, trunc: bool) -> str:
    return ",".join((item.get("NetworkSettings") or {}).get("Networks") or {})


def _local_volumes(item: Any, trunc: bool) -> str:
    mounts = item.get("Mounts") or ()
    return str(sum(1 for mount in mounts if mount.get("Driver") == "local"))


def _platform(item: Any, trunc: bool) -> str:
    platform = (item.get("ImageManifestDescriptor") or {}).get("platform") or {}
    parts = (platform.get(name) for name in ("os", "architecture", "variant"))
    return "/".join(part for part in parts if part)


def ports_text(ports: list[dict[str, Any]]) -> str:
    """`0.0.0.0:80->80/tcp, 90/tcp`: ranges drawn together (formatter `DisplayablePorts`)."""
    groups: dict[str, list[int]] = {}
    result: list[str] = []
    mappings: list[str] = []
    for port in sorted(ports, key=_port_order):
        private, kind = port["PrivatePort"], port["Type"]
        key = kind
        if address := port.get("IP"):
            if port.get("PublicPort") != private:
                shown = f"[{address}]" if ":" in address else address
                mappings.append(f"{shown}:{port.get('PublicPort', 0)}->{private}/{kind}")
                continue
            key = f"{address}/{kind}"
        group = groups.get(key)
        if group is None:
            groups[key] = [private, private]
        elif private == group[1] + 1:
            group[1] = private
        else:
            result.append(_port_group(key, *group))
            groups[key] = [private, private]
    result += [_port_group(key, first, last) for key, (first, last) in groups.items()]
    return ", ".join(result + mappings)


def _port_order(port: dict[str, Any]) -> tuple[Any, ...]:
    address = port.get("IP") or ""
    return (port["PrivatePort"], address, port.get("PublicPort") or 0, port["Type"])


def _port_group(key: str, first: int, last: int) -> str:
    address, slash, kind = key.rpartition("/")
    span = str(first) if first == last else f"{first}-{last}"
    if slash:
        shown = f"[{address}]" if ":" in address else address
        return f"{shown}:{span}->{span}/{kind}"
    return f"{span}/{kind}"


FIELDS = {
    "ID": ("CONTAINER ID", _identity),
    "Names": ("NAMES", _names),
    "Image": ("IMAGE", _image),
    "Command": ("COMMAND", _command),
    "CreatedAt": ("CREATED AT", lambda item, trunc: local_time(item["Created"])),
    "RunningFor": ("CREATED", lambda item, trunc: ago(item["Created"])),
    "Ports": ("PORTS", lambda item, trunc: ports_text(item.get("Ports") or [])),
    "State": ("STATE", lambda item, trunc: str(item.get("State") or "")),
    "Status": ("STATUS", lambda item, trunc: str(item.get("Status") or "")),
    "Size": ("SIZE", _size),
    "Labels": ("LABELS", labels_text),
    "Mounts": ("MOUNTS", _mounts),
    "LocalVolumes": ("LOCAL VOLUMES", _local_volumes),
    "Networks": ("NETWORKS", _networks),
    "Platform": ("PLATFORM", _platform),
}
"""The fields of a template and of `json`, with their headings."""
