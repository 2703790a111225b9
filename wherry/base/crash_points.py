"""Named moments between two steps of a change, at which a test has the daemon killed.

A daemon started with WHERRY_CRASH_POINT in its environment kills itself when it reaches that point,
as `kill -9` would. Without it a point costs a comparison.
"""

import os
import signal

from wherry.base.errors import InvalidParameter

VARIABLE = "WHERRY_CRASH_POINT"

POINTS = (
    "create.named", "create.volumes", "create.layer", "create.filled", "create.recorded",
    "start.mounted", "start.networked", "start.planned", "start.runs", "start.recorded",
    "exec.began", "exec.runs",
    "stop.marked", "stop.signalled",
    "pause.frozen", "pause.thawed",
    "exit.seen", "exit.released", "exit.recorded", "exit.cleaned",
    "remove.recorded", "remove.deleted", "remove.volumes",
    "rename.recorded",
    "archive.received", "layer.begun", "layer.unpacked", "layer.kept", "layer.visible",
    "image.recorded", "image.forgotten", "image.layers",
    "commit.paused", "commit.written",
    "pull.downloaded",
    "network.recorded", "network.made", "network.unmade",
    "volume.recorded", "volume.made", "volume.doomed", "volume.deleted",
)  # fmt: skip
"""All points: after the step that the second word names, before the next."""

_armed = ""


def arm(point: str) -> None:
    """Chooses the point, none if empty; raises InvalidParameter for one that does not exist."""
    global _armed
    if point and point not in POINTS:
        raise InvalidParameter(f"{VARIABLE}: there is no crash point {point}")
    _armed = point


def reach(point: str) -> None:
    """Ends the process, unseen by any handler, if this point was chosen."""
    if point == _armed:
        os.kill(os.getpid(), signal.SIGKILL)
