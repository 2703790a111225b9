"""`wherry inspect`: whatever has the name."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.cli.inspecting import inspect_each
from wherry.cli.option_texts import FORMAT_HELP
from wherry.client.errors import ApiError
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] NAME|ID [NAME|ID...]"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("format", "f", "string", FORMAT_HELP),
    ("size", "s", "bool", "Display total file sizes if the type is container"),
    ("type", "", "string", "Only inspect objects of the given type"),
)
ARGUMENTS = (1, -1)


_PATHS = {
    "container": "/containers/{}/json",
    "image": "/images/{}/json",
    "network": "/networks/{}",
    "volume": "/volumes/{}",
    "service": "/services/{}",
    "task": "/tasks/{}",
    "node": "/nodes/{}",
    "plugin": "/plugins/{}/json",
    "secret": "/secrets/{}",
    "config": "/configs/{}",
}
_GUESSED = ("container", "image", "network", "volume", "plugin")
_SKIPPED = ("not supported", "invalid reference format", "is not a swarm manager")


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Shows objects of any kind in full: containers first, then images, networks, volumes."""
    kind = options.text("type")
    if options.changed("type") and kind not in _PATHS:
        allowed = '", "'.join(sorted(_PATHS))
        raise CliError(f'unknown type: "{kind}": must be one of "{allowed}"')
    kinds = (kind,) if kind else _GUESSED

    def find(name: str) -> object:
        for candidate in kinds:
            sized = candidate == "container" and options.flag("size")
            path = _PATHS[candidate].format(escape_path(name))
            try:
                value: object = session.client.get(path, {"size": "1"} if sized else {})
            except ApiError as error:
                if kind or not _skippable(error):
                    raise
                continue
            if options.flag("size") and candidate != "container":
                session.warn(f"WARNING: --size ignored for {candidate}")
            return value
        raise CliError(f"Error: No such object: {name}")

    return inspect_each(session, operands, options.text("format"), find)


def _skippable(error: ApiError) -> bool:
    return error.status == 404 or any(words in error.message for words in _SKIPPED)
