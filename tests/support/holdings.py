"""Everything that an engine has on disk, in the kernel and in its own words, to be compared."""

import hashlib
import json
import subprocess
import time
from pathlib import Path

from tests.support.api import Api
from tests.support.engine import Engine
from tests.support.netns import NetworkNamespace
from wherry.linux.netlink.route import Netlink

_DATA = ("containers/*", "*/layers/*", "*/layers/.*", "*/active/*", "archives/*", "archives/.*",
         "volumes/*", "volumes/.*", "tmp/*", "partial/*")  # fmt: skip


def holdings(engine: Engine, namespace: NetworkNamespace | None = None) -> set[str]:
    """Files, mounts, control groups with their processes; of a namespace links and rules."""
    found = {str(path) for pattern in _DATA for path in engine.data.glob(pattern)}
    found |= {str(path) for path in (engine.root / "run" / "containers").glob("*")}
    found |= {f"mount {line.split()[4]}" for line in
              Path("/proc/self/mountinfo").read_text().splitlines()
              if str(engine.root) in line or str(engine.data) in line}  # fmt: skip
    found |= _groups(engine) | _words(engine)
    if namespace:
        found |= namespace.run(_network)
    return found


def settled(
    engine: Engine, wanted: set[str], namespace: NetworkNamespace | None = None
) -> tuple[set[str], set[str]]:
    """What is too many and what is missing; monitors that are just ending get a moment."""
    deadline = time.monotonic() + 10
    while True:
        found = holdings(engine, namespace)
        if found == wanted or time.monotonic() > deadline:
            return found - wanted, wanted - found
        time.sleep(0.02)


def _groups(engine: Engine) -> set[str]:
    mark = hashlib.sha256(str(engine.data.resolve()).encode()).hexdigest()[:6]
    tops = list(Path("/sys/fs/cgroup").glob(f"*/*wherry-{mark}*"))
    found = {f"group {group}" for top in tops for group in (top, *top.rglob("*/"))}
    pids = {pid for top in tops for pid in (top / "cgroup.procs").read_text().split()}
    monitors = [pid for pid in pids if _name(pid) == "wherry-monitor"]
    running = len(Api(engine.socket).get("/containers/json"))
    if len(monitors) != running:
        found.add(f"{len(monitors)} monitors of {running} containers")
    return found


def _name(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except FileNotFoundError:
        return ""


def _words(engine: Engine) -> set[str]:
    api = Api(engine.socket)
    found = {f"container {item['Names'][0]}" for item in api.get("/containers/json?all=1")}
    found |= {f"volume {item['Name']}" for item in api.get("/volumes")["Volumes"] or []}
    found |= {f"network {item['Name']}" for item in api.get("/networks")}
    for item in api.get("/images/json?all=1"):
        found.add(f"image {item['Id']} {sorted(item['RepoTags'] or [])}")
    return found


def _network() -> set[str]:
    with Netlink() as netlink:
        found = {f"link {link.name}" for link in netlink.links()}
    listed = subprocess.run(["nft", "-j", "list", "ruleset"], capture_output=True, check=True)
    for item in json.loads(listed.stdout)["nftables"]:
        found.add(f"rule {json.dumps(_without_counts(item))}")
    return found


def _without_counts(value: object) -> object:
    if isinstance(value, dict):
        dropped = ("handle", "packets", "bytes", "metainfo")
        return {key: _without_counts(item) for key, item in value.items() if key not in dropped}
    if isinstance(value, list):
        return [_without_counts(item) for item in value]
    return value
