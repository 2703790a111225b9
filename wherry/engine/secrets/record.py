"""What a secret is, and the errors about secrets in Docker's words."""

import re
import secrets
from collections.abc import Iterable

import msgspec

from wherry.base.errors import Conflict, InvalidParameter, NotFound
from wherry.model.docker.secret import Secret, ShownSpec, Version

MAXIMUM_BYTES = 500 * 1024
"""As in a swarm (swarmkit, MaxSecretSize)."""

_NAME = re.compile(r"[a-zA-Z0-9]+(?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ID_LENGTH = 25


class SecretRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A secret; `sealed` is its content as it may lie on disk."""

    id: str
    name: str
    created: str
    updated: str
    sealed: bytes
    labels: dict[str, str] = {}
    version: int = 1

    def shown(self) -> Secret:
        """As the API shows it."""
        return Secret(
            self.id, Version(self.version), self.created, self.updated,
            ShownSpec(self.name, self.labels),
        )  # fmt: skip


class NoSuchSecret(NotFound):
    """No secret has this name or id."""

    def __init__(self, reference: str) -> None:
        """Names it as the client did."""
        super().__init__(f"secret {reference} not found")


class SecretExists(Conflict):
    """The name is taken."""

    def __init__(self, name: str) -> None:
        """Names it."""
        super().__init__(f"rpc error: code = AlreadyExists desc = secret {name} already exists")


class SecretInUse(InvalidParameter):
    """Containers mount the secret."""

    def __init__(self, name: str, containers: Iterable[str]) -> None:
        """Names the secret and the containers."""
        users = ", ".join(sorted(containers))
        super().__init__(f"secret '{name}' is in use by the following container: {users}")


def new_secret_id() -> str:
    """A random identifier in a swarm's form: 25 digits to the base 36."""
    return "".join(secrets.choice(_DIGITS) for _ in range(_ID_LENGTH))


def check_name(name: str) -> str:
    """A secret's name if it is valid; raises InvalidParameter with a swarm's text."""
    if len(name) > 64 or not _NAME.fullmatch(name):
        raise InvalidParameter(
            "invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end "
            "character must be [a-zA-Z0-9]"
        )
    return name


def check_size(content: bytes) -> bytes:
    """The content if it is neither empty nor too long; raises InvalidParameter."""
    if not 0 < len(content) < MAXIMUM_BYTES:
        raise InvalidParameter(
            f"secret data must be larger than 0 and less than {MAXIMUM_BYTES} bytes"
        )
    return content
