"""/containers/{id}/archive, /export and /changes: containers' files."""

import base64
from typing import Any

import msgspec
from aiohttp import web

from wherry.api.request import (
    ApiRequest,
    archive_from_client,
    json_response,
    send_pieces,
    stream_response,
)
from wherry.api.services import Services

_HEADER = "X-Docker-Container-Path-Stat"
_TAR = "application/x-tar"


def _stat_header(stat: Any) -> str:
    return base64.b64encode(msgspec.json.encode(stat)).decode()


async def describe(request: ApiRequest, services: Services) -> web.StreamResponse:
    """HEAD /containers/{id}/archive: the description of a path, in a header."""
    stat = await services.streams.files.describe(request.path("id"), request.query("path"))
    return web.Response(headers={_HEADER: _stat_header(stat)})


async def read(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /containers/{id}/archive: a path as an archive."""
    files = services.streams.files
    async with files.read(request.path("id"), request.query("path")) as (stat, archive):
        response = stream_response(request.raw, _TAR)
        response.headers[_HEADER] = _stat_header(stat)
        await send_pieces(request, response, archive)
    await response.write_eof()
    return response


async def write(request: ApiRequest, services: Services) -> web.StreamResponse:
    """PUT /containers/{id}/archive: unpacks the body at a path."""
    with archive_from_client():
        await services.streams.files.write(
            request.path("id"), request.query("path"), request.raw.content.iter_chunked(1 << 18),
            keep_kinds=request.flag("noOverwriteDirNonDir"), as_user=request.flag("copyUIDGID"),
        )  # fmt: skip
    return web.Response()


async def export(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /containers/{id}/export: the root file system as an archive."""
    async with services.streams.export(request.path("id")) as archive:
        response = stream_response(request.raw, "application/octet-stream")
        await send_pieces(request, response, archive)
    await response.write_eof()
    return response


async def changes(request: ApiRequest, services: Services) -> web.StreamResponse:
    """GET /containers/{id}/changes: null if there are none."""
    return json_response(await services.streams.changes(request.path("id")) or None)
