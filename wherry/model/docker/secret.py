"""Secrets as the Engine API writes them (API 1.51, types/swarm); their data is never shown."""

from typing import Any

import msgspec


class SecretSpec(msgspec.Struct, frozen=True, rename="pascal"):
    """What a client says of a secret; `data` is base64, at its creation only."""

    name: str = ""
    labels: dict[str, str] | None = None
    data: str | None = None
    driver: dict[str, Any] | None = None
    templating: dict[str, Any] | None = None


class ShownSpec(msgspec.Struct, frozen=True, rename="pascal"):
    """What the engine says of it."""

    name: str
    labels: dict[str, str]


class Version(msgspec.Struct, frozen=True, rename="pascal"):
    """Grows with every update, which must name the one that it changes."""

    index: int


class Secret(msgspec.Struct, frozen=True, rename="pascal"):
    """One secret; times are RFC 3339."""

    id: str = msgspec.field(name="ID")
    version: Version
    created_at: str
    updated_at: str
    spec: ShownSpec


class SecretCreated(msgspec.Struct, frozen=True, rename="pascal"):
    """The answer to POST /secrets/create."""

    id: str = msgspec.field(name="ID")
