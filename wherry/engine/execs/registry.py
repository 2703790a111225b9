"""All exec'd processes that this daemon knows."""

import time

from wherry.base.errors import NotFound
from wherry.engine.containers.container import Container
from wherry.engine.execs.process import Exec

KEPT_SECONDS = 300.0
"""How long an ended one can still be inspected (moby's execCommandGC)."""


class NoSuchExec(NotFound):
    """No exec has this id, or its container is gone."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"No such exec instance: {reference}")
        self.reference = reference


class ExecRegistry:
    """Finds them by id; each is also listed by its container."""

    def __init__(self) -> None:
        self._by_id: dict[str, Exec] = {}

    def add(self, process: Exec) -> None:
        """Adds one, and forgets those that ended long ago."""
        self._forget_old()
        self._by_id[process.id] = process
        process.container.execs[process.id] = process

    def get(self, identifier: str) -> Exec:
        """An exec by its full id; raises NoSuchExec."""
        found = self._by_id.get(identifier)
        if found is None or found.container.removed:
            raise NoSuchExec(identifier)
        return found

    def of(self, container: Container) -> list[Exec]:
        """Those of one container."""
        return [item for item in self._by_id.values() if item.container is container]

    def _forget_old(self) -> None:
        limit = time.monotonic() - KEPT_SECONDS
        for process in list(self._by_id.values()):
            ended = process.ended_at and process.ended_at < limit
            if ended or process.container.removed:
                del self._by_id[process.id]
                process.container.execs.pop(process.id, None)
