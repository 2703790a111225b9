"""`__complete`: what a shell offers for the last word, asked by the scripts of `completion`.

The protocol is cobra's, so that docker's plugins understand it too: a candidate and its description
on each line, then `:` and a directive.
"""

from __future__ import annotations

from wherry.cli.completion_names import FLAG_VALUES, OPERANDS, live_names
from wherry.cli.main import GLOBAL_OPTIONS, load_command
from wherry.cli.table import COMMANDS, GROUPS, HIDDEN, resolve
from wherry.client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wherry.cli.options import Option
    from wherry.cli.session import Session

FILES = 0
"""Directive: the shell completes file names."""
NO_FILES = 4
"""Directive: the shell offers nothing but the candidates."""

Candidates = list[tuple[str, str]]


def complete(session: Session, words: list[str], describe: bool) -> int:
    """Prints the candidates for the last of `words`, the others being the line before it."""
    *before, current = words or [""]
    try:
        found, directive = _candidates(session, before, current)
    except ClientError:
        found, directive = [], NO_FILES
    for name, text in found:
        session.line(f"{name}\t{text}" if describe and text else name)
    session.line(f":{directive}")
    return 0


def _candidates(session: Session, before: list[str], current: str) -> tuple[Candidates, int]:
    at = _command_start(before)
    if at is None:
        return _value(session, GLOBAL_OPTIONS, before[-1], current)
    rest = before[at:]
    if not rest:
        if current.startswith("-"):
            return _flags(GLOBAL_OPTIONS, current), NO_FILES
        return _starting(_commands(session), current), NO_FILES
    if len(rest) == 1 and rest[0] in GROUPS:
        names = GROUPS[rest[0]][1]
        pairs = (
            (name, COMMANDS[found[1]][1]) for name in names if (found := resolve([rest[0], name]))
        )
        return _starting(pairs, current), NO_FILES
    found = resolve(rest)
    if found is None:
        return _from_plugin(session, before[:at], rest, current)
    _, key, used = found
    options = load_command(key).OPTIONS
    return _of_command(session, key, options, rest[used:], current)


def _command_start(before: Sequence[str]) -> int | None:
    """Where the command begins; None where a global option still wants its value."""
    valued = _valued(GLOBAL_OPTIONS)
    at = 0
    while at < len(before) and before[at].startswith("-"):
        at += 2 if before[at] in valued else 1
    return None if at > len(before) else at


def _valued(options: Iterable[Option]) -> dict[str, str]:
    """The ways to write the options that take a value, with their names."""
    found = {}
    for option in options:
        if option[2] != "bool":
            found[f"--{option[0]}"] = option[0]
            if option[1]:
                found[f"-{option[1]}"] = option[0]
    return found


def _starting(pairs: Iterable[tuple[str, str]], current: str) -> Candidates:
    return [pair for pair in pairs if pair[0].startswith(current)]


def _commands(session: Session) -> Candidates:
    from wherry.cli.plugins import plugins

    found = {name: entry[1] for name, entry in COMMANDS.items() if " " not in name}
    found |= {name: entry[0] for name, entry in GROUPS.items() if name not in HIDDEN}
    found |= dict(plugins(session))
    return sorted(found.items())


def _flags(options: Iterable[Option], current: str) -> Candidates:
    found = []
    for option in sorted(options, key=lambda option: option[0]):
        if option[3]:
            text = option[3].partition("\n")[0]
            found.append((f"--{option[0]}", text))
            if option[1]:
                found.append((f"-{option[1]}", text))
    return _starting(found, current)


def _value(
    session: Session, options: Iterable[Option], flag: str, current: str
) -> tuple[Candidates, int]:
    kind = FLAG_VALUES.get(_valued(options).get(flag, ""))
    if kind is None:
        return [], FILES
    return _starting(live_names(session, kind, current), current), NO_FILES


def _of_command(
    session: Session, key: str, options: Sequence[Option], words: Sequence[str], current: str
) -> tuple[Candidates, int]:
    valued = _valued(options)
    operands: list[str] = []
    position = 0
    while position < len(words):
        word = words[position]
        if word in valued:
            position += 1
            if position == len(words):
                return _value(session, options, word, current)
        elif not word.startswith("-") or word == "-":
            operands.append(word)
        position += 1
    if current.startswith("-") and not (operands and _takes_a_command(key)):
        return _flags(options, current), NO_FILES
    kinds = OPERANDS.get(key, ())
    if not kinds:
        return [], NO_FILES
    kind = kinds[min(len(operands), len(kinds) - 1)]
    if kind == "files":
        return [], FILES
    if kind == "end":
        return [], NO_FILES
    names = live_names(session, kind, current)
    unused = (pair for pair in names if pair[0] not in operands)
    return _starting(unused, current), FILES if key == "cp" else NO_FILES


def _takes_a_command(key: str) -> bool:
    return not getattr(load_command(key), "INTERSPERSED", True)


def _from_plugin(
    session: Session, leading: list[str], rest: list[str], current: str
) -> tuple[Candidates, int]:
    from wherry.cli.plugins import find_plugin, run_plugin

    if path := find_plugin(session, rest[0]):
        run_plugin(session, path, "wherry", [*leading, "__complete", *rest, current])
    return [], NO_FILES
