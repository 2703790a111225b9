"""/exec and /containers/{id}/exec: further processes in containers."""

import msgspec
from aiohttp import web

from wherry.api.request import ApiRequest, json_response
from wherry.api.services import Services
from wherry.api.streams.resize import dimension
from wherry.base.errors import WherryError
from wherry.model.docker.exec import ExecCreateRequest, ExecCreateResponse, ExecStartRequest
from wherry.model.docker.stream import frame

_WITH_CONSOLE_SIZE = (1, 42)


async def create(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /containers/{id}/exec."""
    body = await request.json(ExecCreateRequest)
    if request.version < _WITH_CONSOLE_SIZE:
        body = msgspec.structs.replace(body, console_size=None)
    identifier = services.execs.create(request.path("id"), body)
    return json_response(ExecCreateResponse(identifier), 201)


async def start(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /exec/{id}/start: the connection becomes the process's streams, unless detached.

    A failure after the connection was taken over is told in the stream, as Docker does.
    """
    body = await request.json(ExecStartRequest)
    if request.version < _WITH_CONSOLE_SIZE:
        body = msgspec.structs.replace(body, console_size=None)
    process = services.execs.start.check(request.path("id"))
    if body.detach:
        await services.execs.start(process, body, None)
        return web.Response(status=200)
    tty = body.tty  # dockerd goes by what the start says, not the creation
    hijacked = await request.hijack(framed=not tty)
    try:
        await services.execs.start(process, body, hijacked.fileno())
    except WherryError as error:
        text = f"{error.message}\r\n".encode()
        await hijacked.send(text if tty else frame("stdout", text))
    finally:
        hijacked.close()
    return web.Response()


async def inspect(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /exec/{id}/json."""
    return json_response(services.execs.inspect(request.path("id")))


async def resize(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /exec/{id}/resize."""
    height, width = dimension(request, "h"), dimension(request, "w")
    await services.execs.resize(request.path("id"), height, width)
    return web.Response(status=200)
