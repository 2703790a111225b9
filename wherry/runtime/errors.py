"""Failures of starting a process in a container, in the words that Docker's clients look for."""

from wherry.base.errors import InternalError, InvalidParameter


class StartFailed(InternalError):
    """The runtime could not start a process; the text is like runc's."""


class ExecutableNotFound(InvalidParameter):
    """The program does not exist, or is not on the path (exit code 127)."""


class ExecutableRefused(InvalidParameter):
    """The program may not be executed, or is a directory (exit code 126)."""


class UserNotFound(InvalidParameter):
    """The user or group is not in the container's files."""


BY_NAME: dict[str, type[StartFailed | ExecutableNotFound | ExecutableRefused | UserNotFound]] = {
    "StartFailed": StartFailed,
    "ExecutableNotFound": ExecutableNotFound,
    "ExecutableRefused": ExecutableRefused,
    "UserNotFound": UserNotFound,
}
"""The class of each failure that init reports by name."""
