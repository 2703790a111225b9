"""Help texts, generated from the commands' own tables in docker's layout."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wherry.cli.options import Option

_ARGUMENT_NAMES = {"bool": "", "swap": "bytes", "env": "list", "cidr": "list"}


def terminal_width() -> int:
    """The columns to wrap at, one less than there are; 80 where there is no terminal."""
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return (columns or 80) - 1


def _split_at(limit: int, slop: int, text: str) -> tuple[str, str]:
    if limit + slop > len(text):
        return text, ""
    space = max(text.rfind(mark, 0, limit) for mark in " \t\n")
    if space <= 0:
        return text, ""
    newline = text.rfind("\n", 0, limit)
    if 0 < newline < space:
        return text[:newline], text[newline + 1 :]
    return text[:space], text[space + 1 :]


def _wrapped(margin: int, width: int, text: str) -> str:
    """pflag's `wrap`: lines of at most `width`, continued at `margin`."""
    room = width - margin
    result = ""
    if room < 24:
        margin = 16
        room = width - margin
        result = "\n" + " " * margin
    if room < 24:
        return text.replace("\n", result)
    slop = 5
    room -= slop
    indent = "\n" + " " * margin
    line, text = _split_at(room, slop, text)
    result += line.replace("\n", indent)
    while text:
        line, text = _split_at(room, slop, text)
        result += indent + line.replace("\n", indent)
    return result


def option_lines(options: Sequence[Option], width: int) -> str:
    """The block under `Options:`, sorted by name."""
    from wherry.cli.validators import ARGUMENT_NAMES

    rows = []
    for option in sorted(options, key=lambda option: option[0]):
        name, letter, kind, text = option[:4]
        if not text:
            continue
        label = f"  -{letter}, --{name}" if letter else f"      --{name}"
        shown = _ARGUMENT_NAMES.get(kind, ARGUMENT_NAMES.get(kind, kind))
        rows.append((f"{label} {shown}" if shown else label, text))
    longest = max((len(label) for label, _ in rows), default=0) + 1
    return "".join(
        f"{label}{' ' * (longest - len(label) + 2)}{_wrapped(longest + 2, width, text)}\n"
        for label, text in rows
    )


def command_help(
    path: str,
    syntax: str,
    description: str,
    aliases: Sequence[str],
    options: Sequence[Option],
) -> str:
    """What `wherry run --help` prints."""
    text = f"Usage:  wherry {path} {syntax}".rstrip() + f"\n\n{description}\n"
    if aliases:
        text += "\nAliases:\n  " + ", ".join(f"wherry {alias}" for alias in aliases) + "\n"
    block = option_lines(options, terminal_width())
    if block:
        text += f"\nOptions:\n{block}"
    return text


def group_help(path: str, description: str, commands: Mapping[str, str]) -> str:
    """What `wherry container` prints."""
    rows = "".join(f"  {name:<12}{short}\n" for name, short in commands.items())
    return (
        f"Usage:  wherry {path} COMMAND\n\n{description}\n\nCommands:\n{rows}\n"
        f"Run 'wherry {path} COMMAND --help' for more information on a command.\n"
    )


def top_help(sections: Sequence[tuple[str, Mapping[str, str]]], options: Sequence[Option]) -> str:
    """What `wherry --help` prints."""
    text = "Usage:  wherry [OPTIONS] COMMAND\n\nA self-sufficient runtime for containers\n"
    for title, commands in sections:
        rows = "".join(f"  {name:<12}{short}\n" for name, short in commands.items())
        text += f"\n{title}:\n{rows}"
    text += f"\nGlobal Options:\n{option_lines(options, terminal_width())}"
    return text + "\nRun 'wherry COMMAND --help' for more information on a command.\n"
