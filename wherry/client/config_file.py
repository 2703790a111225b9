"""`~/.docker/config.json`: what the docker CLI and everything beside it keep there.

Unknown keys are kept when the file is written back.
"""

from __future__ import annotations

import os

from wherry.client.errors import ClientError
from wherry.client.json_text import indent, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_PROXY_VARIABLES = {
    "httpProxy": "HTTP_PROXY",
    "httpsProxy": "HTTPS_PROXY",
    "noProxy": "NO_PROXY",
    "ftpProxy": "FTP_PROXY",
    "allProxy": "ALL_PROXY",
}

_PROBLEM = "WARNING: Error parsing config file ({}): {}"


def config_directory(environment: Mapping[str, str] | None = None) -> str:
    """DOCKER_CONFIG, or `.docker` in the home directory."""
    variables = os.environ if environment is None else environment
    return variables.get("DOCKER_CONFIG") or os.path.join(os.path.expanduser("~"), ".docker")


class ConfigFile:
    """The file's content, by name; a missing file is an empty one."""

    def __init__(self, directory: str, content: dict[str, Any] | None = None) -> None:
        self.directory = directory
        self.warning = ""
        self.path = os.path.join(directory, "config.json")
        self.content: dict[str, Any] = content or {}

    @classmethod
    def load(cls, directory: str) -> ConfigFile:
        """Reads the file; one that is not JSON is an empty one with a warning."""
        config = cls(directory)
        try:
            with open(config.path, "rb") as file:
                data = file.read()
        except OSError:
            return config
        if data.strip():
            try:
                value = loads(data)
            except ClientError as error:
                config.warning = _PROBLEM.format(config.path, error.message)
                return config
            if isinstance(value, dict):
                config.content = value
            elif value is not None:
                config.warning = _PROBLEM.format(config.path, "it is no JSON object")
        return config

    def text(self, name: str) -> str:
        """A setting that is text; empty where it is missing."""
        value = self.content.get(name)
        return value if isinstance(value, str) else ""

    def mapping(self, name: str) -> dict[str, Any]:
        """A setting that is an object; empty where it is missing."""
        value = self.content.get(name)
        return value if isinstance(value, dict) else {}

    @property
    def http_headers(self) -> dict[str, str]:
        """Headers to send with every request to the engine."""
        return {name: str(value) for name, value in self.mapping("HttpHeaders").items()}

    def proxy_environment(self, host: str, given: Mapping[str, str | None]) -> list[str]:
        """The proxy variables for a new container, where the user gave none of that name."""
        proxies = self.mapping("proxies")
        chosen = proxies.get(host) or proxies.get("default")
        if not isinstance(chosen, dict):
            return []
        variables: dict[str, str | None] = dict(given)
        for setting, name in _PROXY_VARIABLES.items():
            if value := chosen.get(setting):
                for spelling in (name, name.lower()):
                    variables.setdefault(spelling, str(value))
        return [name if value is None else f"{name}={value}" for name, value in variables.items()]

    def save(self) -> None:
        """Writes the file, readable by its owner alone, and only ever whole."""
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        target = os.path.realpath(self.path)
        scratch = f"{target}.{os.getpid()}.tmp"
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(indent({"auths": {}, **self.content}, "\t").encode())
            os.replace(scratch, target)
        except OSError:
            os.unlink(scratch)
            raise
