"""/containers/{id}/attach and its websocket form."""

import asyncio
import socket

import msgspec
from aiohttp import WSMsgType, web

from wherry.api.request import ApiRequest
from wherry.api.services import Services
from wherry.base.errors import InvalidParameter
from wherry.engine.containers.attach import AttachRequest

_PIECE = 64 * 1024
_CHOOSES_STREAMS = (1, 42)
"""Websockets of clients before this version are attached to all streams, whatever they say."""


def _wanted(request: ApiRequest) -> AttachRequest:
    return AttachRequest(
        stdin=request.flag("stdin"),
        stdout=request.flag("stdout"),
        stderr=request.flag("stderr"),
        logs=request.flag("logs"),
        stream=request.flag("stream"),
        detach_keys=request.query("detachKeys"),
    )


async def attach(request: ApiRequest, services: Services) -> web.StreamResponse:
    """POST /containers/{id}/attach: the connection becomes the container's streams."""
    wanted = _wanted(request)
    container = services.streams.attach.check(request.path("id"), wanted)
    with container.attaching():
        hijacked = await request.hijack(framed=not container.record.config.tty)
        try:
            await services.streams.attach(container, hijacked.fileno(), wanted)
        finally:
            hijacked.close()
    return web.Response()


async def attach_websocket(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /containers/{id}/attach/ws: output in messages, without frames."""
    wanted = _wanted(request)
    if request.version < _CHOOSES_STREAMS:
        wanted = msgspec.structs.replace(wanted, stdin=True, stdout=True, stderr=True)
    container = services.streams.attach.check(request.path("id"), wanted)
    if not web.WebSocketResponse().can_prepare(request.raw).ok:
        raise InvalidParameter("this endpoint needs a websocket: send Upgrade: websocket")
    answer = web.WebSocketResponse()
    await answer.prepare(request.raw)
    near, far = socket.socketpair()
    try:
        await services.streams.attach(container, far.fileno(), wanted, framed=False)
    finally:
        far.close()
    reader, writer = await asyncio.open_connection(sock=near)
    output = asyncio.create_task(_send_output(answer, reader))
    try:
        async for message in answer:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                data = message.data
                writer.write(data.encode() if isinstance(data, str) else data)
                await writer.drain()
    except ConnectionError:
        pass  # the container has ended: nobody reads what is typed
    finally:
        output.cancel()
        writer.close()
    return answer


async def _send_output(answer: web.WebSocketResponse, reader: asyncio.StreamReader) -> None:
    while data := await reader.read(_PIECE):
        await answer.send_bytes(data)
    await answer.close()
