"""Which versions of Docker's API are spoken, and the headers that tell."""

from wherry import __version__
from wherry.base.errors import InvalidParameter
from wherry.model.docker import system

Version = tuple[int, int]


def _parsed(text: str) -> Version:
    major, _, minor = text.partition(".")
    return int(major), int(minor)


API_VERSION: Version = _parsed(system.API_VERSION)
MINIMUM_VERSION: Version = _parsed(system.MIN_API_VERSION)
ACCEPTED_VERSION: Version = (1, 22)
"""Answered as if it were the minimum: what skopeo asks for, which looks at images alone."""


class BadVersion(InvalidParameter):
    """The client speaks a version that this engine does not."""


def version_text(version: Version) -> str:
    """A version as clients write it."""
    return f"{version[0]}.{version[1]}"


def check_version(version: Version) -> None:
    """Raises BadVersion, in Docker's words, for a version outside the range."""
    text = version_text(version)
    if version > API_VERSION:
        raise BadVersion(
            f"client version {text} is too new. Maximum supported API version is "
            f"{version_text(API_VERSION)}"
        )
    if version < ACCEPTED_VERSION:
        raise BadVersion(
            f"client version {text} is too old. Minimum supported API version is "
            f"{version_text(MINIMUM_VERSION)}, please upgrade your client to a newer version"
        )


def standard_headers() -> dict[str, str]:
    """What every answer of the engine carries."""
    return {
        "Api-Version": version_text(API_VERSION),
        "Docker-Experimental": "false",
        "Ostype": "linux",
        "Server": f"Wherry/{__version__} (linux)",
    }
