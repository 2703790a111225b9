"""`wherry exec`."""

from __future__ import annotations

from wherry.cli import env_files
from wherry.cli.errors import CliError
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] CONTAINER COMMAND [ARG...]"
ALIASES: tuple[str, ...] = ("container exec", "exec")
OPTIONS: tuple[Option, ...] = (
    ("detach", "d", "bool", "Detached mode: run command in the background"),
    ("detach-keys", "", "string", "Override the key sequence for detaching a container"),
    ("env", "e", "env", "Set environment variables"),
    ("env-file", "", "list", "Read in a file of environment variables"),
    ("interactive", "i", "bool", "Keep STDIN open even if not attached"),
    ("privileged", "", "bool", "Give extended privileges to the command"),
    ("tty", "t", "bool", "Allocate a pseudo-TTY"),
    ("user", "u", "string", 'Username or UID (format: "<name|uid>[:<group|gid>]")'),
    ("workdir", "w", "string", "Working directory inside the container"),
)
ARGUMENTS = (2, -1)


INTERSPERSED = False


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Runs a command in a running container; the exit code is the command's."""
    keys = options.text("detach-keys")
    if keys:
        from wherry.cli.terminal import check_detach_keys

        check_detach_keys(keys)
    tty, detach = options.flag("tty"), options.flag("detach")
    stdin = options.flag("interactive") and not detach
    name = escape_path(operands[0])
    body = {
        "User": options.text("user"),
        "Privileged": options.flag("privileged"),
        "Tty": tty,
        "Detach": detach,
        "AttachStdin": stdin,
        "AttachStderr": not detach,
        "AttachStdout": not detach,
        "DetachKeys": keys or session.config.text("detachKeys"),
        "Env": env_files.environment(options.items("env-file"), options.items("env")) or None,
        "WorkingDir": options.text("workdir"),
        "Cmd": operands[1:],
    }
    session.client.get(f"/containers/{name}/json")
    start: dict[str, object] = {"Detach": detach, "Tty": tty}
    if tty:
        from wherry.cli.attachment import check_tty
        from wherry.cli.terminal import terminal_size

        if not detach:
            check_tty(session, stdin, tty)
        body["ConsoleSize"] = start["ConsoleSize"] = list(terminal_size())
    identity = (session.client.post(f"/containers/{name}/exec", body=body) or {}).get("Id")
    if not identity:
        raise CliError("exec ID empty")
    if detach:
        session.client.post(f"/exec/{identity}/start", body=start)
        return 0
    return _interact(session, str(identity), start, str(body["DetachKeys"]), stdin)


def _interact(
    session: Session, identity: str, start: dict[str, object], keys: str, stdin: bool
) -> int:
    from wherry.cli.attachment import follow_size
    from wherry.cli.streams import StreamPump
    from wherry.cli.terminal import parse_detach_keys

    tty = bool(start["Tty"])
    pending = session.client.begin_hijack(f"/exec/{identity}/start", body=start)
    connection = pending.head().connection
    if tty and session.is_terminal(0):
        follow_size(session, f"/exec/{identity}/resize")
    StreamPump(
        connection,
        tty=tty,
        stdin=stdin,
        detach_keys=parse_detach_keys(keys) if keys else b"",
    ).run()
    return int(session.client.get(f"/exec/{identity}/json").get("ExitCode") or 0)
