"""Directories that say more of a registry: certificates as Docker's, hosts.toml as containerd's.

`certs.d/<host[:port]>/` holds `*.crt` (authorities), `*.cert` with `*.key` (our own), or a
`hosts.toml` with mirrors, certificates and headers (containerd, docs/hosts.md).
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wherry.base.errors import InvalidParameter
from wherry.remote.endpoint import (
    ALL,
    Endpoint,
    RegistrySettings,
    Trust,
    default_endpoints,
    own_host,
)

_FIELDS = {"capabilities", "ca", "client", "skip_verify", "header", "override_path", "server",
           "host", "dial_timeout"}  # fmt: skip
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def endpoints(domain: str, settings: RegistrySettings, capability: str) -> list[Endpoint]:
    """The endpoints of a registry for a purpose, in the order in which they are tried.

    Raises InvalidParameter for a hosts.toml that cannot be read.
    """
    directory = _directory(domain, settings)
    if directory is None:
        found = default_endpoints(domain, settings, Trust())
    elif (directory / "hosts.toml").is_file():
        found = list(_from_toml(directory / "hosts.toml", domain, settings))
    else:
        found = default_endpoints(domain, settings, _docker_trust(directory))
    return [item for item in found if capability in item.capabilities]


def _directory(domain: str, settings: RegistrySettings) -> Path | None:
    plain = f"{domain.replace(':', '_')}_" if ":" in domain else domain
    for name in (domain, plain, "_default"):
        for root in settings.directories:
            directory = Path(root) / name
            if directory.is_dir():
                return directory
    return None


def _docker_trust(directory: Path) -> Trust:
    clients = []
    for certificate in sorted(directory.glob("*.cert")):
        key = certificate.with_suffix(".key")
        if not key.is_file():
            raise InvalidParameter(f"missing key {key.name} for client certificate {certificate}")
        clients.append((str(certificate), str(key)))
    return Trust(True, tuple(map(str, sorted(directory.glob("*.crt")))), tuple(clients))


def _from_toml(path: Path, domain: str, settings: RegistrySettings) -> Iterator[Endpoint]:
    try:
        document = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InvalidParameter(f"{path} cannot be read: {error}") from None
    for url, fields in document.get("host", {}).items():
        yield _endpoint(path, url, fields, domain, mirror=True)
    server = document.get("server", "")
    own = {key: value for key, value in document.items() if key not in ("server", "host")}
    if server or own:
        default = f"https://{own_host(domain)}"
        yield _endpoint(path, server or default, own, domain, mirror=False)
    else:
        yield from default_endpoints(domain, settings, Trust())


def _endpoint(path: Path, url: str, fields: Any, domain: str, *, mirror: bool) -> Endpoint:
    if not isinstance(fields, dict) or (unknown := sorted(set(fields) - _FIELDS)):
        what = f"unknown: {', '.join(unknown)}" if isinstance(fields, dict) else "no table"
        raise InvalidParameter(f"{path}: host {url}: {what}")
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
    except ValueError:
        raise InvalidParameter(f"{path}: host {url} is no address") from None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InvalidParameter(f"{path}: host {url} is no http or https address")
    capabilities = frozenset(fields.get("capabilities", ALL))
    if unknown := sorted(capabilities - ALL):
        raise InvalidParameter(f"{path}: unknown capability {unknown[0]}")
    trust = Trust(
        not fields.get("skip_verify", False),
        tuple(_resolved(path, item) for item in _listed(fields.get("ca", ()))),
        tuple(_client(path, item) for item in _listed(fields.get("client", ()))),
    )
    prefix = parts.path.rstrip("/")
    headers = tuple((key, value) for key, values in fields.get("header", {}).items()
                    for value in _listed(values))  # fmt: skip
    return Endpoint(
        f"{parts.scheme}://{parts.netloc}", trust, mirror=mirror,
        api=prefix if fields.get("override_path") else f"{prefix.removesuffix('/v2')}/v2",
        capabilities=capabilities, headers=headers,
        dial_seconds=_seconds(path, fields.get("dial_timeout", "15s")),
        namespace=domain if mirror and parts.netloc != own_host(domain) else "",
    )  # fmt: skip


def _seconds(path: Path, text: Any) -> float:
    """A duration such as 1m30s or 500ms."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", str(text))
    if not parts or "".join(map("".join, parts)) != text:
        raise InvalidParameter(f"{path}: dial_timeout {text} is no duration")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _resolved(path: Path, name: str) -> str:
    return str(path.parent / name)


def _client(path: Path, item: Any) -> tuple[str, str]:
    """A file with certificate and key, or a pair of files."""
    names = _listed(item)
    return _resolved(path, names[0]), _resolved(path, names[-1])
