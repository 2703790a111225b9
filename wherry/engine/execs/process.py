"""One exec'd process, from its creation until it is forgotten."""

import asyncio
import time
from collections.abc import Callable

from wherry.engine.containers.container import Container
from wherry.model.docker.exec import ExecCreateRequest


class Exec:
    """A further process of a container; lives with this daemon only, as in Docker."""

    def __init__(
        self, identifier: str, container: Container, request: ExecCreateRequest,
        detach_keys: str, on_exit: Callable[["Exec"], None],
    ) -> None:  # fmt: skip
        """`on_exit` is called once, when the exit code is known."""
        self.id = identifier
        self.container = container
        self.request = request
        self.detach_keys = detach_keys
        self.began = False
        self.running = False
        self.pid = 0
        self.exit_code: int | None = None
        self.ended_at = 0.0
        self.started = asyncio.Event()
        self._on_exit = on_exit

    @property
    def command(self) -> str:
        """The words of the command, as dockerd's events show them: a space after the program."""
        program, *arguments = self.request.cmd or ("",)
        return f"{program} {' '.join(arguments)}"

    def begin(self) -> None:
        """It is being started: a second start is refused from here on."""
        self.began = True
        self.running = True

    def runs(self, pid: int) -> None:
        """Its program runs."""
        self.pid = pid
        self.started.set()

    def failed(self, exit_code: int) -> None:
        """Its program could not be started."""
        self._end(exit_code)

    def exited(self, exit_code: int) -> None:
        """It ended, or its container did; the first word counts."""
        if not self.running:
            return
        self._end(exit_code)
        self._on_exit(self)

    def _end(self, exit_code: int) -> None:
        self.running = False
        self.exit_code = exit_code
        self.ended_at = time.monotonic()
        self.container.execs.pop(self.id, None)  # inspected by its id only, as in dockerd
        self.started.set()
