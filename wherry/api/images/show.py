"""GET endpoints of images: list, inspect, history."""

from typing import Any

import msgspec
from aiohttp import web

from wherry.api.images.parameters import platform
from wherry.api.request import ApiRequest, json_response
from wherry.api.services import Services
from wherry.base.clock import ZERO_TIME
from wherry.model.docker.image import UNSET, ImageInspect, ImageSummary

_NONE = "<none>"
_OLDEST_CONFIG: dict[str, Any] = {
    "Hostname": "", "Domainname": "", "User": "", "AttachStdin": False, "AttachStdout": False,
    "AttachStderr": False, "Tty": False, "OpenStdin": False, "StdinOnce": False, "Env": None,
    "Cmd": None, "Image": "", "Volumes": None, "WorkingDir": "", "Entrypoint": None,
    "OnBuild": None, "Labels": None,
}  # fmt: skip
"""Fields that were never left out before 1.50."""
_OLDER_CONFIG = {name: _OLDEST_CONFIG[name] for name in (
    "User", "Env", "Cmd", "Volumes", "WorkingDir", "Entrypoint", "OnBuild", "Labels")}  # fmt: skip
"""Fields that were never left out before 1.52."""


async def list_all(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /images/json."""
    filters = request.filters()
    if request.version < (1, 25) and request.query("filter") and "reference" not in filters:
        filters["reference"] = [request.query("filter")]
    rows = await services.images.list(
        filters,
        all_images=request.flag("all"),
        shared_size=request.version >= (1, 42) and request.flag("shared-size"),
        manifests=request.version >= (1, 47) and request.flag("manifests"),
        identity=request.version >= (1, 54) and request.flag("identity"),
    )
    return json_response([_row(row, request.version) for row in rows])


def _row(row: ImageSummary, version: tuple[int, int]) -> ImageSummary:
    """A row as clients of a version know it."""
    if version >= (1, 51):
        return row
    changed: dict[str, Any] = {"containers": -1}
    if version < (1, 48):
        changed["descriptor"] = UNSET
    if version < (1, 44):
        changed["virtual_size"] = row.size
    if version < (1, 43) and not row.repo_tags and not row.repo_digests:
        changed |= {"repo_tags": [f"{_NONE}:{_NONE}"], "repo_digests": [f"{_NONE}@{_NONE}"]}
    return msgspec.structs.replace(row, **changed)


async def inspect(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /images/{name}/json."""
    found = await services.images.inspect(
        request.path("name"),
        manifests=request.version >= (1, 48) and request.flag("manifests"),
        platform=platform(request, (1, 49)),
    )
    return json_response(_inspected(found, request.version))


def _inspected(found: ImageInspect, version: tuple[int, int]) -> ImageInspect:
    """An image as clients of a version know it."""
    if version < (1, 53):
        found = msgspec.structs.replace(found, identity=UNSET)
    if version >= (1, 52):
        return msgspec.structs.replace(
            found, parent=found.parent or UNSET, comment=found.comment or UNSET,
            author=found.author or UNSET,
            config={name: value for name, value in found.config.items() if value},
        )  # fmt: skip
    fields = _OLDEST_CONFIG if version < (1, 50) else _OLDER_CONFIG
    changed: dict[str, Any] = {"docker_version": "", "config": {**fields, **found.config}}
    if version < (1, 48):
        changed["descriptor"] = UNSET
    if version < (1, 45):
        changed |= {"container": "", "container_config": _OLDEST_CONFIG}
    if version < (1, 44):
        changed["virtual_size"] = found.size
        if found.created is UNSET:
            changed["created"] = ZERO_TIME
    return msgspec.structs.replace(found, **changed)


async def attestations(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /images/{name}/attestations."""
    wanted = platform(request, (1, 55))
    types = [text.strip() for text in request.queries("type") if text.strip()]
    found = await services.images.pools.run(
        "disk", services.images.attestations.statements, request.path("name"), wanted, types,
        with_data=request.flag("statement"),
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for item in found:
        rows.append({"Descriptor": item.descriptor, "PredicateType": item.predicate_type})
        if item.data is not None:
            rows[-1]["Statement"] = msgspec.Raw(item.data)
    return json_response(rows)


async def history(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /images/{name}/history: newest first."""
    wanted = platform(request, (1, 48))
    return json_response(await services.images.inspect.history(request.path("name"),
                                                               platform=wanted))  # fmt: skip
