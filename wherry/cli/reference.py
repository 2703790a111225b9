"""Image references as far as the command line needs them: normal form, and back to the short one.

The grammar is distribution/reference's; the engine checks names in full.
"""

from __future__ import annotations

from wherry.cli.errors import CliError

DEFAULT_DOMAIN = "docker.io"
_OFFICIAL = "library/"
_LEGACY_DOMAIN = "index.docker.io"


class Reference:
    """A name with its registry, and a tag, a digest, both or neither."""

    __slots__ = ("digest", "domain", "path", "tag")

    def __init__(self, domain: str, path: str, tag: str = "", digest: str = "") -> None:
        self.domain, self.path, self.tag, self.digest = domain, path, tag, digest

    @property
    def name(self) -> str:
        """`docker.io/library/busybox`."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_name(self) -> str:
        """`busybox`."""
        if self.domain != DEFAULT_DOMAIN:
            return self.name
        if self.path.startswith(_OFFICIAL) and "/" not in self.path[len(_OFFICIAL) :]:
            return self.path[len(_OFFICIAL) :]
        return self.path

    @property
    def familiar(self) -> str:
        """The short name with its tag and digest."""
        text = self.familiar_name
        if self.tag:
            text += f":{self.tag}"
        return f"{text}@{self.digest}" if self.digest else text

    def tagged(self) -> Reference:
        """The same with `latest`, where there is neither tag nor digest."""
        if self.tag or self.digest:
            return self
        return Reference(self.domain, self.path, "latest")


def parse_reference(text: str) -> Reference:
    """A user's spelling in normal form; raises CliError with docker's words."""
    if len(text) == 64 and all(mark in "0123456789abcdef" for mark in text):
        raise CliError(
            f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
        )
    name, at, digest = text.partition("@")
    head, _, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    name = f"{head}/{last}" if head else last
    domain, slash, path = name.partition("/")
    local = domain == "localhost" or "." in domain or ":" in domain or domain.lower() != domain
    if not slash or not local:
        domain, path = DEFAULT_DOMAIN, name
    if domain == _LEGACY_DOMAIN:
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and "/" not in path:
        path = _OFFICIAL + path
    if path.lower() != path:
        raise CliError(f"invalid reference format: repository name ({path}) must be lowercase")
    host, colon_of_port, port = domain.partition(":")
    if colon_of_port and not (host and port.isdigit()):
        raise CliError("invalid reference format")
    if not _is_path(path) or (colon and not _is_tag(tag)) or (at and not _is_digest(digest)):
        raise CliError("invalid reference format")
    return Reference(domain, path, tag, digest)


def _is_path(path: str) -> bool:
    return all(
        part
        and part[0].isalnum()
        and part[-1].isalnum()
        and part.isascii()
        and all(mark.isalnum() or mark in "._-" for mark in part)
        for part in path.split("/")
    )


def _is_tag(tag: str) -> bool:
    return (
        0 < len(tag) <= 128
        and tag.isascii()
        and (tag[0].isalnum() or tag[0] == "_")
        and all(mark.isalnum() or mark in "._-" for mark in tag)
    )


def _is_digest(digest: str) -> bool:
    algorithm, colon, value = digest.partition(":")
    return bool(algorithm and colon) and len(value) >= 32 and value.isalnum()
