"""Checks of repeated options while they are parsed, with docker's texts."""

from __future__ import annotations

import os

from wherry.cli.errors import CliError
from wherry.cli.units import ram_in_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ARGUMENT_NAMES = {
    "attach": "list",
    "device-rule": "list",
    "dns-search": "list",
    "env": "list",
    "extra-host": "list",
    "ip-list": "list",
    "label": "list",
    "link": "list",
    "sysctl": "map",
    "throttle-bps": "list",
    "throttle-iops": "list",
    "weight-device": "list",
}
"""What `--help` shows for a kind whose own name says more than docker's."""

_SYSCTLS = frozenset(
    (
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
    )
)
_ULIMITS = frozenset(
    (
        "as",
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    )
)


def _attach(text: str) -> str:
    name = text.lower()
    if name not in ("stdin", "stdout", "stderr"):
        raise CliError("valid streams are STDIN, STDOUT and STDERR")
    return name


def _env(text: str) -> str:
    name, equals, _ = text.partition("=")
    if not name:
        raise CliError(f"invalid environment variable: {text}")
    if not equals and name in os.environ:
        return f"{name}={os.environ[name]}"
    return text


def _label(text: str) -> str:
    name = text.partition("=")[0].lstrip(" \t")
    if not name:
        raise CliError(f"invalid label '{text}': empty name")
    if " " in name or "\t" in name:
        raise CliError(f"label '{name}' contains whitespaces")
    return text


def _filter(text: str) -> str:
    if text and "=" not in text:
        raise CliError("bad format of filter (expected name=value)")
    return text


def _sysctl(text: str) -> str:
    name, equals, _ = text.partition("=")
    if equals and (name in _SYSCTLS or name.startswith(("net.", "fs.mqueue."))):
        return text
    raise CliError(f"sysctl '{text}' is not allowed")


def _ip(text: str) -> str:
    from ipaddress import ip_address

    try:
        return str(ip_address(text.strip()))
    except ValueError:
        raise CliError(f"IP address is not correctly formatted: {text}") from None


def _dns_search(text: str) -> str:
    import re

    text = text.strip(" ")
    if text == ".":
        return text
    label = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
    found = re.match(rf"^(:?{label}(?:\.{label})*)\.?\s*$", text, re.ASCII)
    if not re.search(r"[a-zA-Z]", text) or not found or len(found[1]) >= 255:
        raise CliError(f"{text} is not a valid domain")
    return found[1]


def _extra_host(text: str) -> str:
    name, separator, address = text.partition("=")
    if not separator:
        name, separator, address = text.partition(":")
    if not separator or not name:
        raise CliError(f"bad format for add-host: {quoted_text(text)}")
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    if address == "host-gateway":
        return f"{name}:{address}"
    from ipaddress import ip_address

    try:
        ip_address(address)
    except ValueError:
        raise CliError(f"invalid IP address in add-host: {quoted_text(address)}") from None
    return f"{name}:{address}"


def quoted_text(text: str) -> str:
    """Text in double quotes, as Go's %q writes it."""
    from wherry.cli.values import quoted

    return quoted(text)


def _link(text: str) -> str:
    if not text:
        raise CliError("empty string specified for links")
    if text.count(":") > 1:
        raise CliError(f"bad format for links: {text}")
    return text


def _device_rule(text: str) -> str:
    import re

    if not re.match(r"^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$", text):
        raise CliError(f"invalid device cgroup format '{text}'")
    return text


def split_device(text: str) -> tuple[str, str]:
    """`/dev/sda:1mb` in two, the path checked."""
    path, colon, value = text.partition(":")
    if not colon or not path:
        raise CliError(f"bad format: {text}")
    if not path.startswith("/dev/"):
        raise CliError(f"bad format for device path: {text}")
    return path, value


def _throttle_bps(text: str) -> str:
    _, rate = split_device(text)
    try:
        ram_in_bytes(rate)
    except CliError:
        raise CliError(
            f"invalid rate for device: {text}. The correct format is "
            "<device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional "
            "and can be kb, mb, or gb"
        ) from None
    return text


def _throttle_iops(text: str) -> str:
    _, rate = split_device(text)
    if not rate.isdigit():
        raise CliError(
            f"invalid rate for device: {text}. The correct format is <device-path>:<number>. "
            "Number must be a positive integer"
        )
    return text


def _weight_device(text: str) -> str:
    _, weight = split_device(text)
    if not weight.isdigit() or (int(weight) != 0 and not 10 <= int(weight) <= 1000):
        raise CliError(f"invalid weight for device: {text}")
    return text


def parse_ulimit(text: str) -> dict[str, str | int]:
    """`name=soft[:hard]` as the engine takes it."""
    name, equals, limits = text.partition("=")
    if not equals:
        raise CliError(f"invalid ulimit argument: {text}")
    if name not in _ULIMITS:
        raise CliError(f"invalid ulimit type: {name}")
    parts = limits.split(":")
    if len(parts) > 2:
        raise CliError(
            f"too many limit value arguments - {limits}, can only have up to two, `soft[:hard]`"
        )
    numbers = []
    for part in parts:
        digits = part[1:] if part.startswith("-") else part
        if not digits.isdigit():
            raise CliError(f"strconv.ParseInt: parsing {quoted_text(part)}: invalid syntax")
        numbers.append(int(part))
    soft, hard = numbers[0], numbers[-1]
    if hard != -1:
        if soft == -1:
            raise CliError(
                f"ulimit soft limit must be less than or equal to hard limit: soft: -1 "
                f"(unlimited), hard: {hard}"
            )
        if soft > hard:
            raise CliError(
                f"ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}"
            )
    return {"Name": name, "Hard": hard, "Soft": soft}


def _ulimit(text: str) -> str:
    parse_ulimit(text)
    return text


def _mount(text: str) -> str:
    from wherry.cli.creation.mounts import parse_mount

    parse_mount(text)
    return text


def _network(text: str) -> str:
    from wherry.cli.creation.networks import parse_network

    parse_network(text)
    return text


def _gpus(text: str) -> str:
    from wherry.cli.creation.devices import parse_gpus

    parse_gpus(text)
    return text


VALIDATORS: dict[str, Callable[[str], str]] = {
    "attach": _attach,
    "device-rule": _device_rule,
    "dns-search": _dns_search,
    "env": _env,
    "extra-host": _extra_host,
    "filter": _filter,
    "gpu-request": _gpus,
    "ip-list": _ip,
    "label": _label,
    "link": _link,
    "mount": _mount,
    "network": _network,
    "sysctl": _sysctl,
    "throttle-bps": _throttle_bps,
    "throttle-iops": _throttle_iops,
    "ulimit": _ulimit,
    "weight-device": _weight_device,
}
"""Kinds of repeated options: each gives the value to keep, or raises CliError."""
