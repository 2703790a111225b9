"""Image references: `[domain/]path[:tag][@digest]`, with Docker's defaults."""

import re

import msgspec

from wherry.base.errors import InvalidParameter

DEFAULT_DOMAIN = "docker.io"
DEFAULT_TAG = "latest"
_LIBRARY = "library/"

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_DOMAIN = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*"
    r"|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
)
_TAG = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}")
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")


class Reference(msgspec.Struct, frozen=True):
    """A normalised name; `tag` and `digest` are empty when absent."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Raises InvalidParameter with Docker's words; without tag and digest the tag is latest."""
        reference = cls.parse_bare(text)
        if not reference.tag and not reference.digest:
            return msgspec.structs.replace(reference, tag=DEFAULT_TAG)
        return reference

    @classmethod
    def parse_bare(cls, text: str) -> "Reference":
        """As `parse`, without adding the default tag."""
        if _IDENTIFIER.fullmatch(text):
            raise InvalidParameter(
                f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
            )
        rest, at, digest = text.partition("@")
        if at and not _DIGEST.fullmatch(digest):
            raise InvalidParameter("invalid reference format")
        domain, rest = _split_domain(rest)
        path, colon, tag = rest.partition(":")
        if colon and not _TAG.fullmatch(tag):
            raise InvalidParameter("invalid reference format")
        if path.lower() != path:
            whole = f"library/{path}" if domain == DEFAULT_DOMAIN and "/" not in path else path
            raise InvalidParameter(
                f"invalid reference format: repository name ({whole}) must be lowercase"
            )
        if not _PATH.fullmatch(path) or not _DOMAIN.fullmatch(domain):
            raise InvalidParameter("invalid reference format")
        if len(path) > 255:
            raise InvalidParameter("repository name must not be more than 255 characters")
        if domain == DEFAULT_DOMAIN and "/" not in path:
            path = _LIBRARY + path
        return cls(domain, path, tag, digest)

    @property
    def name(self) -> str:
        """Domain and path."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_name(self) -> str:
        """The name as users write it: without docker.io and library."""
        if self.domain != DEFAULT_DOMAIN:
            return self.name
        return self.path.removeprefix(_LIBRARY)

    def familiar(self) -> str:
        """The whole reference as users write it."""
        text = self.familiar_name
        if self.tag:
            text += f":{self.tag}"
        return f"{text}@{self.digest}" if self.digest else text

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def _split_domain(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    named = "." in first or ":" in first or first == "localhost" or first.lower() != first
    if not slash or not named:
        return DEFAULT_DOMAIN, text
    if first in ("index.docker.io", "registry-1.docker.io"):
        first = DEFAULT_DOMAIN
    return first, rest
