"""`--docker host=...,ca=...` of the context commands."""

from __future__ import annotations

from wherry.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wherry.cli.session import Session
    from wherry.client.context_store import ContextStore

_TLS_KEYS = {"ca": "ca.pem", "cert": "cert.pem", "key": "key.pem"}
_KNOWN = (*_TLS_KEYS, "from", "host", "skip-tls-verify")
DESCRIPTION_OF_DEFAULT = "Current DOCKER_HOST based configuration"
ENDPOINT_HELP = """
Docker endpoint config:

NAME                DESCRIPTION
from                Copy named context's Docker endpoint configuration
host                Docker endpoint on which to connect
ca                  Trust certs signed only by this CA
cert                Path to TLS certificate file
key                 Path to TLS key file
skip-tls-verify     Skip TLS certificate validation

Example:

$ """


def default_context(session: Session) -> dict[str, Any]:
    """The context that is nowhere stored: `--host`, DOCKER_HOST, or the socket of the engine."""
    endpoint = session.default_endpoint()
    verify = endpoint.tls is None or endpoint.tls.verify
    return {
        "Name": "default",
        "Metadata": {},
        "Endpoints": {"docker": {"Host": endpoint.host, "SkipTLSVerify": not verify}},
    }


def parse_endpoint(
    session: Session, store: ContextStore, items: list[str]
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """(endpoint, TLS files by `docker/ca.pem`); raises CliError for what makes no sense."""
    given = _pairs(items)
    if unknown := sorted(set(given) - set(_KNOWN)):
        raise _invalid(f"unrecognized config key: {unknown[0]}")
    if "from" in given:
        return _copied(session, store, given["from"])
    skip = _truth(given.get("skip-tls-verify", "false"))
    tls = {
        f"docker/{file}": _content(given[key])
        for key, file in _TLS_KEYS.items()
        if given.get(key)
    }  # fmt: skip
    _check(given.get("host", ""), tls)
    return {"Host": given.get("host", ""), "SkipTLSVerify": skip}, tls


def _pairs(items: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in items:
        for part in item.split(","):
            key, equals, value = part.partition("=")
            if not equals:
                raise CliError(f"{part} must be formatted as key=value")
            found[key] = value
    return found


def _invalid(reason: str) -> CliError:
    return CliError(f"unable to create docker endpoint config: {reason}")


def _truth(text: str) -> bool:
    from wherry.cli.values import parse_bool

    try:
        return parse_bool(text)
    except CliError as error:
        raise _invalid(f"skip-tls-verify: {error.message}") from error


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise _invalid(f"open {path}: {(error.strerror or '').lower()}") from error


def _check(host: str, tls: dict[str, bytes]) -> None:
    """Tries what a client would make of it: the address and the certificates."""
    from wherry.client.errors import ClientError
    from wherry.client.transport import Endpoint

    if host:
        try:
            Endpoint(host)
        except ClientError as error:
            raise _invalid(f"invalid docker endpoint options: {error.message}") from error
    invalid = "invalid docker endpoint options: failed to retrieve context tls info: "
    authority = tls.get("docker/ca.pem")
    if authority is not None and b"-----BEGIN CERTIFICATE-----" not in authority:
        raise _invalid(f"{invalid}ca.pem seems invalid")
    if ("docker/cert.pem" in tls) != ("docker/key.pem" in tls):
        raise _invalid("unsupported TLS files: a certificate and its key go together")


def _copied(
    session: Session, store: ContextStore, name: str
) -> tuple[dict[str, Any], dict[str, bytes]]:
    if name == "default":
        return default_context(session)["Endpoints"]["docker"], {}
    endpoint = store.load(name)["Endpoints"].get("docker")
    if endpoint is None:
        raise _invalid(f"unable to get endpoint from context {name}")
    return dict(endpoint), store.tls_data(name)
