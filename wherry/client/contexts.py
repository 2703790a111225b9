"""Which engine to speak to: `--host`, DOCKER_HOST, or a context under the configuration."""

from __future__ import annotations

import os

from wherry.client.errors import ClientError
from wherry.client.transport import Endpoint, TlsFiles, default_socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wherry.client.config_file import ConfigFile

DEFAULT_CONTEXT = "default"
TLS_FILES = ("ca.pem", "cert.pem", "key.pem")


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
        raise ClientError("conflicting options: cannot specify both --host and --context")
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
    return default_endpoint(config, environment, host, tls)


def default_endpoint(
    config: ConfigFile,
    environment: Mapping[str, str],
    host: str = "",
    tls: TlsOptions | None = None,
) -> Endpoint:
    """The engine's address where no context is in use."""
    address = (host or environment.get("DOCKER_HOST") or default_socket()).strip()
    files = (tls or TlsOptions()).files(config.directory, environment)
    return Endpoint(address, files if not address.startswith(("unix:", "ssh:")) else None)


def _stored_endpoint(directory: str, name: str) -> Endpoint:
    from wherry.client.context_store import ContextStore

    store = ContextStore(directory)
    try:
        meta = store.load(name)
    except ClientError as error:
        raise ClientError(
            f"Failed to initialize: unable to resolve docker endpoint: {error.message}"
        ) from error
    docker = (meta.get("Endpoints") or {}).get("docker") or {}
    host = docker.get("Host") or default_socket()
    files = None
    stored = os.path.join(store.tls_path(name), "docker")
    if os.path.isdir(stored) or docker.get("SkipTLSVerify"):
        ca, cert, key = (os.path.join(stored, file) for file in TLS_FILES)
        files = TlsFiles(ca, cert, key, not docker.get("SkipTLSVerify"))
    return Endpoint(host, files)
