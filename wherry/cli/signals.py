"""Signals that the command line receives and hands on to a container."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # no stubs; `signal` would import enum

from wherry.client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from wherry.cli.session import Session

_NOT_FORWARDED = frozenset(("SIGKILL", "SIGSTOP", "SIGCHLD", "SIGPIPE", "SIGURG", "SIGWINCH"))


def signal_names() -> dict[int, str]:
    """The platform's signals by number, as `kill` names them."""
    return {
        getattr(_signal, name): name[3:]
        for name in dir(_signal)
        if name.startswith("SIG")
        and not name.startswith("SIG_")
        and name not in ("SIGCLD", "SIGPOLL", "SIGRTMIN", "SIGRTMAX")
    }


def forward_all(session: Session, container: str) -> None:
    """From now on every signal that can be caught is sent to the container."""
    names = signal_names()

    def forward(number: int, frame: FrameType | None) -> None:
        try:
            session.client.open().post(f"/containers/{container}/kill", {"signal": names[number]})
        except ClientError:
            pass  # the container has just ended: nobody is left to signal

    for number, name in names.items():
        if f"SIG{name}" not in _NOT_FORWARDED:
            try:
                _signal.signal(number, forward)
            except (OSError, ValueError):
                continue  # a signal that this platform keeps for itself


def on_resize(work: Callable[[], None]) -> None:
    """Calls `work` whenever the terminal changes its size."""
    number = getattr(_signal, "SIGWINCH", None)
    if number is not None:
        _signal.signal(number, lambda _number, _frame: work())


def stop_forwarding() -> None:
    """Lets an interrupt end the command line again."""
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
    if hasattr(_signal, "SIGTERM"):
        _signal.signal(_signal.SIGTERM, _signal.SIG_DFL)
