"""The application: from a request to its handler, and from an error to its answer."""

import logging
import re
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from aiohttp import web

from wherry.api.errors import error_response, status_of
from wherry.api.request import STREAM_KEY, ApiRequest
from wherry.api.services import Services
from wherry.api.version import (
    API_VERSION,
    MINIMUM_VERSION,
    Version,
    check_version,
    standard_headers,
)
from wherry.base.errors import (
    InvalidParameter,
    NotFound,
    WherryError,
    failure_of_system_call,
)
from wherry.wire.server.gate import Gate

logger = logging.getLogger("wherry.api")

Handler = Callable[[ApiRequest, Services], Awaitable[web.StreamResponse]]

Observer = Callable[[str, str, int, float], None]
"""Takes in each answered request: method, the route's path, status, seconds."""

BODY_LIMIT = 64 << 20
"""Bytes of a JSON body; uploads are read piece by piece and have no limit."""

_KEEPALIVE_SECONDS = 3600.0
_VERSIONED = re.compile(r"/v(\d{1,4})\.(\d{1,4})(/.*)")
_HIJACKING = re.compile(rb"(/v[\d.]+)?/(containers/[^/]+/attach|exec/[^/]+/start)")


class Route(NamedTuple):
    """An endpoint: method, path with {names}, handler, the version that brought it."""

    method: str
    path: str
    handler: Handler
    since: str


class NoSuchPage(NotFound):
    """There is no such endpoint."""

    def __init__(self) -> None:
        super().__init__("page not found")


class TooOldForEndpoint(InvalidParameter):
    """The endpoint came with a later version than the one that the client speaks."""

    def __init__(self, route: Route) -> None:
        super().__init__(f"{route.method} {route.path} requires minimum API version {route.since}")


class _Compiled(NamedTuple):
    route: Route
    pattern: re.Pattern[str]
    since: Version


def _compile(route: Route) -> _Compiled:
    # An image's name may hold slashes; no other name does.
    wide = route.path.startswith(("/images/", "/distribution/", "/plugins/"))
    part = r"(?P<\1>.+)" if wide else r"(?P<\1>[^/]+)"
    major, _, minor = route.since.partition(".")
    pattern = re.compile(re.sub(r"\{(\w+)\}", part, route.path))
    return _Compiled(route, pattern, (int(major), int(minor)))


class Dispatcher:
    """Finds the handler of each request and answers errors as Docker does."""

    def __init__(
        self, routes: Sequence[Route], services: Services, observe: Observer | None = None
    ) -> None:
        """`routes` are tried in their order."""
        self._services = services
        self._observe = observe
        self._routes: dict[tuple[str, str], list[_Compiled]] = defaultdict(list)
        for route in routes:
            self._routes[route.method, _noun(route.path)].append(_compile(route))

    async def __call__(self, raw: web.BaseRequest) -> web.StreamResponse:
        """Answers one request."""
        request: ApiRequest | None = None
        endpoint = ""
        began = time.monotonic()
        try:
            handler, request, endpoint = self._find(raw)
            _go_on(raw)
            response = await handler(request, self._services)
        except WherryError as error:
            response = self._failed(raw, status_of(error), error.message)
        except web.HTTPException as error:
            response = self._failed(raw, error.status, error.reason)
        except ConnectionError:
            response = _gone()
        except OSError as error:
            logger.exception("%s %s failed", raw.method, raw.path)
            response = self._failed(raw, 500, failure_of_system_call(error))
        except Exception as error:
            if isinstance(error, RuntimeError) and raw.transport is None:
                return _gone()  # aiohttp's word for a body that ends before its end
            logger.exception("%s %s failed", raw.method, raw.path)
            response = self._failed(raw, 500, f"{type(error).__name__}: {error}")
        if not response.prepared:
            response.headers.update(standard_headers())
        if request is None or not request.hijacked:
            ApiRequest.leave_held(raw, response)
        if self._observe and endpoint:
            self._observe(raw.method, endpoint, response.status, time.monotonic() - began)
        return response

    def _failed(self, raw: web.BaseRequest, status: int, message: str) -> web.StreamResponse:
        begun: web.StreamResponse | None = raw.get(STREAM_KEY)
        if begun is None or not begun.prepared:
            return error_response(status, message)
        # The answer has begun: ending the connection is the only way left to say that it failed.
        logger.warning("%s %s broke off: %s", raw.method, raw.path, message)
        if raw.transport:
            raw.transport.abort()
        return begun

    def _find(self, raw: web.BaseRequest) -> tuple[Handler, ApiRequest, str]:
        path = raw.path
        if "\0" in path or any("\0" in value for value in raw.query.values()):
            raise InvalidParameter("invalid address: no part of it may hold a null character")
        version = API_VERSION
        found = _VERSIONED.fullmatch(path)
        if found:
            version = (int(found[1]), int(found[2]))
            path = found[3]
            check_version(version)
            version = max(version, MINIMUM_VERSION)
        if raw.method == "OPTIONS":
            return _options, ApiRequest(raw, version, {}), ""
        for entry in self._routes.get((raw.method, _noun(path)), ()):
            match = entry.pattern.fullmatch(path)
            if match:
                if version < entry.since:
                    raise TooOldForEndpoint(entry.route)
                found_request = ApiRequest(raw, version, match.groupdict())
                return entry.route.handler, found_request, entry.route.path
        raise NoSuchPage


def _go_on(raw: web.BaseRequest) -> None:
    """Tells a client that waits to be told that its body is wanted (RFC 9110, section 10.1.1)."""
    if raw.headers.get("Expect", "").lower() == "100-continue" and raw.transport:
        raw.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def _gone() -> web.Response:
    """What is answered to a client that has left: nobody is there to read it."""
    response = web.Response(status=499)
    response.force_close()
    return response


async def _options(request: ApiRequest, services: Services) -> web.StreamResponse:
    """OPTIONS of any path: dockerd answers them all alike."""
    return web.Response()


def _noun(path: str) -> str:
    return path.split("/", 2)[1] if path.startswith("/") else ""


def may_take_over(method: bytes, path: bytes) -> bool:
    """Requests whose connection may be taken over even without an Upgrade header."""
    return method == b"POST" and _HIJACKING.fullmatch(path) is not None


def make_server(
    routes: Sequence[Route], services: Services, observe: Observer | None = None
) -> web.Server:
    """The aiohttp server whose protocols the gate wraps."""

    def make_request(message, payload, protocol, writer, task):  # type: ignore[no-untyped-def]
        # aiohttp's own types for these are private.
        return web.BaseRequest(
            message, payload, protocol, writer, task, protocol._loop, client_max_size=BODY_LIMIT
        )

    return web.Server(
        Dispatcher(routes, services, observe), request_factory=make_request, access_log=None,
        keepalive_timeout=_KEEPALIVE_SECONDS,
    )  # fmt: skip


def make_protocol(server: web.Server) -> Callable[[], Gate]:
    """A protocol factory for listeners."""

    def protocol() -> Gate:
        return Gate(server(), may_take_over)

    return protocol
