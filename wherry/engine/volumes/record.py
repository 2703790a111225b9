"""What a volume is, and the errors about volumes in Docker's words."""

import re
from collections.abc import Iterable

import msgspec

from wherry.base.errors import Conflict, InvalidParameter, NotFound

ANONYMOUS_LABEL = "com.docker.volume.anonymous"
"""Marks volumes that nobody named; `volume prune` takes these alone unless told `all`."""

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")


class VolumeRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A volume of the local driver; null labels and options are what the client sent.

    An `unfinished` one belongs to a container that is being made, or is being removed: it is gone
    when a daemon finds it at its start.
    """

    name: str
    created: str
    labels: dict[str, str] | None = None
    options: dict[str, str] | None = None
    unfinished: bool = False

    @property
    def anonymous(self) -> bool:
        """Whether the engine named it."""
        return ANONYMOUS_LABEL in (self.labels or {})

    @property
    def named_labels(self) -> dict[str, str] | None:
        """The labels that a volume with a name would have."""
        if self.labels is None:
            return None
        return {key: value for key, value in self.labels.items() if key != ANONYMOUS_LABEL}


class NoSuchVolume(NotFound):
    """No volume has this name."""

    def __init__(self, name: str, operation: str = "get") -> None:
        """Names the volume; the docker CLI looks for these words."""
        super().__init__(f"{operation} {name}: no such volume")
        self.name = name


class VolumeInUse(Conflict):
    """Containers refer to the volume, running or not."""

    def __init__(self, name: str, containers: Iterable[str]) -> None:
        """Names the volume and the containers."""
        self.containers = sorted(containers)
        super().__init__(f"remove {name}: volume is in use - [{', '.join(self.containers)}]")


class VolumeNotEmpty(Conflict):
    """An archive would be mixed with what a volume holds."""

    def __init__(self, name: str) -> None:
        """Names the volume and the remedy."""
        super().__init__(f"volume {name} is not empty: name a new volume, or empty this one first")


def check_name(name: str) -> str:
    """A volume's name if it is valid; raises InvalidParameter with Docker's text."""
    if len(name) == 1:
        raise InvalidParameter(
            "volume name is too short, names should be at least two alphanumeric characters"
        )
    if not _NAME.fullmatch(name):
        raise InvalidParameter(
            f'create {name}: "{name}" includes invalid characters for a local volume name, only '
            '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, '
            "use absolute path"
        )
    if len(name) > 255:
        raise InvalidParameter(f"create {name}: volume name is too long: at most 255 characters")
    return name
