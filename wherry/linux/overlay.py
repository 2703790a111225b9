"""Overlay mounts of many layers, on kernels with and without `lowerdir+` (Linux 6.8).

Newer kernels take each layer by itself. Older ones take one string, of 256 bytes by fsconfig(2)
and of a page by mount(2): too short for paths of a few layers. There each layer is opened and
named /proc/self/fd/N, which leaves room for about 200 of them, and a child mounts them in a
namespace of its own and hands back a detached copy, so that nobody sees a mount come and go.
"""

import errno
import os
import re
import socket
from collections.abc import Sequence
from functools import lru_cache

from wherry.linux import mount as km
from wherry.linux.namespace import CLONE_NEWNS, unshare
from wherry.linux.syscall import SyscallError

_PAGE = os.sysconf("SC_PAGE_SIZE")
_UNKNOWN_OPTION = "wherry-probe"
_COVERED = "/sys"
"""A directory that every machine has, covered in a namespace that nobody else sees."""

_DETACHED = re.compile(r"/proc/self/fd/(\d+)(|/.*)")
"""How callers name a detached mount, or a directory in one."""


def overlay(options: Sequence[str], attributes: int = 0, *, lower: Sequence[str] = ()) -> int:
    """A detached overlay mount from mount(8) options with one `lowerdir=` list.

    `lower` replaces the list by descriptors' /proc paths, for idmapped layers: detached mounts, and
    so may be what upper and work directory lie in. Forks on older kernels: for single-threaded
    processes. Raises SyscallError.
    """
    layers = list(lower)
    rest: list[str] = []
    for option in options:
        if option.startswith("lowerdir="):
            layers = layers or split_lowerdir(option.removeprefix("lowerdir="))
        else:
            rest.append(option)
    if takes_single_layers():
        try:
            return _configured(layers, rest, attributes)
        except SyscallError as error:
            if error.errno != errno.EINVAL or not lower:
                raise  # else: before Linux 6.15 detached mounts are refused so
    tree = _mounted(layers, rest)
    if attributes:
        km.mount_setattr(tree, set_attributes=attributes)
    return tree


def split_lowerdir(text: str) -> list[str]:
    """Layers of a `lowerdir=` value, top first; a backslash escapes a colon in a name."""
    layers = [""]
    escaped = False
    for char in text:
        if escaped:
            layers[-1] += char
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == ":":
            layers.append("")
        else:
            layers[-1] += char
    return layers


@lru_cache(maxsize=1)
def takes_single_layers() -> bool:
    """Whether the kernel knows `lowerdir+`.

    Before Linux 6.5 overlay takes every word and complains when it is mounted: a word that cannot
    be known tells such kernels.
    """
    context = km.fsopen("overlay")
    try:
        for option in (_UNKNOWN_OPTION, "lowerdir+"):
            try:
                km.fsconfig_string(context, option, "/")
            except SyscallError as error:
                if error.errno != errno.EINVAL:
                    raise
                if option == "lowerdir+":
                    return False
            else:
                return option == "lowerdir+"
        return False
    finally:
        os.close(context)


def _configured(layers: Sequence[str], options: Sequence[str], attributes: int) -> int:
    context = km.fsopen("overlay")
    try:
        km.fsconfig_string(context, "source", "overlay")
        for layer in layers:
            km.fsconfig_string(context, "lowerdir+", layer)
        for option in options:
            key, equals, value = option.partition("=")
            if equals:
                km.fsconfig_string(context, key, value)
            else:
                km.fsconfig_flag(context, key)
        return km.fsmount(context, attributes)
    finally:
        os.close(context)


def _mounted(layers: Sequence[str], options: Sequence[str]) -> int:
    """The mount of a child that mounts in its own namespace."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        try:
            socket.send_fds(theirs, [b"0"], [_mount_privately(layers, options)])
        except OSError as error:
            theirs.send(str(error.errno or errno.EIO).encode())
        finally:
            os._exit(0)
    theirs.close()
    try:
        answer, descriptors, _, _ = socket.recv_fds(ours, 16, 1)
    finally:
        ours.close()
        os.waitpid(child, 0)
    if descriptors:
        os.set_inheritable(descriptors[0], False)
        return descriptors[0]
    raise SyscallError(int(answer or errno.EIO), "mount", f"overlay of {len(layers)} layers")


def _mount_privately(layers: Sequence[str], options: Sequence[str]) -> int:
    unshare(CLONE_NEWNS)
    km.set_propagation("/", km.MS_PRIVATE | km.MS_REC)
    km.mount("tmpfs", _COVERED, "tmpfs", 0, "mode=0777")
    data = [f"lowerdir={':'.join(_reached(layer) for layer in layers)}"]
    for option in options:
        key, _, value = option.partition("=")
        data.append(f"{key}={_reached(value)}" if key in ("upperdir", "workdir") else option)
    text = ",".join(data)
    if len(text) >= _PAGE:
        raise SyscallError(errno.E2BIG, "mount", f"overlay of {len(layers)} layers")
    target = f"{_COVERED}/root"
    os.mkdir(target)
    km.mount("overlay", target, "overlay", 0, text)
    return km.clone_tree(target, recursive=False)


def _reached(path: str) -> str:
    """A short name for a directory, in a detached mount or not.

    Before Linux 6.15 overlay takes no detached mount: it is attached where nobody else sees it.
    """
    detached = _DETACHED.fullmatch(path)
    if not detached:
        return f"/proc/self/fd/{os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)}"
    place = f"{_COVERED}/{detached[1]}"
    if not os.path.isdir(place):
        os.mkdir(place)
        km.move_mount(int(detached[1]), place)
    return place + detached[2]
