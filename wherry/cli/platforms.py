"""`os[/arch[/variant]]` as the API takes it."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.client.json_text import dumps

_SYSTEMS = ("linux", "windows", "darwin", "freebsd", "wasip1")
_ARCHITECTURES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386"}


def parse_platform(text: str) -> dict[str, str]:
    """The parts by the names of the OCI image specification."""
    parts = text.lower().split("/")
    known = all(part and part.replace("-", "").replace("_", "").isalnum() for part in parts)
    if not known or len(parts) > 3:
        raise CliError(
            f'error parsing specified platform: "{text}": cannot parse platform specifier: '
            "invalid argument"
        )
    if len(parts) == 1 and parts[0] not in _SYSTEMS:
        parts.insert(0, "linux")
    platform = dict(zip(("os", "architecture", "variant"), parts, strict=False))
    if "architecture" in platform:
        architecture = platform["architecture"]
        platform["architecture"] = _ARCHITECTURES.get(architecture, architecture)
    return platform


def platform_json(text: str) -> str:
    """The platform as the JSON of a query."""
    platform = parse_platform(text)
    ordered = {
        name: platform[name] for name in ("architecture", "os", "variant") if name in platform
    }
    return dumps(ordered)
