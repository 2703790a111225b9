"""Extended attributes of paths that are not followed (xattr(7))."""

import errno
import os


def list_xattrs(path: str | int) -> list[str]:
    """Names of the attributes; none where the file system has no attributes."""
    try:
        return (
            os.listxattr(path)
            if isinstance(path, int)
            else os.listxattr(path, follow_symlinks=False)
        )
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENODATA):
            return []
        raise


def get_xattr(path: str, name: str) -> bytes | None:
    """The value of an attribute, None if it is absent."""
    try:
        return os.getxattr(path, name, follow_symlinks=False)
    except OSError as error:
        if error.errno in (errno.ENODATA, errno.ENOTSUP):
            return None
        raise


def set_xattr(path: str, name: str, value: bytes) -> None:
    """Sets an attribute; raises OSError."""
    os.setxattr(path, name, value, follow_symlinks=False)
