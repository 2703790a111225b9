"""Which state of a container may follow which: one table, read by code and tests."""

from wherry.base.errors import InternalError

TRANSITIONS: dict[str, frozenset[str]] = {
    "created": frozenset({"running", "exited", "removing"}),
    "running": frozenset({"paused", "restarting", "exited"}),
    "paused": frozenset({"running", "restarting", "exited"}),
    "restarting": frozenset({"running", "exited"}),
    "exited": frozenset({"running", "restarting", "removing"}),
    "removing": frozenset({"dead", "exited", "created"}),
    "dead": frozenset({"removing"}),
}
"""From each status of Docker's to those that may come next; staying is always allowed."""


class ImpossibleTransition(InternalError):
    """A use case wanted what the table forbids: a defect of the engine."""

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"a container cannot go from {before} to {after}")


def check_transition(before: str, after: str) -> None:
    """Raises ImpossibleTransition unless the table allows the step."""
    if before != after and after not in TRANSITIONS.get(before, frozenset()):
        raise ImpossibleTransition(before, after)
