"""The dozen kinds of failure that the faces of the house tell apart.

Rooms subclass these with fields of their own; each face (HTTP status, exit code, OCI error code)
has one total map from these classes. The text is for users: lower case unless Docker's own words
differ, naming the object and, where there is one, the remedy.
"""


class WherryError(Exception):
    """A failure that has a message for the user."""

    @property
    def message(self) -> str:
        """The one line shown to the user."""
        return str(self.args[0]) if self.args else type(self).__name__


def failure_of_system_call(error: OSError) -> str:
    """One line for what the kernel refused: the file, where one is named, and why."""
    if type(error).__str__ is not OSError.__str__:
        return str(error)  # it has words of its own
    reason = error.strerror or str(error)
    reason = reason[:1].lower() + reason[1:]
    return f"{error.filename}: {reason}" if error.filename else reason


class InvalidParameter(WherryError):
    """The request is malformed or out of range; retrying it unchanged is useless (HTTP 400)."""


class Unauthorized(WherryError):
    """Credentials are missing or wrong (HTTP 401)."""


class Forbidden(WherryError):
    """The caller may not do this (HTTP 403)."""


class NotFound(WherryError):
    """The named object does not exist (HTTP 404)."""


class Conflict(WherryError):
    """The object's present state forbids the request (HTTP 409)."""


class NotModified(WherryError):
    """The object already is in the state asked for (HTTP 304)."""


class Unavailable(WherryError):
    """A service needed for the request cannot be reached, or is not on (HTTP 503)."""


class NotSupported(WherryError):
    """The engine, or the kernel under it, does not offer this (HTTP 501)."""


class ResourceExhausted(WherryError):
    """A disk, an address pool or a limit is full (HTTP 500, as Docker answers)."""


class DataCorrupt(WherryError):
    """Bytes do not match their digest or their format (HTTP 500, as Docker answers)."""


class Timeout(WherryError):
    """Something did not happen within its bound (HTTP 500)."""


class Cancelled(WherryError):
    """The work was cancelled by its caller (HTTP 499)."""


class InternalError(WherryError):
    """A failure of the engine or the kernel that the user did not cause (HTTP 500)."""
