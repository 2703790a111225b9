"""`wherry version`."""

from __future__ import annotations

import sys

from wherry import __version__
from wherry.cli.errors import CliError
from wherry.cli.option_texts import FORMAT_HELP
from wherry.client.engine import API_VERSION
from wherry.client.errors import ClientError
from wherry.client.json_text import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session
    from wherry.cli.template import Template

SYNTAX = "[OPTIONS]"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (("format", "f", "string", FORMAT_HELP),)
ARGUMENTS = (0, 0)


_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SHIFTS = (0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4)  # Sakamoto: weekdays by which months are shifted
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "AMD64": "amd64"}
_HIDDEN_DETAILS = (
    "ApiVersion",
    "MinAPIVersion",
    "GoVersion",
    "GitCommit",
    "BuildTime",
    "Os",
    "Arch",
    "Experimental",
    "KernelVersion",
)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Shows the versions of the client and of the engine."""
    source = options.text("format")
    template = _parsed(source)
    failure: ClientError | None = None
    server: dict[str, Any] | None = None
    try:
        server = session.client.get("/version")
    except ClientError as error:
        failure = error
    client = _client(session, failure is None)
    if source:
        for component in (server or {}).get("Components") or ():
            if text := (component.get("Details") or {}).get("BuildTime"):
                component["Details"]["BuildTime"] = _built(text)
        _templated(session, template, {"Client": client, "Server": server})
    else:
        session.out(_text(client, server))
    if failure:
        raise CliError(failure.message)
    return 0


def _parsed(source: str) -> Template | None:
    if source in ("", "json"):
        return None
    from wherry.cli.template import Template

    try:
        return Template(source, "version")
    except CliError as error:
        raise CliError(error.message, 64) from error


def _client(session: Session, connected: bool) -> dict[str, Any]:
    import os

    machine = os.uname().machine if hasattr(os, "uname") else "AMD64"
    return {
        "Version": __version__,
        "ApiVersion": session.client.version if connected else API_VERSION,
        "DefaultAPIVersion": API_VERSION,
        "PythonVersion": sys.version.split(" ", 1)[0],
        "Os": sys.platform,
        "Arch": _ARCHITECTURES.get(machine, machine),
        "Context": session.context,
    }


def _templated(session: Session, template: Template | None, value: dict[str, Any]) -> None:
    if template is None:
        session.out(f"{dumps(value)}\n")
        return
    from wherry.cli.template_values import typed

    told = typed(value, "system.versionInfo")
    for part in ("Client", "Server"):
        if told[part]:
            told[part] = _Versions(told[part])
    try:
        session.out(f"{template.execute(told)}\n")
    except CliError:
        session.out("\n")
        raise


class _Versions:
    """What one side tells; templates say `APIVersion` where the JSON says `ApiVersion`."""

    type_name = "*system.clientVersion"

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told

    def template_field(self, name: str, arguments: Sequence[Any]) -> Any:
        """The field; KeyError where there is none of that name."""
        return self._told["ApiVersion" if name == "APIVersion" else name]

    def as_json(self) -> dict[str, Any]:
        """As it was told."""
        return self._told


def _rows(rows: list[tuple[str, str]], margin: str) -> str:
    return "".join(f"{margin}{f'{name}:':<{20 - len(margin)}}{value}\n" for name, value in rows)


def _text(client: dict[str, Any], server: dict[str, Any] | None) -> str:
    version = client["ApiVersion"]
    if version != client["DefaultAPIVersion"]:
        version += f" (downgraded from {client['DefaultAPIVersion']})"
    rows = [
        ("Version", client["Version"]),
        ("API version", version),
        ("Python version", client["PythonVersion"]),
        ("OS/Arch", f"{client['Os']}/{client['Arch']}"),
        ("Context", client["Context"]),
    ]
    text = "Client:\n" + _rows(rows, " ")
    if server is None:
        return text
    name = (server.get("Platform") or {}).get("Name") or ""
    text += f"\nServer:{f' {name}' if name else ''}\n"
    for component in server.get("Components") or _old_components(server):
        text += f" {component['Name']}:\n{_rows(_component_rows(component), '  ')}"
    return text


def _old_components(server: dict[str, Any]) -> list[dict[str, Any]]:
    """What engines before API 1.35 tell about themselves."""
    return [{"Name": "Engine", "Version": server.get("Version", ""), "Details": server}]


def _component_rows(component: dict[str, Any]) -> list[tuple[str, str]]:
    details = component.get("Details") or {}
    if component["Name"] != "Engine":
        rows = [("Version", str(component.get("Version", "")))]
        return rows + [(key, str(details[key])) for key in sorted(details)]
    known = {name: str(details.get(name, "")) for name in _HIDDEN_DETAILS}
    return [
        ("Version", str(component.get("Version", ""))),
        ("API version", f"{known['ApiVersion']} (minimum version {known['MinAPIVersion']})"),
        ("Go version", known["GoVersion"]),
        ("Git commit", known["GitCommit"]),
        ("Built", _built(known["BuildTime"])),
        ("OS/Arch", f"{known['Os']}/{known['Arch']}"),
        ("Experimental", known["Experimental"]),
    ]


def _built(text: str) -> str:
    """An RFC 3339 time as ANSI C prints it, as docker shows build times."""
    if len(text) < 19 or text[10] != "T" or not text[:4].isdigit():
        return text
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    shifted = year - (month < 3)
    leap_days = shifted // 4 - shifted // 100 + shifted // 400
    weekday = (shifted + leap_days + _SHIFTS[month - 1] + day) % 7
    return f"{_DAYS[weekday]} {_MONTHS[month - 1]} {day:2} {text[11:19]} {year}"
