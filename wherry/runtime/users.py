"""Who a process runs as: Docker's user words looked up in the container's own files.

The files are read as data inside the root; nothing of the container is loaded or executed, and
only regular files are read, so that a fifo cannot hold a start up.
"""

import os
import stat
from typing import NamedTuple

from wherry.runtime.errors import UserNotFound

MAXIMUM_ID = (1 << 31) - 1
_MAXIMUM_FILE = 8 << 20


class Identity(NamedTuple):
    """Ids and home of a process."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str


class _PasswdEntry(NamedTuple):
    name: str
    uid: int
    gid: int
    home: str


class _GroupEntry(NamedTuple):
    name: str
    gid: int
    members: tuple[str, ...]


def look_up(user: str, group_add: tuple[str, ...], etc: str = "/etc") -> Identity:
    """The identity of `name|uid[:group|gid]` (root if empty) with additional groups.

    Raises UserNotFound with Docker's words for names that are not there and ids out of range.
    """
    name, _, group = user.partition(":")
    passwd, groups = _read_passwd(f"{etc}/passwd"), _read_group(f"{etc}/group")
    entry = _find_user(name or "0", passwd)
    uid, gid = entry.uid, entry.gid
    supplementary: list[int] = []
    if group:
        gid = _find_group(group, groups)
    elif entry.name:
        supplementary = [item.gid for item in groups if entry.name in item.members]
    supplementary += [_find_group(item, groups) for item in group_add]
    # The primary group, too: without it a file's denial to that group could be evaded by becoming
    # another group (CVE-2022-36109), and dockerd adds it.
    return Identity(uid, gid, tuple(dict.fromkeys((gid, *supplementary))), entry.home)


def _find_user(name: str, passwd: list[_PasswdEntry]) -> _PasswdEntry:
    for entry in passwd:
        if entry.name == name:
            return entry
    if not _is_number(name):
        raise UserNotFound(f"unable to find user {name}: no matching entries in passwd file")
    uid = _in_range(name)
    for entry in passwd:
        if entry.uid == uid:
            return entry
    return _PasswdEntry("", uid, 0, "/")


def _find_group(name: str, groups: list[_GroupEntry]) -> int:
    for entry in groups:
        if entry.name == name:
            return entry.gid
    if not _is_number(name):
        raise UserNotFound(f"unable to find group {name}: no matching entries in group file")
    return _in_range(name)


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()


def _in_range(text: str) -> int:
    number = int(text)
    if not 0 <= number <= MAXIMUM_ID:
        raise UserNotFound(f"uids and gids must be in range 0-{MAXIMUM_ID}: {text}")
    return number


def _lines(path: str) -> list[list[str]]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return []  # an image without users: numbers only
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return []
        data = os.pread(descriptor, _MAXIMUM_FILE, 0)
    finally:
        os.close(descriptor)
    text = data.decode("utf-8", "surrogateescape")
    return [line.strip().split(":") for line in text.splitlines() if not line.startswith("#")]


def _read_passwd(path: str) -> list[_PasswdEntry]:
    return [
        _PasswdEntry(fields[0], int(fields[2]), int(fields[3]), fields[5] or "/")
        for fields in _lines(path)
        if len(fields) >= 6 and _is_number(fields[2]) and _is_number(fields[3])
    ]


def _read_group(path: str) -> list[_GroupEntry]:
    return [
        _GroupEntry(fields[0], int(fields[2]), tuple(filter(None, fields[3].split(","))))
        for fields in _lines(path)
        if len(fields) >= 4 and _is_number(fields[2])
    ]
