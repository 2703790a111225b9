"""What an engine has left on the machine: nothing, once it ended and its containers are gone."""

import contextlib
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.patience import patience
from wherry.linux.nftables import Nftables, NftablesError, NftablesMissing

_SECONDS = 5.0
"""How long a process may take to end that was told to."""


def leftovers(root: Path, data: Path) -> list[str]:
    """Mounts, links, control groups, nftables and processes of the engine with this data root.

    `root` is the directory that everything of the engine lies in.
    """
    mark = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:6]
    deadline = time.monotonic() + patience(_SECONDS)
    while found := [*_mounts(root), *_links(mark), *_groups(mark), *_tables(mark),
                    *_processes(root, mark)]:  # fmt: skip
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return found


def _mounts(root: Path) -> Iterator[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return (f"mount: {line}" for line in lines if str(root) in line)


def _links(mark: str) -> Iterator[str]:
    return (f"link: {link.name}" for link in Path("/sys/class/net").iterdir() if mark in link.name)


def _groups(mark: str) -> Iterator[str]:
    for hierarchy in Path("/sys/fs/cgroup").iterdir():
        if mark in hierarchy.name:
            yield f"control group: {hierarchy}"
        elif hierarchy.is_dir():
            yield from (f"control group: {group}" for group in hierarchy.glob(f"*wherry-{mark}*"))


def _tables(mark: str) -> list[str]:
    """Rules live in tables; where they cannot be read, none was made."""
    try:
        nftables = Nftables()
        try:
            tables = [entry["table"]["name"] for entry in nftables.query("list tables")]
        finally:
            nftables.close()
    except (NftablesError, NftablesMissing):
        return []
    return [f"nftables table: {name}" for name in tables if mark in name]


def _processes(root: Path, mark: str) -> Iterator[str]:
    """Processes that were given the root, have a mount below it or are in one of its groups."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("latin-1")
            known = (process / "mountinfo").read_text() + (process / "cgroup").read_text()
            if str(root) in command + known or f"wherry-{mark}" in known:
                yield f"process: {process.name} {command}"
