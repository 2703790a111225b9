"""`wherry start`."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.client.errors import ClientError
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] CONTAINER [CONTAINER...]"
ALIASES: tuple[str, ...] = ("container start", "start")
OPTIONS: tuple[Option, ...] = (
    ("attach", "a", "bool", "Attach STDOUT/STDERR and forward signals"),
    ("checkpoint", "", "string", ""),
    ("checkpoint-dir", "", "string", ""),
    ("detach-keys", "", "string", "Override the key sequence for detaching a container"),
    ("interactive", "i", "bool", "Attach container's STDIN"),
)
ARGUMENTS = (1, -1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Starts containers; with --attach or --interactive one in the foreground."""
    if options.text("detach-keys"):
        from wherry.cli.terminal import check_detach_keys

        check_detach_keys(options.text("detach-keys"))
    if options.flag("attach") or options.flag("interactive"):
        if len(operands) > 1:
            raise CliError("you cannot start and attach multiple containers at once")
        return _start_attached(session, options, operands[0])
    query = {
        name: options.text(name) for name in ("checkpoint", "checkpoint-dir") if options.text(name)
    }
    if query:
        if len(operands) > 1:
            raise CliError("you cannot restore multiple containers at once")
        session.client.post(f"/containers/{escape_path(operands[0])}/start", query)
        return 0
    failed = []
    for name in operands:
        try:
            session.client.post(f"/containers/{escape_path(name)}/start")
        except ClientError as error:
            session.warn(error.message)
            failed.append(name)
        else:
            session.line(name)
    if failed:
        raise CliError(f"Error: failed to start containers: {', '.join(failed)}")
    return 0


def _start_attached(session: Session, options: Options, name: str) -> int:
    from wherry.cli.attachment import Attachment
    from wherry.cli.streams import Detached

    container = session.client.get(f"/containers/{escape_path(name)}/json")
    identity, config = container["Id"], container["Config"]
    tty = bool(config.get("Tty"))
    if not tty:
        from wherry.cli.signals import forward_all

        forward_all(session, identity)
    attachment = Attachment(session, identity, tty=tty, detach_keys=options.text("detach-keys"))
    removed = bool((container.get("HostConfig") or {}).get("AutoRemove"))
    attachment.open(
        options.flag("interactive") and bool(config.get("OpenStdin")),
        True,
        True,
        "removed" if removed else "next-exit",
    )
    try:
        session.client.post(f"/containers/{identity}/start")
    except ClientError:
        attachment.abandon()
        if removed:
            attachment.exit_code()
        raise
    attachment.follow_size()
    try:
        attachment.carry()
    except Detached:
        return 0
    return attachment.exit_code()
