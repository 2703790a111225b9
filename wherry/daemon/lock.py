"""One daemon for each root: locks that die with their holder, and the process id file."""

import os
from pathlib import Path

from wherry.base.errors import Conflict, InvalidParameter
from wherry.base.files import write_atomic
from wherry.linux.fd import lock_file
from wherry.linux.process import process_start_time


class DaemonLock:
    """Holds the lock on a root until closed, or until the process dies."""

    def __init__(self, root: Path, option: str) -> None:
        """Takes the lock; raises Conflict, naming the option, if another daemon has it."""
        self._path = root / "daemon.lock"
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not lock_file(self._descriptor):
            os.close(self._descriptor)
            raise Conflict(f"another daemon runs on {root}: stop it, or choose another {option}")

    def close(self) -> None:
        """Gives the lock back; the file stays, since unlinking it would let two daemons in."""
        os.close(self._descriptor)


class PidFile:
    """The file that tells others the daemon's process id."""

    def __init__(self, path: Path) -> None:
        """Writes the file; raises InvalidParameter if a living process is named there."""
        self._path = path
        try:
            running = int(path.read_text())
        except (FileNotFoundError, ValueError):
            running = 0
        if running and running != os.getpid() and process_start_time(running) is not None:
            raise InvalidParameter(
                f"ensure wherry is not running or delete {path}: "
                f"process with PID {running} is still running"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, str(os.getpid()).encode(), mode=0o644)

    def close(self) -> None:
        """Removes the file."""
        self._path.unlink(missing_ok=True)
