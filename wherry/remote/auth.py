"""Credentials and tokens (distribution specification; Docker's token authentication)."""

import re
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import msgspec
import urllib3

from wherry.model.credentials import Credentials
from wherry.remote.errors import LoginFailed, RegistryRefused, read_fault

CLIENT_ID = "docker"
_CHALLENGE = re.compile(r'(\w+)\s+((?:\w+="[^"]*"\s*,?\s*)+)')
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


class _Token(msgspec.Struct, frozen=True):
    token: str = ""
    access_token: str = ""
    refresh_token: str = ""


Send = Callable[[str, str, dict[str, str], bytes | None], urllib3.BaseHTTPResponse]


def challenges(header: str) -> dict[str, dict[str, str]]:
    """The parameters of each scheme in a WWW-Authenticate header, by the scheme in lower case."""
    return {match[1].lower(): dict(_PARAMETER.findall(match[2]))
            for match in _CHALLENGE.finditer(header)}  # fmt: skip


def authorization(
    header: str, credentials: Credentials, scopes: Sequence[str], send: Send
) -> tuple[str, str]:
    """The Authorization that a WWW-Authenticate header asks for, and a new identity token.

    Empty if nothing can be given. Raises LoginFailed if the token service refuses.
    """
    if credentials.registrytoken:
        return f"Bearer {credentials.registrytoken}", ""
    offered = challenges(header)
    if "bearer" not in offered:
        return (credentials.basic if "basic" in offered else ""), ""
    parameters = offered["bearer"]
    realm = parameters.get("realm", "")
    wanted: list[tuple[str, str]] = []
    if parameters.get("service"):
        wanted.append(("service", parameters["service"]))
    asked = list(scopes) or parameters.get("scope", "").split()
    if credentials.identitytoken:
        response = _refresh(realm, wanted, asked, credentials, send)
    else:
        headers = {}
        query = [*wanted, *(("scope", scope) for scope in asked)]
        if credentials.username:
            headers = {"Authorization": credentials.basic}
            query = [("account", credentials.username), *query]
            if not scopes:
                query += [("client_id", CLIENT_ID), ("offline_token", "true")]
        response = send("GET", f"{realm}?{urlencode(query)}", headers, None)
    token = _read(realm, response)
    return f"Bearer {token.token or token.access_token}", token.refresh_token


def _refresh(
    realm: str, wanted: list[tuple[str, str]], scopes: Sequence[str], credentials: Credentials,
    send: Send,
) -> urllib3.BaseHTTPResponse:  # fmt: skip
    form = [*wanted, ("scope", " ".join(scopes)), ("grant_type", "refresh_token"),
            ("client_id", CLIENT_ID), ("refresh_token", credentials.identitytoken)]  # fmt: skip
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return send("POST", realm, headers, urlencode(form).encode())


def _read(realm: str, response: urllib3.BaseHTTPResponse) -> _Token:
    data = response.data
    if response.status in (400, 401, 403):
        fault = read_fault(response.status, data)
        message = fault if fault.code else "unauthorized: incorrect username or password"
        raise LoginFailed(f'Get "{realm}": {message}')
    if response.status != 200:
        raise RegistryRefused(
            f"failed to fetch oauth token: unexpected status from GET request to {realm}: "
            f"{response.status}"
        )
    try:
        token = msgspec.json.decode(data, type=_Token)
    except msgspec.MsgspecError:
        raise RegistryRefused(f"the token service {realm} sent no token") from None
    if not (token.token or token.access_token):
        raise RegistryRefused(f"the token service {realm} sent no token")
    return token
