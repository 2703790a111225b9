"""A container's files, read and written in a child that sees nothing else of the host.

Names and links inside are the container's to choose, so every task changes its root before it
looks at one (CVE-2018-15664, CVE-2019-14271: nothing is imported from then on).
"""

import contextlib
import errno
import io
import os
import stat
from collections.abc import Callable

import msgspec

from wherry.base.clock import rfc3339_nano
from wherry.base.errors import Forbidden, InvalidParameter
from wherry.linux.confine import confine
from wherry.linux.fd import openat2
from wherry.linux.mount import (
    MNT_DETACH,
    MS_PRIVATE,
    MS_REC,
    clone_tree,
    move_mount,
    set_propagation,
    umount2,
)
from wherry.linux.namespace import CLONE_NEWNS, unshare
from wherry.linux.overlay import overlay
from wherry.linux.syscall import SyscallError
from wherry.model.docker.file_mode import go_file_mode
from wherry.model.mount import Mount
from wherry.runtime.enter import join_container
from wherry.runtime.targets import make_path
from wherry.runtime.users import look_up
from wherry.store.layer.apply import ApplyRequest, apply
from wherry.store.layer.compression import decompress
from wherry.store.layer.diff import write_path, write_tree

_KERNEL_TREES = ("/proc", "/sys", "/dev")
"""Mounted for the process, and no files of the container."""


class TreeMount(msgspec.Struct, frozen=True):
    """What is mounted at a path of the container; no source if only its kind is of interest."""

    target: str
    source: str = ""
    read_write: bool = True


class TreeView(msgspec.Struct, frozen=True):
    """Where a container's files are: behind its process if it runs, else in its layers.

    A process is told by its id and its start time (proc(5), field 22 of stat).
    """

    root: Mount
    pid: int = 0
    start_time: int = 0
    mounts: tuple[TreeMount, ...] = ()
    read_only: bool = False


class ReadRequest(msgspec.Struct, frozen=True):
    """A path to describe, and with it to archive."""

    view: TreeView
    path: str
    archive: bool = True


class WriteRequest(msgspec.Struct, frozen=True):
    """An archive to unpack at a path; `user` owns what is unpacked unless empty."""

    view: TreeView
    path: str
    keep_kinds: bool = False
    user: str = ""


class PathStat(msgspec.Struct, frozen=True, rename="camel"):
    """X-Docker-Container-Path-Stat: `mode` is Go's, `mtime` RFC 3339."""

    name: str
    size: int
    mode: int
    mtime: str
    link_target: str = ""


def read_task(parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]) -> bytes:
    """Reports a path's description, then writes its archive to descriptor 1; 0 is scratch."""
    request = msgspec.json.decode(parameters, type=ReadRequest)
    _enter(request.view, descriptors[0])
    path = _absolute(request.path)
    report(msgspec.json.encode(_describe(path)))
    if request.archive:
        with io.FileIO(descriptors[1], "w") as target:
            write_path(target, path, _archive_name(path))
    return b""


def write_task(parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]) -> bytes:
    """Unpacks the archive of descriptor 1 at a path of the container; 0 is scratch."""
    request = msgspec.json.decode(parameters, type=WriteRequest)
    with io.BufferedReader(io.FileIO(descriptors[1]), 1 << 18) as file:
        nothing = not file.peek(1)
        stream = decompress(file)
        _enter(request.view, descriptors[0])
        resolved = os.path.realpath(_absolute(request.path), strict=True)
        if not os.path.isdir(resolved):
            raise InvalidParameter("extraction point is not a directory")
        _check_writable(request.view, resolved)
        owner = None
        if request.user:
            identity = look_up(request.user, ())
            owner = (identity.uid, identity.gid)
        os.chdir(resolved)
        os.umask(0)
        options = ApplyRequest(whiteouts=False, keep_kinds=request.keep_kinds, owner=owner)
        if not nothing:  # dockerd takes no byte at all for an archive of no files
            apply(stream, options)
    return b""


def export_task(
    parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]
) -> bytes:
    """Writes everything but what is mounted below the root to descriptor 1; 0 is scratch."""
    view = msgspec.json.decode(parameters, type=TreeView)
    if view.pid:
        join_container(view.pid, view.start_time)
        confine(clone_tree("/", recursive=False))
    else:
        _enter(msgspec.structs.replace(view, mounts=()), descriptors[0])
    report(b"")  # from here on nothing is missing: the answer may begin
    with io.BufferedWriter(io.FileIO(descriptors[1], "w"), 1 << 18) as target:
        write_tree(target, whiteouts=False)
    return b""


def _enter(view: TreeView, scratch: int) -> None:
    """Makes the container's files this process's root; `scratch` is an empty directory."""
    if view.pid:
        join_container(view.pid, view.start_time)
        unshare(CLONE_NEWNS)
        set_propagation("/", MS_REC | MS_PRIVATE)
        for target in _KERNEL_TREES:
            with contextlib.suppress(SyscallError):  # not mounted: the image's own is there
                umount2(target, MNT_DETACH)
        confine(os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
        return
    os.fchdir(scratch)  # the working directory moves with the namespace, a descriptor does not
    unshare(CLONE_NEWNS)
    set_propagation("/", MS_REC | MS_PRIVATE)
    if view.root.type == "overlay":
        root = overlay(view.root.options)
    else:
        root = clone_tree(view.root.source, recursive=False)
    move_mount(root, ".")
    for mount in view.mounts:
        if mount.source:
            _bind(root, mount)
    confine(root)


def _bind(root: int, mount: TreeMount) -> None:
    try:
        tree = clone_tree(mount.source, recursive=True)
    except OSError:
        return  # its source is gone: the next start says so
    try:
        target = openat2(root, mount.target, os.O_PATH)
    except SyscallError as error:
        if error.errno != errno.ENOENT:
            raise
        # Never started: its mount points are made now.
        make_path(root, mount.target, file=not stat.S_ISDIR(os.fstat(tree).st_mode))
        target = openat2(root, mount.target, os.O_PATH)
    move_mount(tree, target)
    os.close(target)
    os.close(tree)


def _absolute(path: str) -> str:
    """A path below the root, with the `/` or `/.` at its end that says follow the link."""
    clean = os.path.normpath(f"/{path}").replace("//", "/")
    if clean == "/":
        return clean
    if path.endswith("/."):
        return f"{clean}/."
    return f"{clean}/" if path.endswith("/") else clean


def _archive_name(path: str) -> str:
    return path if path == "/" else path.rstrip("/").rpartition("/")[2]


def _describe(path: str) -> PathStat:
    found = os.lstat(path)
    target = os.path.realpath(path) if stat.S_ISLNK(found.st_mode) else ""
    return PathStat(
        _archive_name(path), found.st_size, go_file_mode(found.st_mode),
        rfc3339_nano(found.st_mtime_ns), target,
    )  # fmt: skip


def _check_writable(view: TreeView, path: str) -> None:
    """Docker's words for what a mount or the root does not let happen."""
    nearest = ""
    writable = not view.read_only
    for mount in view.mounts:
        inside = path == mount.target or path.startswith(mount.target.rstrip("/") + "/")
        if inside and len(mount.target) > len(nearest):
            nearest, writable = mount.target, mount.read_write
    if not writable and nearest:
        raise Forbidden("mounted volume is marked read-only")
    if not writable:
        raise Forbidden("container rootfs is marked read-only")
