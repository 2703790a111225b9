"""Files by URL, as `docker import` takes them."""

import urllib3

from wherry.base.errors import InvalidParameter
from wherry.remote.endpoint import RegistrySettings, Trust
from wherry.remote.errors import RegistryRefused, RegistryUnreachable, transport_reason
from wherry.remote.pools import ConnectionPools

_PIECE = 1 << 20


class UrlContent:
    """What a URL answers with, read from start to end; blocking."""

    def __init__(self, url: str, response: urllib3.BaseHTTPResponse) -> None:
        self.url = url
        self.done = 0
        length = response.headers.get("Content-Length", "")
        self.size = int(length) if length.isdecimal() else 0
        self._response = response

    def read(self) -> bytes:
        """The next bytes, none at the end; raises RegistryUnreachable if the connection breaks."""
        try:
            piece: bytes = self._response.read(_PIECE, decode_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise RegistryUnreachable(f"{self.url} broke off: {error}") from error
        self.done += len(piece)
        return piece

    def close(self) -> None:
        """Ends the connection."""
        self._response.close()


def open_url(url: str, settings: RegistrySettings) -> UrlContent:
    """Asks for a URL, http:// if it names no scheme; raises RegistryUnreachable and its kin."""
    full = url if "://" in url else f"http://{url}"
    if not full.startswith(("http://", "https://")):
        raise InvalidParameter(f"unsupported protocol scheme in {url}: name http or https")
    try:
        response = ConnectionPools(settings).request(
            "GET", full, trust=Trust(), preload_content=False, redirect=True, retries=5
        )
    except urllib3.exceptions.LocationParseError:
        raise InvalidParameter(f"{url} is no address") from None
    except urllib3.exceptions.HTTPError as error:
        host = full.split("/")[2]
        raise RegistryUnreachable(f'Get "{full}": {transport_reason(error, host)}') from error
    if response.status != 200:
        response.close()
        raise RegistryRefused(f"failed to GET {full} with status {response.status}")
    return UrlContent(full, response)
