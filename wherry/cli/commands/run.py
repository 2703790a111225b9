"""`wherry run`: create, attach, wait, start, in the order that a foreground container needs."""

from __future__ import annotations

from wherry.cli.creation.create import check_pull_policy, create_container, request_body
from wherry.cli.creation.options import CONTAINER_OPTION_ALIASES, CONTAINER_OPTIONS
from wherry.cli.errors import CliError
from wherry.client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] IMAGE [COMMAND] [ARG...]"
ALIASES = ("container run", "run")
OPTIONS: tuple[Option, ...] = (
    *CONTAINER_OPTIONS,
    ("detach", "d", "bool", "Run container in background and print container ID"),
    ("detach-keys", "", "string", "Override the key sequence for detaching a container"),
    (
        "pull",
        "",
        "string",
        'Pull image before running ("always", "missing", "never") (default "missing")',
        "missing",
    ),
    ("sig-proxy", "", "bool", "Proxy received signals to the process (default true)", True),
)
OPTION_ALIASES = CONTAINER_OPTION_ALIASES
ARGUMENTS = (1, -1)
INTERSPERSED = False


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Runs a container; the exit code is the container's."""
    try:
        check_pull_policy(options.text("pull"))
        body = request_body(session, options, operands)
    except CliError as error:
        from wherry.cli.attachment import with_help

        raise CliError(with_help(error.message, session.path), 125) from error
    if options.flag("detach"):
        _detach(options, body)
    elif body["AttachStdin"] and body["Tty"]:
        from wherry.cli.attachment import check_tty

        check_tty(session, True, True)
    _check_keys(options)
    try:
        container = create_container(session, options, body)
    except ClientError as error:
        from wherry.cli.attachment import run_error

        raise run_error(error, session.path) from error
    if body["AttachStdin"] or body["AttachStdout"] or body["AttachStderr"]:
        return _foreground(session, options, container, body)
    return _background(session, container)


def _check_keys(options: Options) -> None:
    if options.text("detach-keys"):
        from wherry.cli.terminal import check_detach_keys

        check_detach_keys(options.text("detach-keys"))


def _detach(options: Options, body: dict[str, Any]) -> None:
    if options.items("attach"):
        raise CliError("conflicting options: cannot specify both --attach and --detach")
    for name in ("AttachStdin", "AttachStdout", "AttachStderr", "StdinOnce"):
        body[name] = False


def _background(session: Session, container: str) -> int:
    session.line(container)
    try:
        session.client.post(f"/containers/{container}/start")
    except ClientError as error:
        from wherry.cli.attachment import run_error

        raise run_error(error, session.path) from error
    return 0


def _foreground(session: Session, options: Options, container: str, body: dict[str, Any]) -> int:
    from wherry.cli.attachment import Attachment, run_error
    from wherry.cli.streams import Detached

    if options.flag("sig-proxy"):
        from wherry.cli.signals import forward_all

        forward_all(session, container)
    attachment = Attachment(
        session, container, tty=body["Tty"], detach_keys=options.text("detach-keys")
    )
    removed = body["HostConfig"]["AutoRemove"]
    attachment.open(
        body["AttachStdin"],
        body["AttachStdout"],
        body["AttachStderr"],
        "removed" if removed else "next-exit",
    )
    try:
        session.client.post(f"/containers/{container}/start")
    except ClientError as error:
        attachment.abandon()
        if removed:
            attachment.exit_code()
        raise run_error(error, session.path) from error
    attachment.follow_size()
    try:
        attachment.carry()
    except Detached:
        return 0
    return attachment.exit_code()
