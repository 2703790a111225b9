"""Registry credentials: in the configuration file, or kept by a `docker-credential-*` program."""

from __future__ import annotations

import subprocess
from base64 import b64decode, b64encode, urlsafe_b64encode

from wherry.client.errors import ClientError
from wherry.client.json_text import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wherry.client.config_file import ConfigFile

INDEX_SERVER = "https://index.docker.io/v1/"
_TOKEN_USER = "<token>"
_MISSING = "credentials not found in native keychain"


def registry_key(domain: str) -> str:
    """The name under which a registry's credentials are filed."""
    return INDEX_SERVER if domain in ("docker.io", "index.docker.io") else domain


def _host_of(address: str) -> str:
    return address.removeprefix("https://").removeprefix("http://").split("/", 1)[0]


def _helper(config: ConfigFile, server: str) -> str:
    helpers = config.mapping("credHelpers")
    return str(helpers.get(server) or config.text("credsStore"))


def _call_helper(helper: str, verb: str, text: str) -> str:
    program = f"docker-credential-{helper}"
    try:
        done = subprocess.run(
            [program, verb], input=text.encode(), capture_output=True, check=False
        )
    except OSError as error:
        raise ClientError(
            f'error getting credentials - err: exec: "{program}": executable file not found in '
            "$PATH, out: ``"
        ) from error
    output = done.stdout.decode("utf-8", "replace").strip()
    if done.returncode:
        raise ClientError(
            f"error getting credentials - err: exit status {done.returncode}, out: `{output}`"
        )
    return output


def find(config: ConfigFile, server: str) -> dict[str, str]:
    """What is known for a registry: username and password, or an identity token; else empty."""
    if helper := _helper(config, server):
        try:
            answer = loads(_call_helper(helper, "get", server))
        except ClientError as error:
            if _MISSING in error.message:
                return {}
            raise
        return _from_helper(answer, server)
    auths = config.mapping("auths")
    entry = auths.get(server)
    if not isinstance(entry, dict):
        wanted = _host_of(server)
        entry = next((v for k, v in auths.items() if _host_of(k) == wanted), None)
    return _from_file(entry, server) if isinstance(entry, dict) else {}


def _from_helper(answer: dict[str, Any], server: str) -> dict[str, str]:
    name, secret = str(answer.get("Username", "")), str(answer.get("Secret", ""))
    if name == _TOKEN_USER:
        return {"identitytoken": secret, "serveraddress": server}
    return {"username": name, "password": secret, "serveraddress": server}


def _from_file(entry: dict[str, Any], server: str) -> dict[str, str]:
    known = {
        name: str(entry[name])
        for name in ("username", "password", "identitytoken", "registrytoken")
        if entry.get(name)
    }
    if entry.get("auth"):
        try:
            text = b64decode(str(entry["auth"])).decode()
        except ValueError as error:
            raise ClientError(f"invalid auth configuration file: {error}") from error
        name, colon, password = text.partition(":")
        if not colon:
            raise ClientError("invalid auth configuration file")
        known["username"], known["password"] = name, password.strip("\x00")
    return {**known, "serveraddress": server} if known else {}


def store(config: ConfigFile, server: str, credentials: dict[str, str]) -> bool:
    """Keeps credentials; True if they lie unencrypted in the configuration file."""
    token = credentials.get("identitytoken", "")
    if helper := _helper(config, server):
        _call_helper(
            helper,
            "store",
            dumps(
                {
                    "ServerURL": server,
                    "Username": _TOKEN_USER if token else credentials.get("username", ""),
                    "Secret": token or credentials.get("password", ""),
                }
            ),
        )
        if server not in config.mapping("auths"):
            config.content.setdefault("auths", {})[server] = {}
            config.save()
        return False
    pair = f"{credentials.get('username', '')}:{credentials.get('password', '')}"
    entry = {"auth": b64encode(pair.encode()).decode()}
    if token:
        entry = {"auth": b64encode(f"{credentials.get('username', '')}:".encode()).decode()}
        entry["identitytoken"] = token
    auths = config.content.setdefault("auths", {})
    if auths.get(server) == entry:
        return False
    auths[server] = entry
    config.save()
    return True


def erase(config: ConfigFile, server: str) -> None:
    """Forgets a registry's credentials, wherever they are."""
    if helper := _helper(config, server):
        _call_helper(helper, "erase", server)
    auths = config.mapping("auths")
    names = [name for name in auths if name == server or _host_of(name) == _host_of(server)]
    if names:
        for name in names:
            del auths[name]
        config.save()


def header(credentials: dict[str, str]) -> str:
    """The value of X-Registry-Auth: base64url of the JSON, `{}` for nobody."""
    return urlsafe_b64encode(dumps(credentials).encode()).decode()
