"""`wherry events`."""

from __future__ import annotations

import time

from wherry.cli.errors import CliError
from wherry.cli.filters import filter_query
from wherry.cli.option_texts import FORMAT_HELP
from wherry.cli.template_values import as_go
from wherry.cli.timestamps import api_timestamp
from wherry.client.json_text import JsonStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS]"
ALIASES: tuple[str, ...] = ("system events", "events")
OPTIONS: tuple[Option, ...] = (
    ("filter", "f", "filter", "Filter output based on conditions provided"),
    ("format", "", "string", FORMAT_HELP),
    ("since", "", "string", "Show all events created since timestamp"),
    ("until", "", "string", "Stream events until this timestamp"),
)
ARGUMENTS = (0, 0)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Prints events as they come."""
    show = _shower(options.text("format"))
    query = filter_query(options.items("filter"))
    for name in ("since", "until"):
        if options.text(name):
            query[name] = api_timestamp(options.text(name))
    stream = JsonStream()
    for data in session.client.request("GET", "/events", query).chunks():
        for event in stream.feed(data):
            session.line(show(event))
    return 0


def _shower(source: str) -> Callable[[Any], str]:
    if not source:
        return event_line
    if source == "json":
        source = "{{json .}}"
    from wherry.cli.template import Template

    def show(event: Any) -> str:
        return template.execute(_Event(event))

    try:
        template = Template(source)
        show({})
    except CliError as error:
        reason = error.message.removeprefix("template parsing error: ")
        raise CliError(f"Error parsing format: {reason}", 64) from error
    return show


class _Event:
    """An event as templates see it: its JSON has other names than its fields."""

    type_name = "*events.Message"

    def __init__(self, event: dict[str, Any]) -> None:
        actor = event.get("Actor") or {}
        attributes = actor.get("Attributes") or {}
        ordered = {name: attributes[name] for name in sorted(attributes)}
        self._event = {**event, "Actor": {"ID": actor.get("ID", ""), "Attributes": ordered}}

    def template_field(self, name: str, arguments: Sequence[Any]) -> Any:
        """The field; KeyError where an event has none of that name."""
        value = self._event.get(_FIELDS[name], "")
        return as_go(value, name)

    def as_json(self) -> dict[str, Any]:
        """The event as the engine told it, attributes sorted."""
        return self._event


_FIELDS = {
    "Status": "status",
    "ID": "id",
    "From": "from",
    "Type": "Type",
    "Action": "Action",
    "Actor": "Actor",
    "Scope": "scope",
    "Time": "time",
    "TimeNano": "timeNano",
}


def event_line(event: Any) -> str:
    """`2026-01-02T... container start ID (image=busybox, name=x)`."""
    nanoseconds = event.get("timeNano") or (event.get("time") or 0) * 1_000_000_000
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    local = time.localtime(seconds)
    zone = time.strftime("%z", local)
    zone = "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"
    actor = event.get("Actor") or {}
    text = (
        f"{time.strftime('%Y-%m-%dT%H:%M:%S', local)}.{fraction:09d}{zone} "
        f"{event.get('Type', '')} {event.get('Action', '')} {actor.get('ID', '')}"
    )
    attributes = actor.get("Attributes") or {}
    if attributes:
        text += f" ({', '.join(f'{name}={attributes[name]}' for name in sorted(attributes))})"
    return text
