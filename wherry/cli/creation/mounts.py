"""`--mount`, `--volume` and `--tmpfs` (docker/cli `opts/mount.go`, `internal/volumespec`)."""

from __future__ import annotations

import os

from wherry.cli.csv_fields import split_csv
from wherry.cli.errors import CliError
from wherry.cli.units import ram_in_bytes
from wherry.cli.values import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_SWITCHES = frozenset(("readonly", "ro", "volume-nocopy", "bind-nonrecursive", "bind-create-src"))
_RECURSIVE = {
    "enabled": "",
    "disabled": "NonRecursive",
    "writable": "ReadOnlyNonRecursive",
    "readonly": "ReadOnlyForceRecursive",
}
_OPTIONS_OF = {
    "bind": "BindOptions",
    "volume": "VolumeOptions",
    "image": "ImageOptions",
    "tmpfs": "TmpfsOptions",
    "secret": "SecretOptions",
}


def _truth(key: str, value: str, given: bool) -> bool:
    if not given or value in ("1", "true"):
        return True
    if value in ("0", "false"):
        return False
    raise CliError(
        f"invalid value for '{key}': invalid boolean value ({quoted(value)}): must be one of "
        '"true", "1", "false", or "0" (default "true")'
    )


def _local_path(path: str) -> str:
    if path.startswith(".") and not os.path.isabs(path):
        return os.path.abspath(path)
    return path


def _field(field: str) -> tuple[str, str, bool]:
    key, equals, value = field.partition("=")
    if key.strip() != key:
        raise CliError(
            f"invalid option '{key.strip()}' in '{field}': option should not have whitespace"
        )
    if equals:
        if not value.strip():
            raise CliError(f"invalid value for '{key}': value is empty")
        if value.strip() != value:
            raise CliError(
                f"invalid value for '{key}' in '{field}': value should not have whitespace"
            )
    elif key.lower() not in _SWITCHES:
        raise CliError(f"invalid field '{field}' must be a key=value pair")
    return key.lower(), value, bool(equals)


def _put_pair(target: dict[str, Any], name: str, text: str) -> None:
    key, _, value = text.partition("=")
    if key:
        target.setdefault(name, {})[key] = value


def _set_plain(mount: dict[str, Any], key: str, value: str, given: bool) -> bool:
    match key:
        case "type":
            mount["Type"] = value.lower()
        case "source" | "src":
            mount["Source"] = _local_path(value)
        case "target" | "dst" | "destination":
            mount["Target"] = value
        case "readonly" | "ro":
            mount["ReadOnly"] = _truth(key, value, given)
        case "consistency":
            mount["Consistency"] = value.lower()
        case _:
            return False
    return True


def _set_bind(mount: dict[str, Any], key: str, value: str, given: bool) -> bool:
    if not key.startswith("bind-"):
        return False
    options = mount.setdefault("BindOptions", {})
    match key:
        case "bind-propagation":
            options["Propagation"] = value.lower()
        case "bind-nonrecursive":
            options["NonRecursive"] = _truth(key, value, given)
        case "bind-create-src":
            options["CreateMountpoint"] = _truth(key, value, given)
        case "bind-recursive":
            if value not in _RECURSIVE:
                raise CliError(
                    f'invalid value for {key}: {value} (must be "enabled", "disabled", '
                    '"writable", or "readonly")'
                )
            if _RECURSIVE[value]:
                options[_RECURSIVE[value]] = True
        case _:
            return False
    return True


def _set_volume(mount: dict[str, Any], key: str, value: str, given: bool) -> bool:
    if key == "image-subpath":
        mount.setdefault("ImageOptions", {})["Subpath"] = value
        return True
    if not key.startswith("volume-"):
        return False
    options = mount.setdefault("VolumeOptions", {})
    match key:
        case "volume-subpath":
            options["Subpath"] = value
        case "volume-nocopy":
            options["NoCopy"] = _truth(key, value, given)
        case "volume-label":
            _put_pair(options, "Labels", value)
        case "volume-driver":
            options.setdefault("DriverConfig", {})["Name"] = value
        case "volume-opt":
            _put_pair(options.setdefault("DriverConfig", {}), "Options", value)
        case _:
            return False
    return True


def _set_tmpfs(mount: dict[str, Any], key: str, value: str) -> bool:
    if key not in ("tmpfs-size", "tmpfs-mode"):
        return False
    options = mount.setdefault("TmpfsOptions", {})
    try:
        if key == "tmpfs-size":
            options["SizeBytes"] = ram_in_bytes(value)
        else:
            options["Mode"] = int(value, 8)
    except (CliError, ValueError):
        raise CliError(f"invalid value for {key}: {value}") from None
    return True


def _set_secret(mount: dict[str, Any], key: str, value: str) -> bool:
    """Owner and mode of a secret's file; docker has no such mounts."""
    if key not in ("secret-uid", "secret-gid", "secret-mode"):
        return False
    name = key.removeprefix("secret-")
    field = name.upper() if name != "mode" else "Mode"
    try:
        mount.setdefault("SecretOptions", {})[field] = int(value, 8 if name == "mode" else 10)
    except ValueError:
        raise CliError(f"invalid value for {key}: {value}") from None
    return True


def parse_mount(text: str) -> dict[str, Any]:
    """One `--mount` as the engine takes it."""
    text = text.strip()
    if not text:
        raise CliError("EOF")
    mount: dict[str, Any] = {"Type": "volume"}
    for field in split_csv(text):
        key, value, given = _field(field)
        if not (
            _set_plain(mount, key, value, given)
            or _set_bind(mount, key, value, given)
            or _set_volume(mount, key, value, given)
            or _set_tmpfs(mount, key, value)
            or _set_secret(mount, key, value)
        ):
            raise CliError(f"unknown option '{key}' in '{field}'")
    _check_mount(mount)
    return mount


def _check_mount(mount: dict[str, Any]) -> None:
    kind = mount["Type"]
    if not mount.get("Target"):
        raise CliError("target is required")
    for name, options in _OPTIONS_OF.items():
        if name != kind and options in mount:
            raise CliError(f"cannot mix '{name}-*' options with mount type '{kind}'")
    bind = mount.get("BindOptions") or {}
    read_only = mount.get("ReadOnly")
    if bind.get("ReadOnlyNonRecursive") and not read_only:
        raise CliError(
            "option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction"
        )
    if bind.get("ReadOnlyForceRecursive"):
        if not read_only:
            raise CliError(
                "option 'bind-recursive=readonly' requires 'readonly' to be specified in "
                "conjunction"
            )
        if bind.get("Propagation") != "rprivate":
            raise CliError(
                "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be "
                "specified in conjunction"
            )


def split_volumes(values: Iterable[str]) -> tuple[list[str], dict[str, dict[str, str]]]:
    """`--volume` values as (Binds, Volumes): those with a source, and anonymous ones."""
    binds: list[str] = []
    anonymous: dict[str, dict[str, str]] = {}
    for value in dict.fromkeys(values):
        if not value:
            raise CliError("invalid empty volume spec")
        source, colon, rest = value.partition(":")
        if colon and len(source) == 1 and source.isalpha():  # a drive of Windows
            path, colon, rest = rest.partition(":")
            source = f"{source}:{path}"
        if not colon:
            anonymous[value] = {}
            continue
        if not source or not rest or "::" in value:
            raise CliError(f"invalid spec: {value}: empty section between colons")
        if rest.count(":") > 1:
            raise CliError(f"invalid spec: {value}: too many colons")
        binds.append(f"{_local_path(source)}:{rest}")
    return binds, anonymous


def tmpfs_options(values: Iterable[str]) -> dict[str, str]:
    """`--tmpfs path[:options]` by path."""
    return dict(value.partition(":")[::2] for value in values)
