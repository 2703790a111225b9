"""How images are shown in lists (docker/cli `formatter/image.go`)."""

from __future__ import annotations

from wherry.cli.listing import truncate_id
from wherry.cli.timestamps import ago, local_time
from wherry.cli.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

TYPE_NAME = "*formatter.imageContext"
COLUMNS = ("Repository", "Tag", "ID", "CreatedSince", "Size")
DIGEST_COLUMNS = ("Repository", "Tag", "Digest", "ID", "CreatedSince", "Size")
RAW = (
    "repository: Repository",
    "tag: Tag",
    "image_id: ID",
    "created_at: CreatedAt",
    "virtual_size: Size",
)
DIGEST_RAW = (*RAW[:2], "digest: Digest", *RAW[2:])
NONE = "<none>"


def _familiar(name: str) -> str:
    return name.removeprefix("docker.io/library/").removeprefix("docker.io/")


def image_rows(
    images: Iterable[dict[str, Any]], digests: bool, shown: bool = True
) -> list[dict[str, Any]]:
    """A row for every name of every image; digests make rows of their own where asked for.

    A row that has nothing but a digest names it only if digests are `shown` as a column.
    """
    rows: list[dict[str, Any]] = []
    for image in images:
        tags: dict[str, list[str]] = {}
        for text in image.get("RepoTags") or ():
            name, _, tag = text.rpartition(":")
            if name != NONE:
                tags.setdefault(_familiar(name), []).append(tag)
        known: dict[str, list[str]] = {}
        for text in image.get("RepoDigests") or ():
            name, _, digest = text.partition("@")
            if name != NONE:
                known.setdefault(_familiar(name), []).append(digest)
        if not tags and not known:
            rows.append(_row(image, NONE, NONE, NONE))
            continue
        rows += _named_rows(image, tags, known, digests, shown)
    return rows


def _named_rows(
    image: dict[str, Any],
    tags: dict[str, list[str]],
    known: dict[str, list[str]],
    digests: bool,
    shown: bool,
) -> list[dict[str, Any]]:
    rows = []
    for name, values in tags.items():
        own = known.pop(name, []) if digests else known.pop(name, []) and []
        for tag in values:
            rows += [_row(image, name, tag, digest) for digest in own or [NONE]]
    for name, values in known.items():
        told = values if digests and shown else [""]
        rows += [_row(image, name, NONE, digest) for digest in told]
    return rows


def _row(image: dict[str, Any], name: str, tag: str, digest: str) -> dict[str, Any]:
    return {"name": name, "tag": tag, "digest": digest, **image}


def _identity(item: Any, trunc: bool) -> str:
    return truncate_id(item["Id"]) if trunc else str(item["Id"])


_GO_ZERO_TIME = -62135596800


def _since(item: Any, trunc: bool) -> str:
    created = int(item.get("Created") or 0)
    return ago(created) if created > _GO_ZERO_TIME else "N/A"


def _known_size(value: Any) -> str:
    return "N/A" if value is None or value == -1 else human_size(value)


def _unique(item: Any, trunc: bool) -> str:
    size, shared = item.get("Size", -1), item.get("SharedSize", -1)
    return "N/A" if -1 in (size, shared) else human_size(size - shared)


def _containers(item: Any, trunc: bool) -> str:
    return "N/A" if item.get("Containers", -1) == -1 else str(item["Containers"])


FIELDS = {
    "ID": ("IMAGE ID", _identity),
    "Repository": ("REPOSITORY", lambda item, trunc: str(item["name"])),
    "Tag": ("TAG", lambda item, trunc: str(item["tag"])),
    "Digest": ("DIGEST", lambda item, trunc: str(item["digest"])),
    "CreatedSince": ("CREATED", _since),
    "CreatedAt": ("CREATED AT", lambda item, trunc: local_time(item.get("Created") or 0)),
    "Size": ("SIZE", lambda item, trunc: human_size(item.get("Size") or 0, 3)),
    "Containers": ("CONTAINERS", _containers),
    "VirtualSize": ("SIZE", lambda item, trunc: human_size(item.get("Size") or 0)),
    "SharedSize": ("SHARED SIZE", lambda item, trunc: _known_size(item.get("SharedSize"))),
    "UniqueSize": ("UNIQUE SIZE", _unique),
}
"""The fields of a template and of `json`, with their headings."""
