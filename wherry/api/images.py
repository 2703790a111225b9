"""/images: translation between HTTP and the images of the engine."""

import asyncio
import base64
import fnmatch
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from aiohttp import web

from wherry.api.progress import progress_response
from wherry.api.request import ApiRequest, json_response, stream_response
from wherry.api.services import Services
from wherry.base.clock import parse_rfc3339
from wherry.base.errors import InvalidParameter, NotSupported
from wherry.model.credentials import Credentials
from wherry.model.docker.container import ContainerConfig
from wherry.model.image import Image
from wherry.model.image_config import RuntimeConfig
from wherry.model.reference import Reference


async def list_all(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /images/json."""
    wanted = request.filters()
    users: dict[str, int] = {}
    for container in services.containers.index.all():
        users[container.record.image_id] = users.get(container.record.image_id, 0) + 1
    images = [
        _summary(image, users.get(image.id, 0))
        for image in services.images.catalog.images()
        if _matches(image, wanted)
    ]
    return json_response(images)


def _matches(image: Image, wanted: dict[str, list[str]]) -> bool:
    if "dangling" in wanted:
        dangling = wanted["dangling"][0].lower() in ("1", "true")
        if dangling == bool(image.references):
            return False
    names = [name for item in image.references for name in (item.familiar(), item.familiar_name)]
    for pattern in wanted.get("reference", ()):
        if not any(_glob(name, pattern) for name in names):
            return False
    labels = (image.config.config or RuntimeConfig()).labels or {}
    for label in wanted.get("label", ()):
        key, equals, value = label.partition("=")
        if key not in labels or (equals and labels[key] != value):
            return False
    return True


def _glob(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern)


def _created(image: Image) -> int:
    return parse_rfc3339(image.config.created) // 10**9 if image.config.created else 0


def _summary(image: Image, containers: int) -> dict[str, Any]:
    config = image.config.config or RuntimeConfig()
    return {
        "Containers": containers,
        "Created": _created(image),
        "Id": image.id,
        "Labels": config.labels,
        "ParentId": image.parent,
        "RepoDigests": list(image.repo_digests),
        "RepoTags": [reference.familiar() for reference in image.references],
        "SharedSize": -1,
        "Size": image.size,
    }


async def inspect(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /images/{name}/json."""
    image = services.images.catalog.get(request.path("name"))
    config = image.config.config or RuntimeConfig()
    runtime = msgspec.to_builtins(config)
    empty = ("Env", "Cmd", "Entrypoint", "Labels", "Volumes", "OnBuild")
    defaults: dict[str, Any] = {**dict.fromkeys(empty), "WorkingDir": "", "User": ""}
    return json_response({
        "Id": image.id,
        "RepoTags": [reference.familiar() for reference in image.references],
        "RepoDigests": list(image.repo_digests),
        "Parent": image.parent,
        "Comment": image.config.history[-1].comment if image.config.history else "",
        "Created": image.config.created or "",
        "DockerVersion": "",
        "Author": image.config.author,
        "Config": {**defaults, **runtime},
        "Architecture": image.config.architecture,
        "Variant": image.config.variant,
        "Os": image.config.os,
        "Size": image.size,
        "GraphDriver": {"Name": services.images.storage_driver, "Data": {}},
        "RootFS": {"Type": "layers", "Layers": list(image.config.rootfs.diff_ids)},
        "Metadata": {"LastTagTime": "0001-01-01T00:00:00Z"},
    })  # fmt: skip


async def history(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /images/{name}/history: newest first."""
    image = services.images.catalog.get(request.path("name"))
    layers = len(image.chain)
    rows = []
    for number, entry in enumerate(reversed(image.config.history)):
        rows.append({
            "Id": image.id if number == 0 else "<missing>",
            "Created": parse_rfc3339(entry.created) // 10**9 if entry.created else 0,
            "CreatedBy": entry.created_by,
            "Tags": [item.familiar() for item in image.references] if number == 0 else None,
            "Size": image.size if not entry.empty_layer and layers == 1 else 0,
            "Comment": entry.comment,
        })  # fmt: skip
    return json_response(rows)


async def tag(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /images/{name}/tag."""
    repository, tag_name = request.query("repo"), request.query("tag")
    reference = Reference.parse_bare(repository)
    reference = msgspec.structs.replace(reference, tag=tag_name or reference.tag or "latest")
    Reference.parse(str(reference))
    image = await services.images.pools.run(
        "disk", services.images.catalog.tag, request.path("name"), reference
    )
    services.images.events.publish("image", "tag", image.id, {"name": reference.familiar()})
    return web.Response(status=201)


async def remove(request: ApiRequest, services: Services) -> web.StreamResponse:
    """DELETE /images/{name}."""
    removed = await services.images.remove(request.path("name"), force=request.flag("force"))
    return json_response([
        {"Untagged": item.untagged} if item.untagged else {"Deleted": item.deleted}
        for item in removed
    ])  # fmt: skip


async def create(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /images/create: a pull, or an import of the body."""
    if request.query("fromImage"):
        return await _pull(request, services)
    source = request.query("fromSrc")
    if source != "-":
        raise NotSupported(f"importing from {source} is not supported: send the archive")
    repository, tag_name = request.query("repo"), request.query("tag")
    reference = None
    if repository:
        reference = Reference.parse_bare(repository)
        reference = msgspec.structs.replace(reference, tag=tag_name or reference.tag or "latest")
    architecture = request.query("platform").rpartition("/")[2]
    image = await services.images.take_in.import_archive(
        _body(request), reference, request.queries("changes"), request.query("message"),
        architecture,
    )  # fmt: skip
    body = msgspec.json.encode({"status": image.id}) + b"\r\n"
    return web.Response(body=body, content_type="application/json")


async def _pull(request: ApiRequest, services: Services) -> web.StreamResponse:
    name, tag_name = request.query("fromImage"), request.query("tag")
    reference = Reference.parse_bare(name)
    if tag_name.startswith("sha256:"):
        reference = msgspec.structs.replace(reference, digest=tag_name)
    elif tag_name:
        reference = msgspec.structs.replace(reference, tag=tag_name)
    reference = Reference.parse_bare(str(reference))  # a bare name means all of its tags
    credentials = registry_auth(request.raw.headers.get("X-Registry-Auth", ""))
    platform = request.query("platform")

    async def work(report: Callable[[dict[str, Any]], None]) -> None:
        await services.images.pull(reference, credentials, platform, report)

    return await progress_response(request, work)


def registry_auth(header: str) -> Credentials:
    """The credentials of an X-Registry-Auth header: JSON in base64url; raises InvalidParameter."""
    if not header:
        return Credentials()
    try:
        text = base64.urlsafe_b64decode(header + "=" * (-len(header) % 4))
        return msgspec.json.decode(text or b"{}", type=Credentials)
    except (ValueError, msgspec.MsgspecError):
        raise InvalidParameter("invalid X-Registry-Auth header: not JSON in base64") from None


async def load(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /images/load: Docker's progress lines."""
    loop = asyncio.get_running_loop()

    async def work(report: Callable[[dict[str, Any]], None]) -> None:
        def line(text: str) -> None:
            loop.call_soon_threadsafe(report, {"stream": text})

        if not await services.images.take_in.load(_body(request), line):
            raise InvalidParameter("the archive holds no image")

    return await progress_response(request, work, early=True)


async def save(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /images/get and /images/{name}/get."""
    names = request.queries("names")
    if not request.raw.path.endswith("/images/get"):
        names = [request.path("name")]
    async with services.images.save(names) as path:
        response = stream_response(request.raw, "application/x-tar")
        await response.prepare(request.raw)
        run = services.images.pools.run
        with await run("disk", open, path, "rb") as file:
            while data := await run("disk", file.read, 1 << 20):
                await response.write(data)
        await response.write_eof()
        return response


async def commit(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /commit."""
    container = services.containers.index.get(request.query("container"))
    repository, tag_name = request.query("repo"), request.query("tag")
    reference = None
    if repository:
        reference = Reference.parse_bare(repository)
        reference = msgspec.structs.replace(reference, tag=tag_name or reference.tag or "latest")
    override = None
    if request.raw.can_read_body:
        override = await request.json(ContainerConfig)
    image = await services.images.commit(
        container, reference=reference, changes=request.queries("changes"),
        author=request.query("author"), comment=request.query("comment"),
        pause=request.flag("pause", True),
        override=override if override and (override.cmd or override.env) else None,
    )  # fmt: skip
    return json_response({"Id": image.id}, 201)


async def _body(request: ApiRequest) -> AsyncIterator[bytes]:
    async for piece in request.raw.content.iter_chunked(1 << 20):
        yield piece
