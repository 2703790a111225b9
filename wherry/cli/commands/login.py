"""`wherry login`."""

from __future__ import annotations

import sys

from wherry.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] [SERVER]"
DESCRIPTION = "Authenticate to a registry.\nDefaults to Docker Hub if no server is specified."
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("password", "p", "string", "Password or Personal Access Token (PAT)"),
    ("password-stdin", "", "bool", "Take the Password or Personal Access Token (PAT) from stdin"),
    ("username", "u", "string", "Username"),
)
ARGUMENTS = (0, 1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Asks the engine whether a registry takes the credentials, and keeps them if it does."""
    from wherry.client import credentials

    user, password = options.text("username"), options.text("password")
    if options.changed("password"):
        if options.flag("password-stdin"):
            raise CliError(
                "conflicting options: cannot specify both --password and --password-stdin"
            )
        session.warn("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
    if options.flag("password-stdin"):
        if not user:
            raise CliError("the --password-stdin option requires --username to be set")
        password = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    given = operands[0] if operands else ""
    server = given if given and given != "docker.io" else credentials.INDEX_SERVER
    known = credentials.find(session.config, server) if not user and not password else {}
    if known.get("username") and known.get("password"):
        session.warn("Authenticating with existing credentials...")
        user, password = known["username"], known["password"]
    elif not user or not password:
        user, password = _ask(session, user, password)
    auth = {"username": user, "password": password, "serveraddress": server}
    answer = session.client.post("/auth", body=auth) or {}
    if answer.get("IdentityToken"):
        auth = {"username": user, "identitytoken": answer["IdentityToken"]}
    if credentials.store(session.config, server, auth):
        session.warn(
            f"\nWARNING! Your credentials are stored unencrypted in '{session.config.path}'.\n"
            "Configure a credential helper to remove this warning. See\n"
            "https://docs.docker.com/go/credential-store/\n"
        )
    session.out(f"{answer.get('Status', '')}\n" if answer.get("Status") else "")
    return 0


def _ask(session: Session, user: str, password: str) -> tuple[str, str]:
    if not session.is_terminal(0):
        raise CliError("Error: Cannot perform an interactive login from a non TTY device")
    from getpass import getpass

    from wherry.cli.prompt import interrupted

    try:
        user = user or input("Username: ").strip()
        if not user:
            raise CliError("Error: Non-null Username Required")
        password = password or getpass("Password: ")
    except KeyboardInterrupt:
        raise interrupted() from None
    if not password:
        raise CliError("Error: Password Required")
    return user, password
