"""The application: from a request to its handler, and from an error to its answer."""

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import msgspec
from aiohttp import web

from wherry import __version__
from wherry.api.errors import status_of
from wherry.api.request import ApiRequest
from wherry.api.services import Services
from wherry.base.errors import InvalidParameter, NotFound, WherryError
from wherry.wire.server.gate import Gate, gate_of

API_VERSION = (1, 51)
MINIMUM_VERSION = (1, 24)

logger = logging.getLogger("wherry.api")

Handler = Callable[[ApiRequest, Services], Awaitable[web.StreamResponse]]

_VERSIONED = re.compile(r"/v(\d+)\.(\d+)(/.*)")
_HIJACKING = re.compile(rb"(/v[\d.]+)?/(containers/[^/]+/attach|exec/[^/]+/start)")


class Route(NamedTuple):
    """An endpoint: method, path with {names}, handler, the version that brought it."""

    method: str
    path: str
    handler: Handler
    since: str


class _Compiled(NamedTuple):
    method: str
    pattern: re.Pattern[str]
    handler: Handler


class _ErrorBody(msgspec.Struct):
    message: str


def _compile(route: Route) -> _Compiled:
    # An image's name may hold slashes; no other name does.
    wide = route.path.startswith(("/images/", "/distribution/", "/plugins/"))
    part = r"(?P<\1>.+)" if wide else r"(?P<\1>[^/]+)"
    return _Compiled(
        route.method, re.compile(re.sub(r"\{(\w+)\}", part, route.path)), route.handler
    )


class Dispatcher:
    """Finds the handler of each request and answers errors as Docker does."""

    def __init__(self, routes: Sequence[Route], services: Services) -> None:
        self._routes = [_compile(route) for route in routes]
        self._services = services

    async def __call__(self, raw: web.BaseRequest) -> web.StreamResponse:
        """Answers one request."""
        gate = gate_of(raw.transport)
        response: web.StreamResponse
        request: ApiRequest | None = None
        try:
            handler, request = self._find(raw)
            response = await handler(request, self._services)
        except WherryError as error:
            response = _error_response(status_of(error), error.message)
        except web.HTTPException:
            raise
        except ConnectionResetError:
            response = web.Response(status=499)
        except Exception as error:
            logger.exception("%s %s failed", raw.method, raw.path)
            response = _error_response(500, f"{type(error).__name__}: {error}")
        if gate and gate.upgrade and not (request and request.hijacked):
            # It could have taken the connection over and did not: the connection ends.
            response.force_close()
        if not response.prepared:
            response.headers.update(headers())
        return response

    def _find(self, raw: web.BaseRequest) -> tuple[Handler, ApiRequest]:
        path = raw.path
        version = API_VERSION
        found = _VERSIONED.fullmatch(path)
        if found:
            version = (int(found[1]), int(found[2]))
            path = found[3]
            _check_version(version)
        for route in self._routes:
            if route.method == raw.method and (match := route.pattern.fullmatch(path)):
                return route.handler, ApiRequest(raw, version, match.groupdict())
        raise _NoPage("page not found")


class _NoPage(NotFound):
    """There is no such endpoint."""


def _check_version(version: tuple[int, int]) -> None:
    text = f"{version[0]}.{version[1]}"
    if version > API_VERSION:
        raise _BadVersion(
            f"client version {text} is too new. Maximum supported API version is "
            f"{API_VERSION[0]}.{API_VERSION[1]}"
        )
    if version < MINIMUM_VERSION:
        raise _BadVersion(
            f"client version {text} is too old. Minimum supported API version is "
            f"{MINIMUM_VERSION[0]}.{MINIMUM_VERSION[1]}, please upgrade your client to a newer "
            "version"
        )


class _BadVersion(InvalidParameter):
    """The client speaks another version."""


def _error_response(status: int, message: str) -> web.Response:
    if status == 304:
        return web.Response(status=304)
    body = msgspec.json.encode(_ErrorBody(message)) + b"\n"
    return web.Response(body=body, status=status, content_type="application/json")


def headers() -> dict[str, str]:
    """What every answer of the engine carries."""
    return {
        "Api-Version": f"{API_VERSION[0]}.{API_VERSION[1]}",
        "Docker-Experimental": "false",
        "Ostype": "linux",
        "Server": f"Wherry/{__version__} (linux)",
    }


def may_take_over(method: bytes, path: bytes) -> bool:
    """Requests whose connection may be taken over even without an Upgrade header."""
    return method == b"POST" and _HIJACKING.fullmatch(path) is not None


def make_server(routes: Sequence[Route], services: Services) -> web.Server:
    """The aiohttp server whose protocols the gate wraps."""
    return web.Server(Dispatcher(routes, services), access_log=None, keepalive_timeout=3600.0)


def make_protocol(server: web.Server) -> Callable[[], Gate]:
    """A protocol factory for listeners."""

    def protocol() -> Gate:
        return Gate(server(), may_take_over)

    return protocol
