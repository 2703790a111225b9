"""Commands and options of `wherry-runtime`: one literal table, read by parsing and by help."""

from typing import NamedTuple

from wherry.oci_cli.options import Option


class Command(NamedTuple):
    """A command: its module, how many words it takes (`most` -1: any number), its options.

    `enters` says that it forks into a container, so that the interpreter must be a sealed copy.
    """

    module: str
    usage: str
    text: str
    least: int
    most: int
    options: tuple[Option, ...] = ()
    enters: bool = False


GLOBAL = (
    Option("debug", "flag", "enable debug logging"),
    Option("log", "text", "set the log file to write logs to (default is '/dev/stderr')"),
    Option("log-format", "text", "set the log format ('text' (default), or 'json')"),
    Option("root", "text", 'root directory for storage of container state, a tmpfs for choice '
           '(default: "/run/wherry-runtime")'),
    Option("systemd-cgroup", "flag", "refused: control groups are made in the file system"),
    Option("rootless", "text", "'true', 'false' or 'auto' (default); root is needed in any case"),
    Option("help", "flag", "show help", "h"),
    Option("version", "flag", "print the version", "v"),
)  # fmt: skip

_BUNDLE = Option("bundle", "text", "path to the root of the bundle directory, defaults to the "
                 "current directory", "b")  # fmt: skip
_CONSOLE = Option(
    "console-socket",
    "text",
    "path to an AF_UNIX socket which will receive a file "
    "descriptor referencing the master of the console's pseudoterminal",
)
_PID_FILE = Option("pid-file", "text", "specify the file to write the process id to")
_PRESERVE = Option("preserve-fds", "number", "pass N additional file descriptors to the container "
                   "(stdio + $LISTEN_FDS + N in total)")  # fmt: skip
_DETACH = Option("detach", "flag", "detach from the container's process", "d")

_CREATE = (
    _BUNDLE, _CONSOLE, _PID_FILE,
    Option("no-pivot", "flag", "do not use pivot_root, for a rootfs on top of a ramdisk"),
    Option("no-new-keyring", "flag", "do not create a new session keyring for the container"),
    _PRESERVE,
)  # fmt: skip

_EXEC = (
    _CONSOLE,
    Option("cwd", "text", "current working directory in the container"),
    Option("env", "list", "set environment variables", "e"),
    Option("tty", "flag", "allocate a pseudo-TTY", "t"),
    Option("user", "text", "UID (format: <uid>[:<gid>])", "u"),
    Option("additional-gids", "list", "additional gids", "g"),
    Option("process", "text", "path to the process.json", "p"),
    _DETACH, _PID_FILE,
    Option("process-label", "text", "set the asm process label for the process"),
    Option("apparmor", "text", "set the apparmor profile for the process"),
    Option("no-new-privs", "flag", "set the no new privileges value for the process"),
    Option("cap", "list", "add a capability to the bounding set for the process", "c"),
    _PRESERVE,
    Option("ignore-paused", "flag", "allow exec in a paused container"),
)  # fmt: skip

_FORMAT = Option("format", "text", "select one of: table or json (default: table)", "f")

COMMANDS: dict[str, Command] = {
    "create": Command("create", "<container-id>", "create a container", 1, 1, _CREATE, True),
    "delete": Command(
        "delete", "<container-id>", "delete any resources held by a container", 1, 1,
        (Option("force", "flag", "delete the container even if it still runs", "f"),),
    ),
    "exec": Command(
        "exec_process", "<container-id> <command> [args...]", "execute a process in a container",
        1, -1, _EXEC, True,
    ),
    "features": Command("features", "", "show the enabled features", 0, 0),
    "kill": Command(
        "kill", "<container-id> [signal]", "send a signal (default: SIGTERM) to a container", 1, 2,
        (Option("all", "flag", "send the signal to all processes of the container", "a"),),
    ),
    "list": Command(
        "list_containers", "", "list the containers of the given root", 0, 0,
        (_FORMAT, Option("quiet", "flag", "display only container IDs", "q")),
    ),
    "pause": Command("pause", "<container-id>", "suspend all processes of a container", 1, 1),
    "ps": Command("ps", "<container-id> [ps options]", "display the processes of a container",
                  1, -1, (_FORMAT,)),
    "resume": Command("resume", "<container-id>", "resume the processes of a container", 1, 1),
    "run": Command(
        "run", "<container-id>", "create and run a container", 1, 1,
        (*_CREATE, _DETACH, Option("keep", "flag", "do not delete the container after it exits")),
        True,
    ),
    "spec": Command("spec", "", "create a new specification file", 0, 0, (_BUNDLE,)),
    "start": Command("start", "<container-id>", "execute the process of a created container", 1, 1),
    "state": Command("state", "<container-id>", "output the state of a container", 1, 1),
    "update": Command(
        "update", "<container-id>", "update resource limits of a container", 1, 1,
        (Option("resources", "text", "path to a file with the resources, '-' for stdin", "r"),),
    ),
}  # fmt: skip
"""Every command by its name."""
