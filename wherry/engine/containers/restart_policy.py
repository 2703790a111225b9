"""When an ended container is started again, and after how long. Pure.

As dockerd's restartmanager: the delay doubles from 100 ms to a minute, and begins anew when the
container had run for ten seconds.
"""

from wherry.engine.containers.container import State
from wherry.model.docker.container import RestartPolicy

FIRST_DELAY = 0.1
LONGEST_DELAY = 60.0
RESET_AFTER = 10.0

COUNTED = ("on-failure", "unhealthy")
"""The policies that may have a number of retries; `unhealthy` is Wherry's own."""


def next_delay(previous: float, ran: float) -> float:
    """Seconds to wait, after the previous wait (0 for none) and so many seconds of running."""
    if previous <= 0 or ran >= RESET_AFTER:
        return FIRST_DELAY
    return min(previous * 2, LONGEST_DELAY)


def restarts_after_exit(
    policy: RestartPolicy, state: State, exit_code: int, *, ill: bool = False
) -> bool:
    """Whether a container that has just ended is started again; `ill` if that was why it ended."""
    return not state.manually_stopped and _wants(policy, state, exit_code, ill)


def restarts_when_ill(policy: RestartPolicy, state: State) -> bool:
    """Whether a container that runs is ended and started again since it is unhealthy."""
    return policy.name == "unhealthy" and _wants(policy, state, 0, ill=True)


def restarts_with_daemon(policy: RestartPolicy, state: State) -> bool:
    """Whether an ended container is started when the daemon comes up.

    `always` means it even for a container that a user had stopped; `unless-stopped` does not.
    """
    if policy.name == "unless-stopped" and state.manually_stopped:
        return False
    return _wants(policy, state, state.exit_code)


def _wants(policy: RestartPolicy, state: State, exit_code: int, ill: bool = False) -> bool:
    """For `unhealthy` illness is a failure like another: all else is as with `on-failure`."""
    if policy.name in ("always", "unless-stopped"):
        return True
    if policy.name not in COUNTED or not (exit_code or ill):
        return False
    limit = policy.maximum_retry_count
    return limit == 0 or state.restart_count < limit
