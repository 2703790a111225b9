"""The progress of pull, push, load and import: JSON messages as lines, or as a live table."""

from __future__ import annotations

import sys
import time

from wherry.cli.errors import CliError
from wherry.cli.units import human_size
from wherry.client.json_text import JsonStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TextIO

    from wherry.client.http import Response


class StreamedError(CliError):
    """An error that came in the middle of a stream of messages."""


def bar(detail: dict[str, Any], width: int) -> str:
    """`[==>   ]  1.2MB/5MB` for a message's progressDetail."""
    current, total = detail.get("current") or 0, detail.get("total") or 0
    if current <= 0 and total <= 0:
        return ""
    units = detail.get("units")
    if total <= 0:
        return f"{current} {units}" if units else f"{human_size(current):>8}"
    percent = min(int(current / total * 100) // 2, 50)
    box = ""
    if width > 110:
        box = f"[{'=' * percent}>{' ' * (50 - percent)}] "
    if detail.get("hidecounts"):
        return box
    if units:
        return f"{box}{current}/{total} {units}" if current <= total else f"{box}{current} {units}"
    shown = f"{human_size(current):>8}"
    if current <= total:
        shown += f"/{human_size(total)}"
    return box + shown + _remaining(detail, current, total, width)


def _remaining(detail: dict[str, Any], current: int, total: int, width: int) -> str:
    start = detail.get("start") or 0
    if width <= 50 or not current or not start:
        return ""
    left = (time.time() - start) / current * (total - current)
    return f" {int(left)}s" if left > 0 else ""


class ProgressDisplay:
    """Shows messages as they come."""

    def __init__(
        self,
        output: TextIO,
        terminal: bool,
        on_aux: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self._output, self._terminal, self._on_aux = output, terminal, on_aux
        self._lines: dict[str, int] = {}
        self._width = 80
        if terminal:
            from wherry.cli.terminal import terminal_size

            self._width = terminal_size(output.fileno())[1] or 200

    def show(self, message: dict[str, Any]) -> None:
        """One message; raises StreamedError where it is an error."""
        detail = message.get("errorDetail")
        if detail or message.get("error"):
            text = (detail or {}).get("message") or message.get("error")
            if (detail or {}).get("code") == 401:
                text = "authentication is required"
            raise StreamedError(str(text))
        if message.get("aux") is not None:
            if self._on_aux:
                self._on_aux(message["aux"])
            return
        identity = message.get("id") or ""
        progress = message.get("progressDetail") or {}
        moving = bool(progress) or bool(message.get("progress"))
        if self._terminal and identity and moving:
            self._show_moving(message, identity, progress)
        elif self._terminal and identity:
            self._show_moving(message, identity, {})
        else:
            self._lines.clear()
            self._plain(message, identity, moving)
        self._output.flush()

    def _plain(self, message: dict[str, Any], identity: str, moving: bool) -> None:
        if moving and not message.get("stream"):
            return
        if message.get("stream") is not None:
            self._output.write(str(message["stream"]))
            return
        head = f"{identity}: " if identity else ""
        origin = f"(from {message['from']}) " if message.get("from") else ""
        self._output.write(f"{head}{origin}{message.get('status', '')}\n")

    def _show_moving(
        self, message: dict[str, Any], identity: str, progress: dict[str, Any]
    ) -> None:
        if identity not in self._lines:
            self._lines[identity] = len(self._lines)
            self._output.write("\n")
        up = len(self._lines) - self._lines[identity]
        text = f"{identity}: {message.get('status', '')}"
        if shown := bar(progress, self._width):
            text += f" {shown}"
        self._output.write(f"\x1b[{up}A\x1b[2K\r{text}\r\x1b[{up}B")


def show_progress(
    response: Response,
    output: TextIO | None = None,
    on_aux: Callable[[dict[str, Any]], None] | None = None,
) -> None:
    """Shows a whole stream of messages on an output (standard output, unless told otherwise)."""
    output = output or sys.stdout
    display = ProgressDisplay(output, output.isatty(), on_aux)
    stream = JsonStream()
    for data in response.chunks():
        for message in stream.feed(data):
            display.show(message)


def drain(response: Response, on_aux: Callable[[dict[str, Any]], None] | None = None) -> None:
    """Reads a stream to its end without showing it; raises StreamedError."""
    stream = JsonStream()
    for data in response.chunks():
        for message in stream.feed(data):
            if message.get("error") or message.get("errorDetail"):
                text = (message.get("errorDetail") or {}).get("message") or message.get("error")
                raise StreamedError(str(text))
            if on_aux and message.get("aux") is not None:
                on_aux(message["aux"])
