"""`wherry system dial-stdio`: the other end of `ssh://`."""

from __future__ import annotations

import os

from wherry.cli.session import write_all
from wherry.client.transport import SHUT_WR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = ""
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = ()
ARGUMENTS = (0, 0)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Carries bytes between the standard streams and the engine until either side ends."""
    from _thread import start_new_thread

    stream = session.endpoint().dial()

    def upload() -> None:
        while data := os.read(0, 65536):
            stream.sendall(data)
        stream.shutdown(SHUT_WR)

    start_new_thread(upload, ())
    while data := stream.recv(65536):
        write_all(1, data)
    return 0
