"""Writing what is downloaded: to a file that is there only when it is whole, or to a pipe."""

from __future__ import annotations

import os
import stat

from wherry.cli.errors import CliError
from wherry.cli.transfer import Transfer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wherry.cli.session import Session

_SUBJECTS = {"save": "image", "export": "container"}


def check_output_path(path: str, verb: str, subject: str = "") -> None:
    """Refuses what cannot be a file: a missing directory, a directory, a device."""
    subject = subject or _SUBJECTS[verb]
    directory = os.path.dirname(os.path.normpath(path))
    if directory and not os.path.exists(directory):
        raise CliError(
            f"failed to {verb} {subject}: invalid output path: stat {directory}: "
            "no such file or directory"
        )
    if os.path.isdir(path):
        raise CliError(f"failed to {verb} {subject}: cannot write to a directory")
    if os.path.exists(path) and path != os.devnull:
        mode = os.stat(path).st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise CliError(f'failed to {verb}: got a device: "{path}" must be a regular file')


def save_stream(
    session: Session,
    path: str,
    target: str,
    query: Mapping[str, str | Sequence[str]],
    verb: str,
    subject: str = "",
) -> int:
    """GET `target` into a file, or to standard output where no path is given."""
    if not path:
        if session.is_terminal(1):
            raise CliError("cowardly refusing to save to a terminal. Use the -o flag or redirect")
        for data in session.client.request("GET", target, query).chunks():
            session.write_bytes(1, data)
        return 0
    check_output_path(path, verb, subject)
    response = session.client.request("GET", target, query)
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as output, Transfer(f"Writing {path}") as transfer:
            for data in transfer.through(response.chunks()):
                output.write(data)
        return 0
    scratch = os.path.join(os.path.dirname(path), f".tmp-{os.path.basename(path)}{os.getpid()}")
    try:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as output, Transfer(f"Writing {path}") as transfer:
            for data in transfer.through(response.chunks()):
                output.write(data)
        os.replace(scratch, path)
    except (OSError, EOFError) as error:
        if os.path.exists(scratch):
            os.unlink(scratch)
        raise CliError(f"failed to {verb}: {error}") from error
    return 0
