"""Which engine to speak to: `--host`, DOCKER_HOST, or a context under the configuration."""

from __future__ import annotations

import os

from wherry.client.errors import ClientError
from wherry.client.json_text import loads
from wherry.client.transport import Endpoint, TlsFiles, default_socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wherry.client.config_file import ConfigFile

DEFAULT_CONTEXT = "default"


class TlsOptions:
    """The global `--tls*` options as given."""

    __slots__ = ("ca", "cert", "enabled", "key", "verify")

    def __init__(
        self,
        enabled: bool = False,
        verify: bool = False,
        ca: str = "",
        cert: str = "",
        key: str = "",
    ) -> None:
        self.enabled, self.verify = enabled, verify
        self.ca, self.cert, self.key = ca, cert, key

    def files(self, directory: str, environment: Mapping[str, str]) -> TlsFiles | None:
        """The files for a TCP endpoint, or None where TLS was not asked for."""
        verify = self.verify or bool(environment.get("DOCKER_TLS_VERIFY"))
        if not (verify or self.enabled or environment.get("DOCKER_TLS")):
            return None
        base = environment.get("DOCKER_CERT_PATH") or directory
        return TlsFiles(
            self.ca or os.path.join(base, "ca.pem"),
            self.cert or os.path.join(base, "cert.pem"),
            self.key or os.path.join(base, "key.pem"),
            verify,
        )


def context_name(
    config: ConfigFile, environment: Mapping[str, str], host: str, context: str
) -> str:
    """The context in use, in docker's order of precedence."""
    if host and context:
        raise ClientError("conflicting options: either specify --host or --context, not both")
    if context:
        return context
    if host or environment.get("DOCKER_HOST"):
        return DEFAULT_CONTEXT
    return environment.get("DOCKER_CONTEXT") or config.text("currentContext") or DEFAULT_CONTEXT


def resolve_endpoint(
    config: ConfigFile,
    environment: Mapping[str, str],
    host: str = "",
    context: str = "",
    tls: TlsOptions | None = None,
) -> Endpoint:
    """The engine's address."""
    name = context_name(config, environment, host, context)
    if name != DEFAULT_CONTEXT:
        return _stored_endpoint(config.directory, name)
    address = (host or environment.get("DOCKER_HOST") or default_socket()).strip()
    files = (tls or TlsOptions()).files(config.directory, environment)
    return Endpoint(address, files if not address.startswith(("unix:", "ssh:")) else None)


def _stored_endpoint(directory: str, name: str) -> Endpoint:
    from hashlib import sha256

    digest = sha256(name.encode()).hexdigest()
    path = os.path.join(directory, "contexts", "meta", digest, "meta.json")
    try:
        with open(path, "rb") as file:
            meta = loads(file.read())
    except OSError as error:
        raise ClientError(
            f'unable to resolve docker endpoint: context "{name}": context not found: '
            f"open {path}: {(error.strerror or '').lower()}"
        ) from error
    docker = (meta.get("Endpoints") or {}).get("docker") or {}
    host = docker.get("Host") or default_socket()
    files = None
    stored = os.path.join(directory, "contexts", "tls", digest, "docker")
    if os.path.isdir(stored) or docker.get("SkipTLSVerify"):
        files = TlsFiles(
            os.path.join(stored, "ca.pem"),
            os.path.join(stored, "cert.pem"),
            os.path.join(stored, "key.pem"),
            not docker.get("SkipTLSVerify"),
        )
    return Endpoint(host, files)
