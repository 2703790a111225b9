"""Where things are mounted: paths in a root, found or made without leaving it."""

import errno
import os
import stat

from wherry.linux.fd import openat2
from wherry.linux.syscall import SyscallError
from wherry.runtime.errors import StartFailed


def open_target(root: int, path: str, *, file: bool, follow: bool = True) -> int:
    """A descriptor (O_PATH) of a mount target, made with its parents if missing.

    Raises StartFailed if what is there is of the wrong kind, or a symbolic link where none may be
    (/proc, /sys).
    """
    flags = os.O_PATH if follow else os.O_PATH | os.O_NOFOLLOW
    try:
        descriptor = openat2(root, path, flags)
    except SyscallError as error:
        if error.errno != errno.ENOENT:
            raise
        make_path(root, path, file=file)
        descriptor = openat2(root, path, flags)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISLNK(mode):
        os.close(descriptor)
        raise StartFailed(f"{path} is a symbolic link in the image: it must be a directory")
    if file == stat.S_ISDIR(mode):
        os.close(descriptor)
        what = "a directory onto a file" if not file else "a file onto a directory"
        raise StartFailed(
            f'error mounting to rootfs at "{path}": not a directory: are you trying to mount '
            f"{what} (or vice-versa)? check if the specified host path exists and is the "
            "expected type"
        )
    return descriptor


def make_path(root: int, path: str, *, file: bool) -> None:
    """Makes a directory or an empty file below the root, with its parents."""
    parts = [part for part in path.split("/") if part]
    walked = ""
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        parent = openat2(root, walked or "/", os.O_RDONLY | os.O_DIRECTORY)
        try:
            if last and file:
                descriptor = os.open(
                    part, os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o755,
                    dir_fd=parent,
                )  # fmt: skip
                os.close(descriptor)
            else:
                os.mkdir(part, 0o755, dir_fd=parent)
        except FileExistsError:
            pass  # somebody's directory on the way; a wrong kind shows at the next step
        finally:
            os.close(parent)
        walked = f"{walked}/{part}"
