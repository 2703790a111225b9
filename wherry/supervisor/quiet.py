"""When an earlier daemon's zygote and its unfinished work are over.

The zygote holds a shared lock (flock(2)) on a file of the exec root. Its children inherit it: a
monitor gives it up when its container runs, a task when it ends. Who gets the exclusive lock knows
that nothing is still being made behind its back.
"""

import logging
import os
import time
from pathlib import Path

from wherry.linux.fd import lock_file

NAME = "zygote.lock"
_PAUSE = 0.005

logger = logging.getLogger("wherry.supervisor")


def open_lock(exec_root: Path) -> int:
    """A descriptor of the file with the shared lock, to be inherited by a zygote."""
    descriptor = os.open(exec_root / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    lock_file(descriptor, shared=True)
    return descriptor


def wait_until_quiet(exec_root: Path, seconds: float) -> None:
    """Returns when nobody holds the lock; after so many seconds with a warning."""
    descriptor = os.open(exec_root / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + seconds
    try:
        while not lock_file(descriptor):
            if time.monotonic() > deadline:
                logger.warning("processes of an earlier daemon still work below %s", exec_root)
                return
            time.sleep(_PAUSE)
    finally:
        os.close(descriptor)
