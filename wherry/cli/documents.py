"""Secrets and configs: what the commands for both have in common."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.cli.filters import filter_query
from wherry.cli.listing import Listing
from wherry.cli.sorting import natural_key
from wherry.cli.timestamps import ago, go_time, parse_rfc3339
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wherry.cli.options import Options
    from wherry.cli.session import Session

_COLUMNS = {
    "secret": ("ID", "Name", "Driver", "CreatedAt", "UpdatedAt"),
    "config": ("ID", "Name", "CreatedAt", "UpdatedAt"),
}
_SEPARATORS = {
    "secret": (" " * 14, " " * 12, " " * 8),
    "config": ("\t\t\t", "", " " * 12 + "\t"),
}
"""What docker puts between a label and its value, after `ID:`, `Driver:` and `Created at:`."""


def _spec(item: Any) -> dict[str, Any]:
    return item.get("Spec") or {}


def _labels(item: Any, trunc: bool) -> str:
    return ",".join(f"{name}={value}" for name, value in (_spec(item).get("Labels") or {}).items())


def _ago(name: str) -> Callable[[Any, bool], str]:
    return lambda item, trunc: ago(parse_rfc3339(str(item.get(name) or "")))


_FIELDS = {
    "ID": ("ID", lambda item, trunc: str(item["ID"])),
    "Name": ("NAME", lambda item, trunc: str(_spec(item).get("Name") or "")),
    "Driver": (
        "DRIVER",
        lambda item, trunc: str((_spec(item).get("Driver") or {}).get("Name") or ""),
    ),
    "CreatedAt": ("CREATED", _ago("CreatedAt")),
    "UpdatedAt": ("UPDATED", _ago("UpdatedAt")),
    "Labels": ("LABELS", _labels),
}


def create_document(session: Session, noun: str, options: Options, operands: list[str]) -> int:
    """Stores one and prints its ID."""
    body: dict[str, Any] = {"Name": operands[0], "Labels": options.pairs("label")}
    driver = options.text("driver") if noun == "secret" else ""
    if driver:
        if len(operands) > 1:
            raise CliError("When using secret driver secret data must be empty")
        body["Driver"] = {"Name": driver}
    elif len(operands) < 2:
        raise CliError("secret file is required")
    else:
        from base64 import b64encode

        body["Data"] = b64encode(_content(operands[1])).decode()
    if options.text("template-driver"):
        body["Templating"] = {"Name": options.text("template-driver")}
    session.line(str(session.client.post(f"/{noun}s/create", body=body)["ID"]))
    return 0


def _content(path: str) -> bytes:
    from wherry.cli.input_file import file_chunks, open_input

    try:
        descriptor = 0 if path == "-" else open_input(path)
    except CliError as error:
        raise CliError(f"error reading from {path}: {error.message}") from error
    return b"".join(file_chunks(descriptor))


def list_documents(session: Session, noun: str, options: Options) -> int:
    """Prints the list."""
    columns = _COLUMNS[noun]
    template = options.text("format")
    if not template and not options.flag("quiet"):
        template = session.config.text(f"{noun}Format")
    fields = {name: field for name, field in _FIELDS.items() if name in (*columns, "Labels")}
    listing = Listing(
        fields,
        columns,
        template=template,
        quiet="ID" if options.flag("quiet") else "",
        type_name=f"*{noun}.{noun}Context",
        labels=lambda item: _spec(item).get("Labels") or {},
    )
    found = session.client.get(f"/{noun}s", filter_query(options.items("filter"))) or ()
    session.out(
        listing.render(sorted(found, key=lambda item: natural_key(str(_spec(item)["Name"]))))
    )
    return 0


def inspect_documents(session: Session, noun: str, options: Options, operands: list[str]) -> int:
    """Prints each in full, or in lines where `--pretty` is given."""
    template = options.text("format")

    def find(name: str) -> Any:
        return session.client.get(f"/{noun}s/{escape_path(name)}")

    if options.flag("pretty"):
        if template:
            raise CliError("--format is incompatible with human friendly format")
        session.out("\n".join(_pretty(noun, find(name)) for name in operands))
        return 0
    from wherry.cli.inspecting import inspect_each

    return inspect_each(session, operands, template, find)


def _pretty(noun: str, item: dict[str, Any]) -> str:
    wide, middle, narrow = _SEPARATORS[noun]
    lines = [f"ID:{wide}{item['ID']}", f"Name:{wide}{_spec(item)['Name']}"]
    if labels := _spec(item).get("Labels"):
        lines += ["Labels:", *(f" - {name}={labels[name]}" for name in sorted(labels))]
    if noun == "secret" and (driver := _spec(item).get("Driver")):
        lines.append(f"Driver:{middle}{driver['Name']}")
    lines += [
        f"{label}:{narrow}{go_time(str(item[name])).lower()}"
        for label, name in (("Created at", "CreatedAt"), ("Updated at", "UpdatedAt"))
    ]
    if noun == "config":
        from base64 import b64decode

        data = b64decode(str(_spec(item).get("Data") or "")).decode("utf-8", "replace")
        lines += ["Data:", data]
    return "\n".join(lines) + "\n"


def remove_documents(session: Session, noun: str, operands: list[str]) -> int:
    """Removes each and prints its name."""

    def remove(name: str) -> None:
        session.client.delete(f"/{noun}s/{escape_path(name)}")
        session.line(name)

    return session.for_each(operands, remove)
