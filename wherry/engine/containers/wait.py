"""Waiting for a container's end, its next end, or its removal."""

from wherry.base.errors import InvalidParameter
from wherry.engine.containers.container import Container

CONDITIONS = ("not-running", "next-exit", "removed")


class Waiting:
    """A wait that began: `result` is to be awaited after the answer's head was sent."""

    def __init__(self, container: Container, condition: str) -> None:
        """Notes how things stand now, so that no end is missed; raises InvalidParameter."""
        if condition not in CONDITIONS:
            raise InvalidParameter(f"invalid condition: {condition!r}".replace("'", '"'))
        self._container = container
        self._condition = condition
        self._exits = container.exits

    def _met(self) -> bool:
        container = self._container
        if self._condition == "not-running":
            # An end counts, too, after which a policy has begun the next run already.
            ended = container.exits > self._exits
            return ended or not container.state.running or container.removed
        if self._condition == "next-exit":
            return container.exits > self._exits or container.removed
        return container.removed

    async def result(self) -> tuple[int, str]:
        """The exit code and the error of the start, if that failed and the container is there."""
        condition = await self._container.changed()
        async with condition:
            await condition.wait_for(self._met)
        state = self._container.state
        return state.exit_code, "" if self._condition == "removed" else state.error
