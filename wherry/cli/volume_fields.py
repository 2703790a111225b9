"""How volumes and networks are shown in lists."""

from __future__ import annotations

from wherry.cli.container_fields import labels_text
from wherry.cli.listing import truncate_id
from wherry.cli.timestamps import go_time
from wherry.cli.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _truth(value: Any) -> str:
    return "true" if value else "false"


def _links(item: Any, trunc: bool) -> str:
    usage = item.get("UsageData")
    return "N/A" if not usage else str(usage.get("RefCount", 0))


def _size(item: Any, trunc: bool) -> str:
    usage = item.get("UsageData")
    return "N/A" if not usage else human_size(usage.get("Size") or 0)


VOLUME_FIELDS = {
    "Name": ("VOLUME NAME", lambda item, trunc: str(item["Name"])),
    "Driver": ("DRIVER", lambda item, trunc: str(item.get("Driver") or "")),
    "Scope": ("SCOPE", lambda item, trunc: str(item.get("Scope") or "")),
    "Mountpoint": ("MOUNTPOINT", lambda item, trunc: str(item.get("Mountpoint") or "")),
    "Labels": ("LABELS", labels_text),
    "Links": ("LINKS", _links),
    "Size": ("SIZE", _size),
    "Group": ("GROUP", lambda item, trunc: "N/A"),
    "Status": ("STATUS", lambda item, trunc: "N/A"),
    "Availability": ("AVAILABILITY", lambda item, trunc: "N/A"),
}

NETWORK_FIELDS = {
    "ID": (
        "NETWORK ID",
        lambda item, trunc: truncate_id(item["Id"]) if trunc else str(item["Id"]),
    ),
    "Name": ("NAME", lambda item, trunc: str(item["Name"])),
    "Driver": ("DRIVER", lambda item, trunc: str(item.get("Driver") or "")),
    "IPv4": ("IPV4", lambda item, trunc: _truth(item.get("EnableIPv4"))),
    "IPv6": ("IPV6", lambda item, trunc: _truth(item.get("EnableIPv6"))),
    "Scope": ("SCOPE", lambda item, trunc: str(item.get("Scope") or "")),
    "Internal": ("INTERNAL", lambda item, trunc: _truth(item.get("Internal"))),
    "Labels": ("LABELS", labels_text),
    "CreatedAt": ("CREATED AT", lambda item, trunc: go_time(str(item.get("Created") or ""))),
}
