"""Command line options: a table read by a small parser that follows spf13/pflag.

An option is a tuple (name, letter, kind, help, default); kinds are those of `values.SCALARS`, and
all others are lists whose values are checked by the validator of that name in `validators`. An
empty help hides the option.
"""

from __future__ import annotations

from wherry.cli.errors import CliError, HelpRequested, UsageError
from wherry.cli.values import PLAIN_LISTS, SCALARS, ZEROS, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Option = tuple[str, str, str, str] | tuple[str, str, str, str, Any]

DEPRECATED = ("time",)
"""Other names of options that docker advises against."""

_HELP: Option = ("help", "h", "bool", "Print usage")


class Options:
    """The options of one command after parsing, by name."""

    def __init__(self, table: Sequence[Option]) -> None:
        self._table = {option[0]: option for option in table}
        self._given: dict[str, Any] = {}

    def changed(self, name: str) -> bool:
        """Whether the user gave the option."""
        return name in self._given

    def _value(self, name: str) -> Any:
        if name in self._given:
            return self._given[name]
        option = self._table[name]
        return option[4] if len(option) > 4 else ZEROS[option[2]]

    def flag(self, name: str) -> bool:
        """A switch."""
        return bool(self._value(name))

    def text(self, name: str) -> str:
        """A text."""
        return str(self._value(name))

    def number(self, name: str) -> int:
        """A whole number: a count, bytes, nanoseconds or billionths of a CPU."""
        return int(self._value(name))

    def items(self, name: str) -> list[str]:
        """The values of an option that may be repeated."""
        value = self._given.get(name)
        return list(value) if value else []

    def pairs(self, name: str) -> dict[str, str]:
        """The values of a repeated `key=value` option."""
        return dict(item.partition("=")[::2] for item in self.items(name))

    def store(self, option: Option, text: str) -> None:
        """Reads one value; raises CliError with the reason alone."""
        name, kind = option[0], option[2]
        if kind in SCALARS:
            self._given[name] = SCALARS[kind](text)
            return
        if kind == "strings":
            self._given.setdefault(name, []).extend(text.split(","))
            return
        if kind not in PLAIN_LISTS:
            from wherry.cli.validators import VALIDATORS

            text = VALIDATORS[kind](text)
        self._given.setdefault(name, []).append(text)

    def raw_store(self, name: str, value: Any) -> None:
        """Sets a value that an alias of the option collected."""
        if isinstance(value, list):
            self._given.setdefault(name, []).extend(value)
        else:
            self._given[name] = value


class _Parser:
    def __init__(self, table: Sequence[Option], aliases: Mapping[str, str]) -> None:
        self.options = Options(table)
        self.long: dict[str, Option] = {option[0]: option for option in table}
        self.short = {option[1]: option for option in table if option[1]}
        self.long.setdefault("help", _HELP)
        self.short.setdefault("h", _HELP)
        self.aliases = aliases

    def set(self, option: Option, text: str, short: bool = False) -> None:
        if option[0] == "help":
            raise HelpRequested(short)
        if option[0] in self.aliases:
            name = option[0]
            option = self.long[self.aliases[name]]
            if name in DEPRECATED:
                print(f"Flag --{name} has been deprecated, use --{option[0]} instead")
        try:
            self.options.store(option, text)
        except CliError as error:
            label = f"-{option[1]}, --{option[0]}" if option[1] else f"--{option[0]}"
            raise UsageError(
                f"invalid argument {quoted(text)} for {quoted(label)} flag: {error.message}"
            ) from error

    def take_long(self, body: str, rest: list[str]) -> None:
        name, equals, text = body.partition("=")
        if not name or name[0] in "-=":
            raise UsageError(f"bad flag syntax: --{body}")
        option = self.long.get(name)
        if option is None:
            raise UsageError(f"unknown flag: --{name}")
        if not equals:
            if option[2] == "bool":
                text = "true"
            elif rest:
                text = rest.pop(0)
            else:
                raise UsageError(f"flag needs an argument: --{name}")
        self.set(option, text)

    def take_short(self, cluster: str, rest: list[str]) -> None:
        left = cluster
        while left:
            letter, left = left[0], left[1:]
            option = self.short.get(letter)
            if option is None:
                raise UsageError(f"unknown shorthand flag: '{letter}' in -{letter}{left}")
            if left.startswith("="):
                self.set(option, left[1:])
                return
            if option[2] == "bool":
                self.set(option, "true", short=True)
            elif left:
                self.set(option, left)
                return
            elif rest:
                self.set(option, rest.pop(0))
            else:
                raise UsageError(f"flag needs an argument: '{letter}' in -{letter}")


def parse(
    table: Sequence[Option],
    arguments: Sequence[str],
    *,
    interspersed: bool = True,
    aliases: Mapping[str, str] | None = None,
) -> tuple[Options, list[str]]:
    """Splits a command line into options and arguments; raises UsageError or HelpRequested."""
    parser = _Parser(table, aliases or {})
    rest = list(arguments)
    operands: list[str] = []
    while rest:
        word = rest.pop(0)
        if word == "--":
            operands += rest
            break
        if len(word) < 2 or word[0] != "-":
            operands.append(word)
            if not interspersed:
                operands += rest
                break
        elif word.startswith("--"):
            parser.take_long(word[2:], rest)
        else:
            parser.take_short(word[1:], rest)
    return parser.options, operands
