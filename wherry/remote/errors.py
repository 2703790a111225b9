"""What goes wrong with registries, in the words of dockerd."""

from wherry.base.errors import Forbidden, InternalError, NotFound, Unauthorized


class AccessDenied(NotFound):
    """The repository is not there for this user."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"pull access denied for {name}, repository does not exist or may require "
            "'docker login'"
        )


class ManifestUnknown(NotFound):
    """The repository has no such tag or digest."""

    def __init__(self, name: str) -> None:
        super().__init__(f"manifest for {name} not found: manifest unknown: manifest unknown")


class BlobUnknown(NotFound):
    """The registry lacks a blob that a manifest names."""


class RegistryUnreachable(InternalError):
    """No endpoint of the registry answered."""


class RegistryRefused(InternalError):
    """The registry answered with an error of its own."""


class LoginFailed(Unauthorized):
    """The credentials are wrong."""


class RateLimited(Forbidden):
    """The registry asks to come back later."""
