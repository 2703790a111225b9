"""Credentials and tokens (distribution specification; Docker's token authentication)."""

import re
from collections.abc import Callable
from urllib.parse import urlencode

import msgspec
import urllib3

from wherry.model.credentials import Credentials
from wherry.remote.errors import LoginFailed

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


class _Token(msgspec.Struct, frozen=True):
    token: str = ""
    access_token: str = ""


Send = Callable[[str, str, dict[str, str], bytes | None], urllib3.BaseHTTPResponse]


def authorization(challenge: str, credentials: Credentials, scope: str, send: Send) -> str:
    """The Authorization header that a WWW-Authenticate challenge asks for, empty if none can be.

    Raises LoginFailed if the token service refuses the credentials.
    """
    if credentials.registrytoken:
        return f"Bearer {credentials.registrytoken}"
    kind, _, rest = challenge.partition(" ")
    if kind.lower() == "basic":
        return credentials.basic
    if kind.lower() != "bearer":
        return ""
    parameters = dict(_PARAMETER.findall(rest))
    realm = parameters.pop("realm", "")
    wanted = {"service": parameters.get("service", "")}
    if scope or parameters.get("scope"):
        wanted["scope"] = scope or parameters["scope"]
    if credentials.identitytoken:
        form = urlencode({**wanted, "grant_type": "refresh_token", "client_id": "wherry",
                          "refresh_token": credentials.identitytoken})  # fmt: skip
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        response = send("POST", realm, headers, form.encode())
    else:
        headers = {"Authorization": credentials.basic} if credentials.username else {}
        response = send("GET", f"{realm}?{urlencode(wanted)}", headers, None)
    data = response.data
    if response.status != 200:
        raise LoginFailed(f'Get "{realm}": unauthorized: authentication required')
    token = msgspec.json.decode(data, type=_Token)
    return f"Bearer {token.token or token.access_token}"
