"""A request as handlers see it, and the answers they give."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from wherry.api.json_body import decode
from wherry.api.version import Version, standard_headers
from wherry.base.errors import DataCorrupt, InvalidParameter
from wherry.wire.server.gate import HELD_HEADER, Hijacked, gate_of

T = TypeVar("T")

RAW_STREAM = "application/vnd.docker.raw-stream"
MULTIPLEXED_STREAM = "application/vnd.docker.multiplexed-stream"
CLIENT_CHECK = 5.0
"""Seconds between looks at whether the reader of an idle stream is still there."""

_NUMBER = re.compile(r"[+-]?[0-9]+")
_INT64 = range(-(1 << 63), 1 << 63)
STREAM_KEY = "wherry.stream"
_FALSE = ("", "0", "no", "false", "none")


class _End:
    """Marks the end of an iteration."""


_END = _End()


class ApiRequest:
    """One request: its version, the names in its path, its parameters, its body."""

    def __init__(self, raw: web.BaseRequest, version: Version, names: Mapping[str, str]) -> None:
        self.raw = raw
        self.version = version
        self._names = names
        self.hijacked = False

    def path(self, name: str, default: str | None = None) -> str:
        """A named part of the path; KeyError if the route has none and there is no default."""
        return self._names[name] if default is None else self._names.get(name, default)

    def query(self, name: str, default: str = "") -> str:
        """A parameter, or the default if it is absent."""
        return self.raw.query.get(name, default)

    def queries(self, name: str) -> list[str]:
        """All values of a repeated parameter."""
        return self.raw.query.getall(name, [])

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean parameter by Docker's rule: everything but 0, no, false, none is true."""
        if name not in self.raw.query:
            return default
        return self.raw.query[name].strip().lower() not in _FALSE

    def integer(self, name: str) -> int | None:
        """A number, None if absent; raises InvalidParameter."""
        text = self.raw.query.get(name)
        if text is None or text == "":
            return None
        if not _NUMBER.fullmatch(text):
            raise InvalidParameter(f'strconv.Atoi: parsing "{text}": invalid syntax')
        number = int(text) if len(text) < 30 else 1 << 99  # huge texts take int() quadratic time
        if number not in _INT64:
            raise InvalidParameter(f'strconv.Atoi: parsing "{text}": value out of range')
        return number

    def filters(self) -> dict[str, list[str]]:
        """The `filters` parameter, in its map form or the old list form."""
        text = self.raw.query.get("filters", "")
        if not text:
            return {}
        try:
            content = json.loads(text)
        except ValueError:
            raise InvalidParameter("invalid filter") from None
        except RecursionError:
            raise InvalidParameter("invalid filter") from None
        if content is None:
            return {}
        if not isinstance(content, dict):
            raise InvalidParameter("invalid filter")
        found = {key: _filter_values(value) for key, value in content.items()}
        return {key: values for key, values in found.items() if values}

    async def json(self, kind: type[T], *, required: bool = False) -> T:
        """The body as a value, with every default if it is empty; `required` refuses that.

        Raises InvalidParameter in Docker's words for what is no JSON or not of this kind.
        """
        data = await self.raw.read()
        if not data and not required:
            return msgspec.json.decode(b"{}", type=kind)
        self._check_content_type()
        if not data.strip():
            raise InvalidParameter("invalid JSON: got EOF while reading request body")
        return decode(data, kind)

    def _check_content_type(self) -> None:
        text = self.raw.headers.get("Content-Type", "")
        if not text:
            raise InvalidParameter("malformed Content-Type header (): mime: no media type")
        if self.raw.content_type != "application/json":
            raise InvalidParameter(
                f"unsupported Content-Type header ({text}): must be 'application/json'"
            )

    async def hijack(self, *, framed: bool) -> Hijacked:
        """Answers 101 UPGRADED (or 200 to a client that asked for no upgrade) and leaves HTTP.

        `framed` says that output will have Docker's eight-byte headers. Raises InvalidParameter
        where the connection cannot be taken over, ConnectionResetError if the client is gone.
        """
        gate = gate_of(self.raw.transport)
        upgrade = self.raw.headers.get(HELD_HEADER, "")
        if gate is None or not upgrade:
            raise InvalidParameter("this connection cannot be taken over")
        # Clients before 1.42 know one media type only.
        kind = MULTIPLEXED_STREAM if framed and self.version >= (1, 42) else RAW_STREAM
        if upgrade == "none":
            lines = ["HTTP/1.1 200 OK", f"Content-Type: {kind}"]
        else:
            lines = ["HTTP/1.1 101 UPGRADED", f"Content-Type: {kind}", "Connection: Upgrade",
                     f"Upgrade: {upgrade}"]  # fmt: skip
        lines += [f"{name}: {value}" for name, value in standard_headers().items()]
        self.hijacked = True
        return await gate.take_over(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def unless_gone(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of some work; raises ConnectionResetError if the client leaves before."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=CLIENT_CHECK)
                transport = self.raw.transport
                if not task.done() and (transport is None or transport.is_closing()):
                    raise ConnectionResetError("the client has left")
            return task.result()
        finally:
            task.cancel()

    async def while_connected(self, items: AsyncIterator[T]) -> AsyncIterator[T]:
        """The items until there are no more, or until the client has left."""
        while True:
            following = asyncio.ensure_future(anext(items, _END))
            try:
                while not following.done():
                    await asyncio.wait({following}, timeout=CLIENT_CHECK)
                    transport = self.raw.transport
                    if transport is None or transport.is_closing():
                        return
            finally:
                if not following.done():
                    following.cancel()
                    await asyncio.wait({following})
            item = following.result()
            if isinstance(item, _End):
                return
            yield item

    @staticmethod
    def leave_held(raw: web.BaseRequest, response: web.StreamResponse) -> None:
        """Lets a connection that could have been taken over, and was not, go on or end.

        After a refusal it ends: what follows may be the input of a process, never a request.
        """
        upgrade = raw.headers.get(HELD_HEADER, "")
        gate = gate_of(raw.transport)
        if not upgrade or gate is None:
            return
        if upgrade == "none" and response.status < 300:
            gate.release()
        else:
            response.force_close()


def _filter_values(value: Any) -> list[str]:
    """A filter's values, of the form {value: true} or, from old clients, [value]."""
    if isinstance(value, dict) and all(isinstance(wanted, bool) for wanted in value.values()):
        return [name for name, wanted in value.items() if wanted]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    if value is None:
        return []
    raise InvalidParameter("invalid filter")


@contextmanager
def archive_from_client() -> Iterator[None]:
    """Makes a broken archive the fault of the client who sent it: InvalidParameter."""
    try:
        yield
    except DataCorrupt as error:
        text = error.message.replace("the layer is no", "the archive is no")
        raise InvalidParameter(text) from error


def json_response(value: Any, status: int = 200) -> web.Response:
    """An answer with a value as its JSON."""
    return web.Response(
        body=msgspec.json.encode(value) + b"\n", status=status, content_type="application/json"
    )


def stream_response(raw: web.BaseRequest, content_type: str) -> web.StreamResponse:
    """An answer written piece by piece; to be prepared with the request."""
    response = web.StreamResponse(headers=standard_headers())
    response.content_type = content_type
    if raw.version >= (1, 1):
        response.enable_chunked_encoding()
    raw[STREAM_KEY] = response
    return response


async def send_pieces(
    request: ApiRequest, response: web.StreamResponse, pieces: AsyncIterator[bytes]
) -> None:
    """Begins an answer and writes what comes, at the pace of who reads it."""
    await response.prepare(request.raw)
    async for data in pieces:
        await response.write(data)
