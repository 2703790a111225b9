"""`wherry attach`."""

from __future__ import annotations

from wherry.cli.attachment import Attachment, check_tty, running_state
from wherry.cli.terminal import check_detach_keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] CONTAINER"
ALIASES: tuple[str, ...] = ("container attach", "attach")
OPTIONS: tuple[Option, ...] = (
    ("detach-keys", "", "string", "Override the key sequence for detaching a container"),
    ("no-stdin", "", "bool", "Do not attach STDIN"),
    ("sig-proxy", "", "bool", "Proxy all received signals to the process (default true)", True),
)
ARGUMENTS = (1, 1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Attaches to a running container; the exit code is the container's."""
    check_detach_keys(options.text("detach-keys") or session.config.text("detachKeys"))
    container = running_state(session, operands[0])
    identity, config = container["Id"], container["Config"]
    tty = bool(config.get("Tty"))
    stdin = not options.flag("no-stdin")
    check_tty(session, stdin, tty)
    if options.flag("sig-proxy") and not tty:
        from wherry.cli.signals import forward_all

        forward_all(session, identity)
    attachment = Attachment(session, identity, tty=tty, detach_keys=options.text("detach-keys"))
    attachment.open(stdin and bool(config.get("OpenStdin")), True, True, "")
    running_state(session, identity)
    attachment.follow_size(redraw=True)
    attachment.carry()
    return attachment.exit_code()
