"""Go's os.FileMode, in which Docker's API tells kinds and permissions of files."""

import stat

_DIRECTORY, _SYMLINK, _DEVICE, _NAMED_PIPE = 1 << 31, 1 << 27, 1 << 26, 1 << 25
_SOCKET, _SET_UID, _SET_GID, _CHARACTER, _STICKY = 1 << 24, 1 << 23, 1 << 22, 1 << 21, 1 << 20

_KINDS = {
    stat.S_IFDIR: _DIRECTORY,
    stat.S_IFLNK: _SYMLINK,
    stat.S_IFBLK: _DEVICE,
    stat.S_IFCHR: _DEVICE | _CHARACTER,
    stat.S_IFIFO: _NAMED_PIPE,
    stat.S_IFSOCK: _SOCKET,
}
_BITS = ((stat.S_ISUID, _SET_UID), (stat.S_ISGID, _SET_GID), (stat.S_ISVTX, _STICKY))


def go_file_mode(mode: int) -> int:
    """The FileMode of a `st_mode` (inode(7))."""
    special = sum(bit for mask, bit in _BITS if mode & mask)
    return _KINDS.get(stat.S_IFMT(mode), 0) | special | mode & 0o777
