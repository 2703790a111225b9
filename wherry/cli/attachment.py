"""A command's hold on a container that runs in the foreground: attach, wait, resize, exit code."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.cli.streams import StreamPump
from wherry.cli.terminal import parse_detach_keys, terminal_size
from wherry.client.errors import ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wherry.cli.session import Session
    from wherry.client.engine import PendingAnswer
    from wherry.client.http import Connection, Response


class Attachment:
    """The raw connection to a container and the answer that will bring its exit code."""

    def __init__(
        self, session: Session, container: str, *, tty: bool, detach_keys: str = ""
    ) -> None:
        self._session, self._container, self._tty = session, container, tty
        self._detach_keys = detach_keys or session.config.text("detachKeys")
        self._connection: Connection | None = None
        self._waiting: Response | None = None
        self._streams = (False, True, True)

    def open(self, stdin: bool, stdout: bool, stderr: bool, condition: str) -> None:
        """Attaches and begins to wait, both requests at once; both heads are here on return."""
        self._streams = (stdin, stdout, stderr)
        query = {"stream": "1"}
        for name, wanted in (("stdin", stdin), ("stdout", stdout), ("stderr", stderr)):
            if wanted:
                query[name] = "1"
        if self._detach_keys:
            query["detachKeys"] = self._detach_keys
        client = self._session.client
        attaching = client.begin_hijack(f"/containers/{self._container}/attach", query)
        waiting = self._begin_wait(condition)
        self._connection = attaching.head().connection
        self._waiting = waiting.head()

    def wait(self, condition: str) -> None:
        """Begins to wait for the exit code: the engine has understood so on return."""
        self._waiting = self._begin_wait(condition).head()

    def _begin_wait(self, condition: str) -> PendingAnswer:
        query = {"condition": condition} if condition else {}
        return self._session.client.begin("POST", f"/containers/{self._container}/wait", query)

    def carry(self) -> None:
        """Carries the streams to their end; raises Detached."""
        assert self._connection is not None
        stdin, stdout, stderr = self._streams
        keys = parse_detach_keys(self._detach_keys) if self._detach_keys else b""
        StreamPump(
            self._connection,
            tty=self._tty,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            detach_keys=keys,
        ).run()

    def exit_code(self) -> int:
        """Waits for the container's exit code; 125 where the engine could not tell."""
        assert self._waiting is not None
        answer = self._session.client.decoded(self._waiting)
        message = (answer.get("Error") or {}).get("Message")
        if message:
            self._session.warn(f"Error waiting for container: {message}")
            return 125
        return int(answer.get("StatusCode", 0))

    def abandon(self) -> None:
        """Closes the attachment of a container that did not start."""
        if self._connection:
            self._connection.close()

    def follow_size(self, redraw: bool = False) -> None:
        """Gives the container the terminal's size, now and after every change."""
        if self._tty and self._session.is_terminal(1):
            path = f"/containers/{self._container}/resize"
            follow_size(self._session, path, redraw)


def follow_size(session: Session, path: str, redraw: bool = False) -> None:
    """POST `path` with the terminal's size, now and after every change.

    To redraw, another size is told first: a shell shows its prompt again only after a change.
    """
    from wherry.cli.signals import on_resize

    def resize(more: int = 0) -> None:
        height, width = terminal_size()
        if height or width:
            size = {"h": str(height + more), "w": str(width + more)}
            try:
                session.client.open().post(path, size)
            except ClientError:
                pass  # not started yet, or ended: the size is told again at the next change

    on_resize(resize)
    if redraw:
        resize(1)
    resize()


def run_error(error: ClientError, path: str) -> CliError:
    """A failure of run or create with docker's exit code, found in the engine's words."""
    text = error.message
    code = 125
    if any(
        words in text
        for words in (
            "executable file not found",
            "no such file or directory",
            "system cannot find the file specified",
        )
    ):
        code = 127
    elif "permission denied" in text or "is a directory" in text:
        code = 126
    return CliError(with_help(text, path), code)


def with_help(text: str, path: str) -> str:
    """A message followed by the way to the command's help."""
    return f"wherry: {text}\n\nRun 'wherry {path} --help' for more information"


def check_tty(session: Session, stdin: bool, tty: bool) -> None:
    """A terminal cannot be carried where standard input is none."""
    if stdin and tty and not session.is_terminal(0):
        raise CliError("the input device is not a TTY")


def running_state(session: Session, name: str) -> dict[str, Any]:
    """Inspects a container and refuses one that cannot be attached to."""
    from wherry.client.query import escape_path

    container: dict[str, Any] = session.client.get(f"/containers/{escape_path(name)}/json")
    state = container.get("State") or {}
    if not state.get("Running"):
        raise CliError("cannot attach to a stopped container, start it first")
    if state.get("Paused"):
        raise CliError("cannot attach to a paused container, unpause it first")
    if state.get("Restarting"):
        raise CliError("cannot attach to a restarting container, wait until it is running")
    return container
