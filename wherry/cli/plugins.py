"""Docker's CLI plugins: `wherry compose` runs `docker-compose` where it lies in a plugin directory.

The protocol is docker's: a plugin called with `docker-cli-plugin-metadata` tells in JSON what it
is; otherwise it is called with the command line as the user gave it, global options included.
"""

from __future__ import annotations

import os

from wherry.client.contexts import DEFAULT_CONTEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NoReturn

    from wherry.cli.session import Session

METADATA_COMMAND = "docker-cli-plugin-metadata"
_PREFIX = "docker-"
_SUFFIX = ".exe" if os.name == "nt" else ""
_SYSTEM_DIRECTORIES = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
_BUILDER = "buildx"


def _directories(session: Session) -> list[str]:
    extra = session.config.content.get("cliPluginsExtraDirs") or []
    own = os.path.join(session.config.directory, "cli-plugins")
    return [*(str(path) for path in extra), own, *_SYSTEM_DIRECTORIES]


def is_name(name: str) -> bool:
    """Whether a plugin may have the name: lower case letters and digits, a letter first."""
    return name.isascii() and name.isalnum() and name.islower() and name[0].isalpha()


def find_plugin(session: Session, name: str) -> str:
    """The path of a plugin that tells what it is; empty where there is none."""
    if not is_name(name):
        return ""
    for directory in _directories(session):
        path = os.path.join(directory, f"{_PREFIX}{name}{_SUFFIX}")
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path if metadata(path) else ""
    return ""


def metadata(path: str) -> dict[str, Any]:
    """What a plugin tells about itself; empty where it does not speak the protocol."""
    import subprocess

    from wherry.client.errors import ClientError
    from wherry.client.json_text import loads

    try:
        done = subprocess.run(
            [path, METADATA_COMMAND], stdin=subprocess.DEVNULL, capture_output=True, check=True
        )
        value = loads(done.stdout)
    except (OSError, subprocess.CalledProcessError, ClientError):
        return {}
    if not isinstance(value, dict) or value.get("SchemaVersion") != "0.1.0":
        return {}
    return value if value.get("Vendor") else {}


def plugins(session: Session) -> Iterator[tuple[str, str]]:
    """(name, short description) of every plugin, sorted; the first of a name counts."""
    found: dict[str, str] = {}
    for directory in _directories(session):
        try:
            files = sorted(os.listdir(directory))
        except OSError:
            continue
        for file in files:
            name = file.removeprefix(_PREFIX).removesuffix(_SUFFIX)
            path = os.path.join(directory, file)
            if file.startswith(_PREFIX) and is_name(name) and os.access(path, os.X_OK):
                found.setdefault(name, path)
    for name, path in sorted(found.items()):
        if told := metadata(path):
            yield name, str(told.get("ShortDescription") or "")


def run_plugin(session: Session, path: str, program: str, words: list[str]) -> NoReturn:
    """Becomes the plugin; `words` are the whole command line after the program's name."""
    import sys

    environment = dict(session.environment)
    environment["DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND"] = program
    if session.context == DEFAULT_CONTEXT and not session.host:
        environment["DOCKER_HOST"] = session.default_endpoint().host
    sys.stdout.flush()
    if os.name == "posix":
        os.execve(path, [path, *words], environment)
    import subprocess

    sys.exit(subprocess.run([path, *words], env=environment, check=False).returncode)


def build_words(session: Session, rest: list[str]) -> tuple[str, list[str]] | None:
    """(plugin, words) for the commands that docker leaves to buildx; None where it is missing."""
    if session.environment.get("DOCKER_BUILDKIT") == "0":
        return None
    path = find_plugin(session, _BUILDER)
    if not path:
        return None
    if rest[0] == "builder":
        return path, [_BUILDER, *rest[1:]]
    return path, [_BUILDER, *rest[rest.index("build") :]]
