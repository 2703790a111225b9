"""What the engine was told and who it is: the constant part of its information."""

import uuid
from collections.abc import Mapping
from pathlib import Path

from wherry.base.files import write_atomic
from wherry.base.live_settings import LiveSettings


class EngineFacts(LiveSettings, kw_only=True):
    """The engine's identity and configuration, as /info and /version show them."""

    id: str
    version: str
    data_root: str
    storage_driver: str
    storage_status: tuple[tuple[str, str], ...] = ()
    logging_driver: str = "json-file"
    cgroup_driver: str = "cgroupfs"
    labels: tuple[str, ...] = ()
    debug: bool = False
    live_restore: bool = True
    iptables: bool = True
    insecure_registries: tuple[str, ...] = ()
    registry_mirrors: tuple[str, ...] = ()
    address_pools: tuple[tuple[str, int], ...] = ()
    init_binary: str = "tini-static"
    runtime: str = "wherry-runtime"
    seccomp_profile: str = "builtin"
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    git_commit: str = ""
    build_time: str = ""


def engine_id(data_root: Path) -> str:
    """The id of the engine of a data root: made once and kept in its file `engine-id`."""
    path = data_root / "engine-id"
    try:
        found = path.read_text().strip()
    except FileNotFoundError:
        found = ""
    if not found:
        found = str(uuid.uuid4())
        write_atomic(path, found.encode())
    return found


def proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """The proxies of an environment, passwords replaced as dockerd does."""
    found = {}
    for key in ("http_proxy", "https_proxy", "no_proxy"):
        value = environment.get(key.upper()) or environment.get(key, "")
        found[key] = _masked(value) if key != "no_proxy" else value
    return found


def _masked(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    user, at, host = rest.rpartition("@")
    if not separator or not at:
        return url
    return f"{scheme}://xxxxx:xxxxx@{host}" if user else url
