"""Failures of the command line itself, each with its exit code."""

from wherry.client.errors import ClientError


class CliError(ClientError):
    """A message for standard error and the code to exit with."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class UsageError(CliError):
    """An option was not understood: the message is followed by the usage line (exit 125)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 125)


class ArgumentsError(CliError):
    """Too few or too many arguments (exit 1)."""


class HelpRequested(Exception):
    """`--help` was among the options, or its `short` form, against which docker advises."""

    def __init__(self, short: bool = False) -> None:
        super().__init__(short)
        self.short = short
