"""/dev/shm of containers that share their IPC namespace: a tmpfs on the host, bound into all.

Semaphores and queues come with the namespace; POSIX shared memory is files, which others reach
only through a mount that the host has.
"""

import contextlib
import shutil
from pathlib import Path

from wherry.base.errors import Conflict
from wherry.engine.containers.container import Container
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.linux.mount import MNT_DETACH, MS_NODEV, MS_NOEXEC, MS_NOSUID, mount, umount2
from wherry.linux.syscall import SyscallError


def shared_memory(
    container: Container, donor: Container | None, defaults: ContainerDefaults
) -> str:
    """The directory to bind at /dev/shm, empty for a private one; makes that of a donor.

    Raises Conflict, in Docker's words, for a donor that does not share.
    """
    mode = container.record.host.ipc_mode
    if donor is not None:
        path = _directory(donor, defaults)
        if donor.record.host.ipc_mode == "host":
            return "/dev/shm"
        if not path.is_dir():
            raise Conflict(
                f"failed to join IPC namespace: container {donor.id}: non-shareable IPC (hint: use "
                "IpcMode:shareable for the donor container)"
            )
        return str(path)
    if mode != "shareable":
        return ""
    path = _directory(container, defaults)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = f"mode=1777,size={container.record.host.shm_size}"
    mount("shm", str(path), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options)
    return str(path)


def remove_state(directory: Path) -> None:
    """Removes a container's run-time files with what is mounted among them."""
    shm = directory / "shm"
    if shm.is_dir():
        with contextlib.suppress(SyscallError):  # not mounted: it was never shared
            umount2(str(shm), MNT_DETACH)
    shutil.rmtree(directory, ignore_errors=True)


def _directory(container: Container, defaults: ContainerDefaults) -> Path:
    return defaults.state_dir(container.id) / "shm"
