"""Endpoints that bring images here or away: create (pull, import), push, load, save."""

import asyncio
from collections.abc import Callable

import msgspec
from aiohttp import web

from wherry.api.images.parameters import (
    Line,
    body,
    new_name,
    plain_platform,
    platform,
    platforms,
    registry_auth,
)
from wherry.api.progress import progress_response
from wherry.api.request import ApiRequest, archive_from_client, stream_response
from wherry.api.services import Services
from wherry.base.errors import Forbidden, InvalidParameter
from wherry.model.reference import Reference


async def create(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /images/create: a pull, or an import of the body or of a URL."""
    if request.query("fromImage"):
        return await _pull(request, services)
    source = request.query("fromSrc")
    reference = new_name(request.query("repo"), request.query("tag"))
    wanted = plain_platform(request.query("platform")) if request.version >= (1, 32) else ""
    changes, message = request.queries("changes"), request.query("message")
    take_in = services.images.take_in

    async def work(report: Callable[[Line], None]) -> None:
        content = body(request) if source == "-" else take_in.download(source, report)
        with archive_from_client():
            image = await take_in.import_archive(
                content, reference, changes, message or f"Imported from {source}", wanted
            )
        report({"status": image.id})

    return await progress_response(request, work)


async def _pull(request: ApiRequest, services: Services) -> web.StreamResponse:
    name, tag_name = request.query("fromImage").removesuffix(":"), request.query("tag")
    reference = Reference.parse_bare(name)
    if tag_name.startswith(("sha256:", "sha512:")):
        reference = msgspec.structs.replace(reference, tag="", digest=tag_name)
    elif tag_name:
        reference = msgspec.structs.replace(reference, tag=tag_name)
    reference = Reference.parse_bare(str(reference))  # a bare name means all of its tags
    _refuse_reserved(reference)
    credentials = registry_auth(request)
    wanted = plain_platform(request.query("platform")) if request.version >= (1, 32) else ""

    async def work(report: Callable[[Line], None]) -> None:
        await services.images.pull(reference, credentials, wanted, report)

    return await progress_response(request, work)


def _refuse_reserved(reference: Reference) -> None:
    if reference.familiar_name == "scratch":
        raise Forbidden("'scratch' is a reserved name")


async def push(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /images/{name}/push: without a tag all of the repository's."""
    reference = Reference.parse_bare(request.path("name"))
    if request.query("tag"):
        reference = msgspec.structs.replace(reference, tag=request.query("tag"))
        reference = Reference.parse_bare(str(reference))
    credentials = registry_auth(request)
    wanted = platform(request, (1, 46))

    async def work(report: Callable[[Line], None]) -> None:
        await services.images.push(reference, credentials, wanted, report)

    return await progress_response(request, work)


async def load(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /images/load: Docker's progress lines."""
    wanted = platforms(request, "platform", (1, 48))
    quiet = request.flag("quiet", True)
    loop = asyncio.get_running_loop()

    async def work(report: Callable[[Line], None]) -> None:
        def progress(line: Line) -> None:
            loop.call_soon_threadsafe(report, line)

        if not await services.images.take_in.load(body(request), wanted, quiet, progress):
            raise InvalidParameter("the archive holds no image")

    return await progress_response(request, work, in_stream=True)


async def save(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /images/get and /images/{name}/get."""
    names = [name for item in request.queries("names") for name in item.split(",")]
    if not request.raw.path.endswith("/images/get"):
        names = [request.path("name")]
    wanted = platforms(request, "platform", (1, 48))
    async with services.images.save(names, wanted) as path:
        response = stream_response(request.raw, "application/x-tar")
        await response.prepare(request.raw)
        run = services.images.pools.run
        with await run("disk", open, path, "rb") as file:
            while data := await run("disk", file.read, 1 << 20):
                await response.write(data)
        await response.write_eof()
        return response
