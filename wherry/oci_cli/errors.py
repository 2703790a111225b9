"""Failures of the command line: a text in runc's words and an exit code."""


class RuntimeFailure(Exception):
    """Ends the command with a line on stderr and in the log."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class UsageFailure(RuntimeFailure):
    """The command line itself is wrong."""


NO_SUCH_CONTAINER = "container does not exist"
"""runc's words, which engines look for when they delete."""

NOT_RUNNING = "container not running"
"""runc's words, which engines look for when they signal."""
