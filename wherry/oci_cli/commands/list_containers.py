"""`list`: the containers of the root."""

import os
import pwd

import msgspec

from wherry.oci_cli.commands.state import describe
from wherry.oci_cli.container import Container, all_containers
from wherry.oci_cli.errors import RuntimeFailure
from wherry.oci_cli.log import Log
from wherry.oci_cli.options import Values


def run(root: str, values: Values, log: Log) -> int:
    """Prints a table, JSON or names."""
    containers = all_containers(root)
    form = values.text("format", "table")
    if values.flag("quiet"):
        for container in containers:
            print(container.id)
    elif form == "json":
        rows = [{**describe(container), "owner": _owner(container)} for container in containers]
        print(msgspec.json.encode(rows).decode())
    elif form == "table":
        _print_table([_row(container) for container in containers])
    else:
        raise RuntimeFailure("invalid format option")
    return 0


def _owner(container: Container) -> str:
    uid = os.stat(container.directory).st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def _row(container: Container) -> list[str]:
    record, state = container.known(), container.state()
    return [record.id, str(state.pid), state.status, record.bundle, record.created,
            _owner(container)]  # fmt: skip


def _print_table(rows: list[list[str]]) -> None:
    table = [["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"], *rows]
    widths = [max(len(row[column]) for row in table) for column in range(6)]
    for row in table:
        cells = [cell.ljust(max(width, 11) + 1) for cell, width in zip(row, widths, strict=True)]
        print("".join(cells[:-1]) + row[-1])
