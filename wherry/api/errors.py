"""Errors as HTTP: one total map from the house's classes to statuses."""

import msgspec
from aiohttp import web

from wherry.base import errors

STATUS: dict[type[errors.WherryError], int] = {
    errors.InvalidParameter: 400,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.NotModified: 304,
    errors.Unavailable: 503,
    errors.NotSupported: 501,
    errors.ResourceExhausted: 500,
    errors.DataCorrupt: 500,
    errors.Timeout: 500,
    errors.Cancelled: 499,
    errors.InternalError: 500,
    errors.WherryError: 500,
}


def status_of(error: errors.WherryError) -> int:
    """The status of an error: that of its nearest class in the map."""
    for cls in type(error).__mro__:
        if cls in STATUS:
            return STATUS[cls]
    return 500


def error_response(status: int, message: str) -> web.Response:
    """Docker's error: a JSON object with `message`; 304 has no body."""
    if status == 304:
        return web.Response(status=304)
    body = msgspec.json.encode({"message": message}) + b"\n"
    return web.Response(body=body, status=status, content_type="application/json")
