"""Parameters that several endpoints of images share."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from wherry.api.request import ApiRequest
from wherry.base.errors import InvalidParameter
from wherry.model.credentials import Credentials
from wherry.model.manifest import Platform
from wherry.model.reference import Reference

_SEVERAL_PLATFORMS = (1, 52)


def registry_auth(request: ApiRequest) -> Credentials:
    """Who the client is to the registry: X-Registry-Auth, JSON in base64url.

    As with dockerd a header that cannot be read counts as none.
    """
    header = request.raw.headers.get("X-Registry-Auth", "")
    try:
        text = base64.urlsafe_b64decode(header + "=" * (-len(header) % 4))
        return msgspec.json.decode(text or b"{}", type=Credentials)
    except (ValueError, msgspec.MsgspecError):
        return Credentials()


def platforms(request: ApiRequest, name: str, since: tuple[int, int]) -> list[str]:
    """Platforms such as linux/arm64/v8 of a repeated parameter with OCI platforms in JSON.

    Clients of versions before `since` do not know the parameter; raises InvalidParameter.
    """
    if request.version < since:
        return []
    texts = [text for text in request.queries(name) if text]
    if len(texts) > 1 and name == "platform" and request.version < _SEVERAL_PLATFORMS:
        raise InvalidParameter(
            "multiple platform parameters are not supported in this API version; "
            "use API version 1.52 or later"
        )
    return [_platform(text) for text in texts]


def platform(request: ApiRequest, since: tuple[int, int]) -> str:
    """As `platforms`, for a parameter that is given once."""
    found = platforms(request, "platform", since)
    if len(found) > 1:
        raise InvalidParameter("only one platform value is currently supported")
    return found[0] if found else ""


def _platform(text: str) -> str:
    try:
        parsed = msgspec.json.decode(text, type=Platform)
    except msgspec.MsgspecError as error:
        raise InvalidParameter(f"failed to parse platform: {error}") from None
    if not parsed.os or not parsed.architecture:
        raise InvalidParameter("both OS and Architecture must be provided")
    return str(parsed)


def plain_platform(text: str) -> str:
    """A platform in the form os/architecture/variant, checked; raises InvalidParameter."""
    if not text:
        return ""
    parts = text.lower().split("/")
    if not all(parts) or len(parts) > 3:
        raise InvalidParameter(f'"{text}" is an invalid component of a platform specifier')
    if len(parts) == 1:
        parts.insert(0, "linux") if parts[0] != "linux" else parts.append("")
    return "/".join(part for part in parts if part)


def new_name(repository: str, tag: str) -> Reference | None:
    """The name that an image gets, None if there is no repository; raises InvalidParameter."""
    if not repository:
        return None
    reference = Reference.parse_bare(repository)
    if reference.digest:
        raise InvalidParameter("refusing to create a tag with a digest reference")
    reference = msgspec.structs.replace(reference, tag=tag or reference.tag or "latest")
    reference = Reference.parse(str(reference))
    if reference.familiar_name == "sha256":
        raise InvalidParameter("refusing to create an ambiguous tag using digest algorithm as name")
    return reference


async def body(request: ApiRequest) -> AsyncIterator[bytes]:
    """The body, piece by piece."""
    async for piece in request.raw.content.iter_chunked(1 << 20):
        yield piece


Line = dict[str, Any]
