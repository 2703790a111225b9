"""`wherry-runtime`: global options, the choice of a command, failures and exit codes.

It imports next to nothing until the command is known. Commands that enter a container run in a
sealed copy of the interpreter: what they execute there can name the file behind its predecessor
as /proc/self/exe (CVE-2019-5736), also through a script's first line, and must find no file of
the host.
"""

import importlib
import os
import sys

from wherry import __version__
from wherry.oci_cli.errors import RuntimeFailure, UsageFailure
from wherry.oci_cli.log import Log
from wherry.oci_cli.options import Option, Values, parse
from wherry.oci_cli.table import COMMANDS, GLOBAL, Command

DEFAULT_ROOT = "/run/wherry-runtime"
SPEC_VERSION = "1.2.0"

_AGAIN = (
    "import sys; sys.path[:] = sys.argv.pop(1).split(':'); "
    "from wherry.oci_cli.main import main; sys.exit(main())"
)


def main() -> int:
    """Runs the command line of `sys.argv`; returns the exit code."""
    log = Log("", "", debug=False)
    try:
        given = parse(sys.argv[1:], GLOBAL)
        log = Log(given.text("log"), _log_format(given), debug=given.flag("debug"))
        return _run(given, log)
    except RuntimeFailure as error:
        log.error(error.message)
        return error.code
    except OSError as error:
        log.error(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return 1
    except KeyboardInterrupt:
        return 130


def _log_format(given: Values) -> str:
    form = given.text("log-format", "text")
    if form not in ("text", "json"):
        raise UsageFailure(f'invalid log-format: "{form}"')
    return form


def _run(given: Values, log: Log) -> int:
    if given.flag("version"):
        print(f"wherry-runtime version {__version__}\nspec: {SPEC_VERSION}")
        return 0
    if given.flag("help") or not given.words or given.words[0] in ("help", "h"):
        print(_overview())
        return 0
    name, *words = given.words
    command = COMMANDS.get(name)
    if command is None:
        raise UsageFailure(f"No help topic for '{name}'", 3)
    help_option = Option("help", "flag", "show help", "h")
    values = parse(words, (*command.options, help_option))
    if values.flag("help"):
        print(_command_help(name, command))
        return 0
    _check_words(name, command, values.words)
    if given.flag("systemd-cgroup"):
        raise UsageFailure("--systemd-cgroup is not supported: use the cgroupfs cgroup manager")
    if given.text("rootless", "auto") not in ("auto", "false"):
        raise UsageFailure("--rootless is not supported: wherry-runtime needs root")
    if os.geteuid():
        raise RuntimeFailure("wherry-runtime needs root")
    if command.enters:
        _seal()
    # msgspec takes a fifth of the start to load this, and does as well without.
    sys.modules.setdefault("typing_extensions", None)  # type: ignore[arg-type] # as import does
    module = importlib.import_module(f"wherry.oci_cli.commands.{command.module}")
    root = given.text("root", DEFAULT_ROOT)
    code: int = module.run(os.path.abspath(root), values, log)
    return code


def _check_words(name: str, command: Command, words: list[str]) -> None:
    if command.least <= len(words) and (command.most < 0 or len(words) <= command.most):
        return
    if command.least == command.most:
        wanted = f"exactly {command.least} argument(s)"
    elif command.most < 0 or len(words) < command.least:
        wanted = f"a minimum of {command.least} argument(s)"
    else:
        wanted = f"a maximum of {command.most} argument(s)"
    raise UsageFailure(f'wherry-runtime: "{name}" requires {wanted}')


def _seal() -> None:
    """Executes the interpreter's sealed copy with the same command, if this is not it."""
    from wherry.linux.seal import runs_sealed, sealed_copy

    if runs_sealed():
        return
    copy = sealed_copy("wherry-runtime", os.path.realpath(sys.executable))
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    path = ":".join([package, *(entry for entry in sys.path if os.path.isabs(entry))])
    words = [sys.executable, "-I", "-S", "-c", _AGAIN, path, *sys.argv[1:]]
    os.execve(f"/proc/self/fd/{copy}", words, dict(os.environ))


def _overview() -> str:
    commands = [f"   {name:<10} {command.text}" for name, command in sorted(COMMANDS.items())]
    return "\n".join([
        "NAME:", "   wherry-runtime - OCI runtime of Wherry", "",
        "USAGE:", "   wherry-runtime [global options] command [command options] [arguments...]", "",
        "COMMANDS:", *commands, "", "GLOBAL OPTIONS:", *_option_lines(GLOBAL),
    ])  # fmt: skip


def _command_help(name: str, command: Command) -> str:
    return "\n".join([
        "NAME:", f"   wherry-runtime {name} - {command.text}", "",
        "USAGE:", f"   wherry-runtime {name} [command options] {command.usage}".rstrip(), "",
        "OPTIONS:", *_option_lines(command.options),
    ])  # fmt: skip


def _option_lines(options: tuple[Option, ...]) -> list[str]:
    lines = []
    for option in options:
        value = "" if option.kind == "flag" else " value"
        short = f", -{option.short}{value}" if option.short else ""
        lines.append(f"   {f'--{option.name}{value}{short}':<32} {option.text}")
    return lines
