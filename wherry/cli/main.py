"""The `wherry` command: global options, the choice of a command, errors and exit codes.

It imports only what every start needs; a command's module is loaded when it is called.
"""

from __future__ import annotations

import sys

from wherry.cli.errors import ArgumentsError, CliError, HelpRequested, UsageError
from wherry.cli.options import Options, parse
from wherry.cli.session import Session
from wherry.cli.table import COMMANDS, COMMON, GROUPS, HIDDEN, SWARM, resolve
from wherry.client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import TextIO

    from wherry.cli.absent.command import AbsentCommand
    from wherry.cli.options import Option

GLOBAL_OPTIONS: tuple[Option, ...] = (
    ("config", "", "string", 'Location of client config files (default "~/.docker")'),
    (
        "context",
        "c",
        "string",
        "Name of the context to use to connect to the daemon (overrides DOCKER_HOST env var and "
        'default context set with "docker context use")',
    ),
    ("debug", "D", "bool", "Enable debug mode"),
    ("host", "H", "list", "Daemon socket to connect to"),
    (
        "log-level",
        "l",
        "string",
        'Set the logging level ("debug", "info", "warn", "error", "fatal") (default "info")',
        "info",
    ),
    ("tls", "", "bool", "Use TLS; implied by --tlsverify"),
    (
        "tlscacert",
        "",
        "string",
        'Trust certs signed only by this CA (default "~/.docker/ca.pem")',
    ),
    (
        "tlscert",
        "",
        "string",
        'Path to TLS certificate file (default "~/.docker/cert.pem")',
    ),
    ("tlskey", "", "string", 'Path to TLS key file (default "~/.docker/key.pem")'),
    ("tlsverify", "", "bool", "Use TLS and verify the remote"),
    ("version", "v", "bool", "Print version information and quit"),
)

_LOG_LEVELS = ("debug", "info", "warn", "warning", "error", "fatal", "panic", "trace")
_COMPLETERS = ("__complete", "__completeNoDesc")

_VERSIONED = frozenset(
    (
        "create",
        "history",
        "image_inspect",
        "images",
        "load",
        "network_connect",
        "network_create",
        "push",
        "rmi",
        "run",
        "save",
        "volume_prune",
    )
)
"""Modules of `option_versions.SINCE`, so that the others need not load it."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command line; the exit code is docker's."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = _run(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return _die_of_broken_pipe()
    return code


def _die_of_broken_pipe() -> int:
    """Ends as a program does whose reader went away."""
    import os
    import signal

    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)
    os._exit(141)


def _run(words: list[str]) -> int:
    try:
        options, rest = parse(GLOBAL_OPTIONS, words, interspersed=False)
    except HelpRequested as asked:
        return _print_top_help(Session(), short=asked.short)
    except UsageError as error:
        return _fail(
            f"{error.message}\n\nUsage:  wherry [OPTIONS] COMMAND [ARG...]\n\n"
            "Run 'wherry --help' for more information",
            125,
        )
    if options.text("log-level") not in _LOG_LEVELS:
        return _fail(f"Unable to parse logging level: {options.text('log-level')}", 1)
    if options.flag("version"):
        from wherry import __version__

        print(f"Wherry version {__version__}")
        return 0
    if not rest:
        return _print_top_help(Session(options), sys.stderr)
    if rest[0] == "help":
        rest = [*rest[1:], "--help"] if len(rest) > 1 else []
        if rest and rest[0] not in GROUPS and resolve(rest) is None and not _plugin(options, rest):
            return _fail(f"unknown help topic: {' '.join(rest[:-1])}", 1)
        if not rest:
            return _print_top_help(Session(options))
    if rest[0] == "daemon" and not options.items("host"):
        return _run_daemon(rest[1:])
    session = Session(options)
    if rest[0] in _COMPLETERS:
        from wherry.cli.completing import complete

        return complete(session, rest[1:], describe=rest[0] == "__complete")
    if rest[0] in ("build", "builder") or rest[:2] == ["image", "build"]:
        from wherry.cli.plugins import build_words, run_plugin

        if builder := build_words(session, rest):
            run_plugin(session, builder[0], sys.argv[0], [*_leading(words, rest), *builder[1]])
    found = resolve(rest)
    if found is None:
        return _run_other(session, rest, words)
    path, key, used = found
    return _run_command(session, path, key, rest[used:])


def _plugin(options: Options, rest: list[str]) -> str:
    from wherry.cli.plugins import find_plugin

    return find_plugin(Session(options), rest[0])


def _leading(words: list[str], rest: list[str]) -> list[str]:
    """The global options before the command."""
    return words[: len(words) - len(rest)]


def _run_other(session: Session, rest: list[str], words: list[str]) -> int:
    """A plugin's command, or none at all."""
    if rest[0] not in GROUPS:
        from wherry.cli.plugins import find_plugin, run_plugin

        if path := find_plugin(session, rest[0]):
            run_plugin(session, path, sys.argv[0], [*_leading(words, rest), *rest])
    if rest[0] not in GROUPS and ("--help" in rest or "-h" in rest):
        return _print_top_help(session)
    return _no_such_command(rest)


def _run_daemon(words: list[str]) -> int:
    """The engine reads its own options."""
    from importlib import import_module

    return int(import_module("wherry.daemon.main").main(words))


def _fail(message: str, code: int) -> int:
    sys.stdout.flush()
    print(message, file=sys.stderr)
    return code


def load_command(key: str) -> ModuleType | AbsentCommand:
    """What has a command's SYNTAX, OPTIONS, ARGUMENTS, ALIASES and `run`."""
    if COMMANDS[key][0] == "absent":
        from wherry.cli.absent.tables import absent_command

        return absent_command(key)
    module = f"wherry.cli.commands.{COMMANDS[key][0]}"
    __import__(module)
    return sys.modules[module]


def _run_command(session: Session, path: str, key: str, words: list[str]) -> int:
    command = load_command(key)
    session.path = path
    usage = f"Usage:  wherry {path} {command.SYNTAX}".rstrip()
    try:
        if getattr(command, "UNREAD", False) and "--help" not in words:
            return int(command.run(session, Options(()), words))
        options, operands = parse(
            command.OPTIONS,
            words,
            interspersed=getattr(command, "INTERSPERSED", True),
            aliases=getattr(command, "OPTION_ALIASES", None),
        )
        _check_count(path, usage, operands, command.ARGUMENTS)
        module = COMMANDS[key][0]
        if module in _VERSIONED:
            from wherry.cli.option_versions import check_versions

            check_versions(session, module, options)
        return int(command.run(session, options, operands))
    except HelpRequested as asked:
        _advise_against(asked.short)
        from wherry.cli.examples import examples_text
        from wherry.cli.help import command_help

        description = getattr(command, "DESCRIPTION", COMMANDS[key][1])
        print(
            command_help(path, command.SYNTAX, description, command.ALIASES, command.OPTIONS)
            + examples_text(key),
            end="",
        )
        return 0
    except UsageError as error:
        return _fail(
            f"{error.message}\n\n{usage}\n\nRun 'wherry {path} --help' for more information", 125
        )
    except CliError as error:
        if not error.message:
            sys.stdout.flush()
            return error.code
        return _fail(error.message, error.code)
    except ClientError as error:
        return _fail(error.message, 1)


def _check_count(path: str, usage: str, operands: list[str], allowed: tuple[int, int]) -> None:
    """Refuses too few or too many arguments; a negative maximum is none."""
    least, most = allowed
    count = len(operands)
    if least <= count and (most < 0 or count <= most):
        return
    word = "Run"
    if most == 0:
        reason = "accepts no arguments"
    elif least == most:
        reason = f"requires {least} argument{'s' if least > 1 else ''}"
    elif most < 0:
        reason = f"requires at least {least} argument{'s' if least > 1 else ''}"
        word = "See"
    elif count < least:
        reason = (
            f"requires at least {least} and at most {most} arguments"
            if least
            else f"requires at most {most} argument{'s' if most > 1 else ''}"
        )
    elif least:
        reason = f"requires at least {least} and at most {most} arguments"
    else:
        reason = f"requires at most {most} argument{'s' if most > 1 else ''}"
    raise ArgumentsError(
        f"wherry: 'wherry {path}' {reason}\n\n{usage}\n\n"
        f"{word} 'wherry {path} --help' for more information"
    )


def _no_such_command(words: list[str]) -> int:
    first = words[0]
    if first in GROUPS:
        if len(words) == 1 or words[1] in ("--help", "-h"):
            from wherry.cli.help import group_help

            shown = {name: _short(f"{first} {name}") for name in GROUPS[first][1]}
            _advise_against(words[-1] == "-h")
            text = group_help(first, GROUPS[first][0], shown)
            print(text, end="", file=sys.stderr if len(words) == 1 else sys.stdout)
            return 0
        if words[1].startswith("-"):
            return _fail(
                f"unknown flag: {words[1].partition('=')[0]}\n\nUsage:  wherry {first}\n\n"
                f"Run 'wherry {first} --help' for more information",
                125,
            )
        return _fail(
            f"wherry: unknown command: wherry {first} {words[1]}\n\nUsage:  wherry {first}\n\n"
            f"Run 'wherry {first} --help' for more information",
            1,
        )
    return _fail(
        f"wherry: unknown command: wherry {first}\n\nRun 'wherry --help' for more information", 1
    )


def _short(path: str) -> str:
    found = resolve(path.split(" "))
    return COMMANDS[found[1]][1] if found else ""


def _advise_against(short: bool) -> None:
    if short:
        print("Flag shorthand -h has been deprecated, use --help")


def _print_top_help(session: Session, output: TextIO | None = None, short: bool = False) -> int:
    _advise_against(short)
    from wherry.cli.help import top_help
    from wherry.cli.plugins import plugins

    common = {name: COMMANDS[name][1] for name in COMMON}
    groups = {
        name: description
        for name, (description, _) in GROUPS.items()
        if name not in HIDDEN and name not in SWARM
    }
    groups |= {f"{name}*": description for name, description in plugins(session)}
    swarm = {name: GROUPS[name][0] for name in SWARM}
    rest = {
        name: entry[1]
        for name, entry in sorted(COMMANDS.items())
        if " " not in name and name not in COMMON
    }
    sections = (
        ("Common Commands", common),
        ("Management Commands", dict(sorted(groups.items()))),
        ("Swarm Commands", swarm),
        ("Commands", rest),
    )
    place = session.config.directory
    options = tuple(
        (name, letter, kind, text.replace("~/.docker", place))
        for name, letter, kind, text, *_ in GLOBAL_OPTIONS
    )
    print(top_help(sections, options), end="", file=output or sys.stdout)
    return 0
