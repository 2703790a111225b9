"""Options in the manner of Go's flag package, which runc's command line follows.

One dash or two, the value after `=` or in the next word; the first word that is no option ends
them, so that a program's own options are left alone.
"""

from collections.abc import Sequence
from typing import NamedTuple

from wherry.oci_cli.errors import UsageFailure


class Option(NamedTuple):
    """One option: `kind` is flag, text, number or list; `short` may be empty."""

    name: str
    kind: str
    text: str
    short: str = ""


class Values:
    """Parsed options by name, and the words after them."""

    def __init__(self, options: Sequence[Option]) -> None:
        self._flags: set[str] = set()
        self._texts: dict[str, str] = {}
        self._lists: dict[str, list[str]] = {}
        self._known = {option.name: option for option in options}
        self.words: list[str] = []

    def knows(self, name: str) -> bool:
        """Whether the command has such an option."""
        return name in self._known

    def flag(self, name: str) -> bool:
        """Whether a flag was given."""
        return name in self._flags

    def text(self, name: str, default: str = "") -> str:
        """An option's last value."""
        return self._texts.get(name, default)

    def number(self, name: str) -> int:
        """An option's value as a number, 0 if it was not given."""
        return int(self._texts.get(name, "0"))

    def all(self, name: str) -> list[str]:
        """Every value of an option that may be repeated."""
        return self._lists.get(name, [])

    def take(self, option: Option, value: str | None) -> None:
        """Keeps one value; raises UsageFailure for one that does not fit."""
        if option.kind == "flag":
            if value in (None, "true", "1"):
                self._flags.add(option.name)
            elif value in ("false", "0"):
                self._flags.discard(option.name)
            else:
                raise UsageFailure(f'invalid boolean value "{value}" for -{option.name}')
            return
        assert value is not None
        if option.kind == "number" and not value.isdecimal():
            raise UsageFailure(f'invalid value "{value}" for flag -{option.name}: parse error')
        if option.kind == "list":
            self._lists.setdefault(option.name, []).append(value)
        else:
            self._texts[option.name] = value


def parse(words: Sequence[str], options: Sequence[Option]) -> Values:
    """The options at the front of `words`; raises UsageFailure for unknown ones."""
    names = {option.name: option for option in options}
    names.update({option.short: option for option in options if option.short})
    values = Values(options)
    index = 0
    while index < len(words):
        word = words[index]
        if word == "--":
            index += 1
            break
        if not word.startswith("-") or word == "-":
            break
        name, equals, text = word.removeprefix("-").removeprefix("-").partition("=")
        option = names.get(name)
        if option is None:
            raise UsageFailure(f"flag provided but not defined: -{name}")
        index += 1
        value: str | None = text if equals else None
        if value is None and option.kind != "flag":
            if index == len(words):
                raise UsageFailure(f"flag needs an argument: -{name}")
            value = words[index]
            index += 1
        values.take(option, value)
    values.words = list(words[index:])
    return values
