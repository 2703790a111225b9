"""What can go wrong between the client and an engine, with the words the docker CLI uses."""

from wherry.base.errors import WherryError


class ClientError(WherryError):
    """A failure on the client's side of the socket: bad host, bad file, bad answer."""


class ConnectionFailed(ClientError):
    """No engine could be reached at the address."""


class ApiError(ClientError):
    """The engine answered with a status of 400 or more."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def message(self) -> str:
        """The line shown to the user, with the prefix that scripts look for."""
        return f"Error response from daemon: {self.args[0]}"

    @property
    def detail(self) -> str:
        """The engine's own words, without the prefix."""
        return str(self.args[0])
