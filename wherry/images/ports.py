"""What this room needs of others, as the consumer words it."""

from collections.abc import Sequence
from typing import Protocol


class RunningTask(Protocol):
    """Work in a child process."""

    def result(self, timeout: float | None = None) -> bytes:
        """The result, or the failure raised."""

    def next_frame(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """The next kind and payload: `p` for progress, `r` for the result; or the failure."""

    def kill(self) -> None:
        """Ends it."""


class TaskRunner(Protocol):
    """Runs named work on file trees in confined children."""

    def run_task(self, name: str, params: bytes, fds: Sequence[int] = ()) -> RunningTask:
        """Begins a task with parameters and descriptors."""
