"""Pulling an image, with the credentials for its registry."""

from __future__ import annotations

from wherry.cli.progress import drain, show_progress
from wherry.client import credentials
from wherry.client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from wherry.cli.reference import Reference
    from wherry.cli.session import Session


def registry_header(session: Session, reference: Reference) -> str:
    """X-Registry-Auth for an image's registry."""
    return _header(session, credentials.registry_key(reference.domain))


def _header(session: Session, server: str) -> str:
    """Where a credential helper fails, the registry is asked by nobody, as docker does."""
    try:
        known = credentials.find(session.config, server)
    except ClientError:
        known = {}
    return credentials.header(known)


def index_header(session: Session) -> str:
    """X-Registry-Auth for the registry that names without a domain mean."""
    return _header(session, credentials.INDEX_SERVER)


def pull_image(
    session: Session,
    reference: Reference,
    *,
    platform: str = "",
    quiet: bool = False,
    output: TextIO | None = None,
) -> None:
    """POST /images/create, its progress shown unless it is to be quiet."""
    query = {"fromImage": reference.name, "tag": reference.digest or reference.tag}
    if not query["tag"]:
        del query["tag"]
    if platform:
        query["platform"] = platform.lower()
    header = {"X-Registry-Auth": registry_header(session, reference)}
    response = session.client.request("POST", "/images/create", query, headers=header)
    if quiet:
        drain(response)
    else:
        show_progress(response, output)
