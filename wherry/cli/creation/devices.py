"""`--device`, `--gpus` and the block device throttles."""

from __future__ import annotations

import posixpath

from wherry.cli.csv_fields import split_csv
from wherry.cli.errors import CliError
from wherry.cli.units import ram_in_bytes
from wherry.cli.validators import split_device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def _is_mode(text: str) -> bool:
    return bool(text) and set(text) <= set("rwm") and len(set(text)) == len(text)


def _is_cdi_name(text: str) -> bool:
    """`vendor.com/class=device` (CDI specification, qualified names)."""
    kind, equals, name = text.partition("=")
    vendor, slash, kind_class = kind.partition("/")
    return bool(equals and name and slash and vendor and kind_class) and vendor[0].isalpha()


def parse_device(text: str) -> dict[str, str]:
    """`host[:container][:mode]`."""
    parts = text.split(":")
    if len(parts) > 3 or not parts[0]:
        raise CliError(f"bad format for path: {text}")
    source = parts[0]
    target, mode = "", "rwm"
    if len(parts) == 3:
        target, mode = parts[1], parts[2]
        if not _is_mode(mode):
            raise CliError(f"bad mode specified: {mode}")
    elif len(parts) == 2:
        if _is_mode(parts[1]):
            mode = parts[1]
            source = posixpath.normpath(source)
        else:
            target = posixpath.normpath(parts[1])
    else:
        source = posixpath.normpath(source)
    target = target or source
    if not target.startswith("/"):
        raise CliError(f"{target} is not an absolute path")
    return {"PathOnHost": source, "PathInContainer": target, "CgroupPermissions": mode}


def device_settings(
    devices: Iterable[str], gpus: Iterable[str]
) -> tuple[list[dict[str, str]], list[dict[str, Any]] | None]:
    """(Devices, DeviceRequests) of the create body."""
    mappings = []
    names = []
    for device in devices:
        if _is_cdi_name(device):
            names.append(device)
        else:
            mappings.append(parse_device(device))
    requests: list[dict[str, Any]] = [parse_gpus(text) for text in gpus]
    if names:
        requests.append(
            {
                "Driver": "cdi",
                "Count": 0,
                "DeviceIDs": names,
                "Capabilities": None,
                "Options": None,
            }
        )
    return mappings, requests or None


def _gpu_count(text: str) -> int:
    if text == "all":
        return -1
    try:
        return int(text)
    except ValueError:
        raise CliError(
            f'invalid count ({text}): value must be either "all" or an integer: invalid syntax'
        ) from None


def parse_gpus(text: str) -> dict[str, Any]:
    """One `--gpus` as a DeviceRequest."""
    request: dict[str, Any] = {
        "Driver": "",
        "Count": 0,
        "DeviceIDs": None,
        "Capabilities": [["gpu"]],
        "Options": {},
    }
    seen = set()
    for field in split_csv(text):
        key, equals, value = field.partition("=")
        if key in seen:
            raise CliError(f"gpu request key '{key}' can be specified only once")
        seen.add(key)
        if not equals:
            seen.add("count")
            request["Count"] = _gpu_count(key)
        elif key == "driver":
            request["Driver"] = value
        elif key == "count":
            request["Count"] = _gpu_count(value)
        elif key == "device":
            request["DeviceIDs"] = value.split(",")
        elif key == "capabilities":
            request["Capabilities"] = [[*value.split(","), "gpu"]]
        elif key == "options":
            request["Options"] = dict(item.partition("=")[::2] for item in split_csv(value))
        else:
            raise CliError(f"unexpected key '{key}' in '{field}'")
    if "count" not in seen and request["DeviceIDs"] is None:
        request["Count"] = 1
    return request


def byte_rates(values: Iterable[str]) -> list[dict[str, str | int]]:
    """`/dev/x:1mb` as throttles in bytes a second."""
    pairs = [split_device(value) for value in values]
    return [{"Path": path, "Rate": ram_in_bytes(rate)} for path, rate in pairs]


def operation_rates(values: Iterable[str]) -> list[dict[str, str | int]]:
    """`/dev/x:100` as throttles in operations a second."""
    pairs = [split_device(value) for value in values]
    return [{"Path": path, "Rate": int(rate)} for path, rate in pairs]


def weights(values: Iterable[str]) -> list[dict[str, str | int]]:
    """`/dev/x:500` as weights of devices."""
    pairs = [split_device(value) for value in values]
    return [{"Path": path, "Weight": int(weight)} for path, weight in pairs]
