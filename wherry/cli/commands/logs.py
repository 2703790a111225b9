"""`wherry logs`."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.cli.timestamps import api_timestamp
from wherry.client.query import escape_path
from wherry.client.stdcopy import STDERR, Demultiplexer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] CONTAINER"
ALIASES: tuple[str, ...] = ("container logs", "logs")
OPTIONS: tuple[Option, ...] = (
    ("details", "", "bool", "Show extra details provided to logs"),
    ("follow", "f", "bool", "Follow log output"),
    ("grep", "", "string", "Show only lines that match a regular expression (RE2)"),
    (
        "since",
        "",
        "string",
        (
            'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative '
            '(e.g. "42m" for 42 minutes)'
        ),
    ),
    (
        "tail",
        "n",
        "string",
        'Number of lines to show from the end of the logs (default "all")',
        "all",
    ),
    ("timestamps", "t", "bool", "Show timestamps"),
    (
        "until",
        "",
        "string",
        (
            'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or '
            'relative (e.g. "42m" for 42 minutes)'
        ),
    ),
)
ARGUMENTS = (1, 1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Prints what a container has written, and with --follow what it writes from now on."""
    container = session.client.get(f"/containers/{escape_path(operands[0])}/json")
    query = {"stdout": "1", "stderr": "1"}
    for name in ("since", "until"):
        if options.text(name):
            try:
                query[name] = api_timestamp(options.text(name))
            except CliError as error:
                raise CliError(f'invalid value for "{name}": {error.message}') from error
    for name in ("timestamps", "details", "follow"):
        if options.flag(name):
            query[name] = "1"
    query["tail"] = options.text("tail")
    if options.text("grep"):
        query["grep"] = options.text("grep")
    response = session.client.request("GET", f"/containers/{container['Id']}/logs", query)
    demultiplexer = None if container["Config"].get("Tty") else Demultiplexer()
    for data in response.chunks():
        if demultiplexer is None:
            session.write_bytes(1, data)
            continue
        for stream, part in demultiplexer.feed(data):
            session.write_bytes(2 if stream == STDERR else 1, part)
    return 0
