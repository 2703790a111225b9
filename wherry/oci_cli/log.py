"""The log that engines read: runc's formats, a line for each failure."""

import os
import sys
import time


class Log:
    """Where failures are written; with a file they go to stderr, too, as plain text."""

    def __init__(self, path: str, form: str, *, debug: bool) -> None:
        self._path = path
        self._form = form or "text"
        self._debug = debug

    def error(self, message: str) -> None:
        """Reports what ended the command: to the log, and for people on stderr."""
        if self._path and self._path != "/dev/stderr":
            self._write("error", message)
            sys.stderr.write(f"{message}\n")
        else:
            sys.stderr.write(self._line("error", message))

    def warning(self, message: str) -> None:
        """Reports what did not end the command."""
        self._write("warning", message)

    def debug(self, message: str) -> None:
        """Reports a step, if asked to."""
        if self._debug:
            self._write("debug", message)

    def _write(self, level: str, message: str) -> None:
        if not self._path:
            sys.stderr.write(self._line(level, message))
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o644)
        try:
            os.write(descriptor, self._line(level, message).encode(errors="replace"))
        finally:
            os.close(descriptor)

    def _line(self, level: str, message: str) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        quoted = _quote(message)
        if self._form == "json":
            return f'{{"level":"{level}","msg":{quoted},"time":"{moment}"}}\n'
        return f'time="{moment}" level={level} msg={quoted}\n'


def _quote(text: str) -> str:
    """A JSON string, without the module that makes them."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    parts = [escapes.get(char) or (char if char >= " " else f"\\u{ord(char):04x}") for char in text]
    return f'"{"".join(parts)}"'
