"""What lies below every image: the files and directories that a start mounts on.

So a container's own layer holds what its processes changed and nothing else (dockerd keeps an
`-init` layer for the same end). As the lowest layer it never hides what an image brings.
"""

from pathlib import Path

_DIRECTORIES = ("dev", "dev/pts", "dev/shm", "etc", "proc", "sys")
_FILES = (".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf")


def make_base(root: Path) -> Path:
    """Makes the base layer at `root`, or what is missing of it; returns `root`."""
    root.mkdir(exist_ok=True)
    root.chmod(0o755)
    for name in _DIRECTORIES:
        (root / name).mkdir(exist_ok=True)
        (root / name).chmod(0o755)
    for name in _FILES:
        (root / name).touch(mode=0o755)
    mtab = root / "etc/mtab"
    if not mtab.is_symlink():
        mtab.symlink_to("/proc/mounts")
    return root
