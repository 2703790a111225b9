"""Files of `key=value` lines: `--env-file` and `--label-file` (docker/cli `pkg/kvfile`)."""

from __future__ import annotations

import os

from wherry.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def _lines(path: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise CliError(f"open {path}: {(error.strerror or '').lower()}") from error
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise CliError(f"invalid env file ({path}): invalid utf8 bytes") from error


def _parse(path: str, from_environment: bool) -> list[str]:
    found = []
    for raw in _lines(path):
        line = raw.lstrip()
        if not line or line.startswith("#"):
            continue
        name, equals, _ = line.partition("=")
        if not name:
            raise CliError(f"invalid env file ({path}): no variable name on line '{line}'")
        if any(mark.isspace() for mark in name):
            raise CliError(f"invalid env file ({path}): variable '{name}' contains whitespaces")
        if equals:
            found.append(line)
        elif not from_environment:
            found.append(name)
        elif name in os.environ:
            found.append(f"{name}={os.environ[name]}")
    return found


def environment(files: Iterable[str], given: Iterable[str]) -> list[str]:
    """Variables of the files, then those given; a bare name takes this process's value."""
    return [line for path in files for line in _parse(path, True)] + list(given)


def labels(files: Iterable[str], given: Iterable[str]) -> dict[str, str]:
    """Labels of the files, then those given."""
    lines = [line for path in files for line in _parse(path, False)] + list(given)
    return dict(line.partition("=")[::2] for line in lines)
