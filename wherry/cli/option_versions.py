"""Options that older engines do not know: given all the same, the command is refused."""

from __future__ import annotations

from wherry.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Options
    from wherry.cli.session import Session

_CREATION = {"annotation": "1.43", "cgroupns": "1.41", "health-start-interval": "1.44"}

SINCE: dict[str, dict[str, str]] = {
    "create": _CREATION,
    "history": {"platform": "1.48"},
    "image_inspect": {"platform": "1.49"},
    "images": {"tree": "1.47"},
    "load": {"platform": "1.48"},
    "network_connect": {"gw-priority": "1.48"},
    "network_create": {"ipv4": "1.48"},
    "push": {"platform": "1.46"},
    "rmi": {"platform": "1.50"},
    "run": _CREATION,
    "save": {"platform": "1.48"},
    "volume_prune": {"all": "1.42"},
}
"""By module of the command: option and the first API version that has it."""


def check_versions(session: Session, module: str, options: Options) -> None:
    """Asks for the engine's version only if such an option was given."""
    for name, version in SINCE.get(module, {}).items():
        if options.changed(name):
            needed = tuple(int(part) for part in version.split("."))
            if session.client.version_key < needed:
                raise CliError(
                    f'"--{name}" requires API version {version}, but the Docker daemon API '
                    f"version is {session.client.version}"
                )
