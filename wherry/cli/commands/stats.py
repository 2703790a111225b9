"""`wherry stats`: a table of resource usage that renews itself."""

from __future__ import annotations

from wherry.cli.listing import Listing
from wherry.cli.option_texts import FORMAT_LIST_HELP
from wherry.cli.stats_fields import COLUMNS, FIELDS, TYPE_NAME
from wherry.client.errors import ApiError, ClientError
from wherry.client.json_text import JsonStream
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] [CONTAINER...]"
ALIASES: tuple[str, ...] = ("container stats", "stats")
OPTIONS: tuple[Option, ...] = (
    ("all", "a", "bool", "Show all containers (default shows just running)"),
    ("format", "", "string", FORMAT_LIST_HELP),
    ("no-stream", "", "bool", "Disable streaming stats and only pull the first result"),
    ("no-trunc", "", "bool", "Do not truncate output"),
)
ARGUMENTS = (0, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Shows what containers use, once or until interrupted."""
    listing = Listing(
        FIELDS,
        COLUMNS,
        template=options.text("format") or session.config.text("statsFormat"),
        trunc=not options.flag("no-trunc"),
        type_name=TYPE_NAME,
    )
    if options.flag("no-stream"):
        return _once(session, options, listing, operands)
    return _follow(session, options, listing, operands)


def _names(session: Session, options: Options, operands: list[str]) -> list[str]:
    if operands:
        return operands
    query = {"all": "1"} if options.flag("all") else {}
    return [item["Id"] for item in session.client.get("/containers/json", query) or ()]


def _once(session: Session, options: Options, listing: Listing, operands: list[str]) -> int:
    names = _names(session, options, operands)
    query = {"stream": "0"}
    pending = [
        session.client.begin("GET", f"/containers/{escape_path(name)}/stats", query)
        for name in names
    ]
    rows: list[dict[str, Any]] = []
    failures: list[str] = []
    for name, answer in zip(names, pending, strict=True):
        try:
            rows.append({"container": name, "sample": answer.value() or {}})
        except ClientError as error:
            failures.append(error.message)
    if failures and operands:
        return session.tell_failures(failures)
    if rows:
        session.out(listing.render(rows))
    return 0


class _Watch:
    """The stream of samples of one container."""

    def __init__(self, session: Session, name: str) -> None:
        self.name = name
        self.sample: dict[str, Any] = {}
        self._stream = JsonStream()
        path = f"/containers/{escape_path(name)}/stats"
        self._response = session.client.open().request("GET", path, {"stream": "1"})

    def fileno(self) -> int:
        """The descriptor to poll."""
        return self._response.connection.stream.fileno()

    def take(self) -> bool:
        """Takes what has come; False at the end."""
        try:
            data = self._response.read_some()
        except EOFError:
            return False
        for sample in self._stream.feed(data):
            self.sample = sample
        return bool(data)


def _follow(session: Session, options: Options, listing: Listing, operands: list[str]) -> int:
    watches: dict[str, _Watch] = {}
    clear = "\x1b[2J\x1b[H" if session.is_terminal(1) else ""
    while True:
        _refresh_watches(session, options, operands, watches)
        _collect(watches)
        rows = [{"container": watch.name, "sample": watch.sample} for watch in watches.values()]
        session.out(clear + listing.render(rows))
        session.line("")


def _refresh_watches(
    session: Session, options: Options, operands: list[str], watches: dict[str, _Watch]
) -> None:
    names = _names(session, options, operands)
    for name in names:
        if name not in watches:
            try:
                watches[name] = _Watch(session, name)
            except ApiError:
                if operands:
                    raise
    for name in [name for name in watches if name not in names]:
        del watches[name]


def _collect(watches: dict[str, _Watch]) -> None:
    """Takes samples for half a second, or until every container has given one."""
    import time
    from select import select

    deadline = time.monotonic() + 0.5
    while (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select(list(watches.values()), [], [], left)
        for watch in ready:
            if not watch.take():
                del watches[watch.name]
