"""Talking to systemd: its manager's calls on its own socket (org.freedesktop.systemd1(5)).

Root reaches systemd at /run/systemd/private without a message bus in between, as systemctl(1) does:
nothing else has to run, and a bus that restarts is nothing to us. jeepney makes and reads the
messages; sending and waiting is done here.
"""

import os
import socket
import time
from collections.abc import Sequence
from typing import Any

import jeepney
from jeepney import auth

PRIVATE_SOCKET = "/run/systemd/private"
CALL_SECONDS = 25.0

Property = tuple[str, str, Any]
"""A unit's property: its name, its D-Bus signature, its value."""

_MANAGER = jeepney.DBusAddress(
    "/org/freedesktop/systemd1", "org.freedesktop.systemd1", "org.freedesktop.systemd1.Manager"
)


class SystemdError(OSError):
    """systemd refused a call or a job failed; `name` is the D-Bus error's or the job's result."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name

    def __str__(self) -> str:
        return str(self.args[0])


def systemd_runs() -> bool:
    """Whether systemd is this machine's service manager and can be asked (sd_booted(3))."""
    return os.path.isdir("/run/systemd/system") and os.path.exists(PRIVATE_SOCKET)


class Systemd:
    """A connection to the manager; to be used as a context. Every call has a bound."""

    def __init__(self, path: str = PRIVATE_SOCKET) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._parser = jeepney.Parser()
        self._serial = 0
        self._jobs: dict[str, str] = {}
        self._deadline = time.monotonic() + CALL_SECONDS
        try:
            self._connect(path)
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> "Systemd":
        return self

    def __exit__(self, *exception: object) -> None:
        self._socket.close()

    def start_transient(self, name: str, properties: Sequence[Property]) -> None:
        """Makes a transient unit and waits until it is up; raises SystemdError."""
        values = [(key, (signature, value)) for key, signature, value in properties]
        self._job("StartTransientUnit", "ssa(sv)a(sa(sv))", (name, "fail", values, []))

    def stop(self, name: str) -> None:
        """Stops a unit and waits until it is down; raises SystemdError."""
        self._job("StopUnit", "ss", (name, "replace"))

    def reset_failed(self, name: str) -> None:
        """Lets a failed unit be forgotten; raises SystemdError."""
        self._call("ResetFailedUnit", "s", (name,))

    def set_properties(self, name: str, properties: Sequence[Property]) -> None:
        """Changes a unit until it ends; raises SystemdError."""
        values = [(key, (signature, value)) for key, signature, value in properties]
        self._call("SetUnitProperties", "sba(sv)", (name, True, values))

    def _connect(self, path: str) -> None:
        self._socket.settimeout(CALL_SECONDS)
        try:
            self._socket.connect(path)
            talk = auth.Authenticator()
            for request in talk:
                if request:
                    self._socket.sendall(request)
                else:
                    talk.feed(self._receive())
            self._socket.sendall(auth.BEGIN)
        except auth.AuthenticationError as error:
            raise SystemdError("AuthenticationFailed", f"{path}: {error}") from error
        except OSError as error:
            raise SystemdError("NoConnection", f"cannot reach systemd at {path}: {error}") from None

    def _receive(self) -> bytes:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("systemd does not answer in time")
        self._socket.settimeout(left)
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionResetError("systemd closed the connection")
        return data

    def _job(self, method: str, signature: str, body: tuple[Any, ...]) -> None:
        path = self._call(method, signature, body)[0]
        while path not in self._jobs:
            self._note(self._next(method))
        result = self._jobs.pop(path)
        if result != "done":
            raise SystemdError(result, f"systemd: {method} of {body[0]}: {result}")

    def _call(self, method: str, signature: str, body: tuple[Any, ...]) -> tuple[Any, ...]:
        """Sends a call and returns its answer's values; jobs that end meanwhile are noted."""
        self._deadline = time.monotonic() + CALL_SECONDS
        self._serial += 1
        message = jeepney.new_method_call(_MANAGER, method, signature, body)
        try:
            self._socket.sendall(message.serialise(serial=self._serial))
        except OSError as error:
            raise SystemdError("NoConnection", f"systemd: {method}: {error}") from error
        while True:
            answer = self._next(method)
            fields = answer.header.fields
            if fields.get(jeepney.HeaderFields.reply_serial) != self._serial:
                self._note(answer)
                continue
            if answer.header.message_type is jeepney.MessageType.error:
                name = fields.get(jeepney.HeaderFields.error_name, "")
                text = answer.body[0] if answer.body else name
                raise SystemdError(name, f"systemd: {method} of {body[0]}: {text}")
            values: tuple[Any, ...] = answer.body
            return values

    def _next(self, method: str) -> jeepney.Message:
        while True:
            message = self._parser.get_next_message()
            if message is not None:
                return message
            try:
                self._parser.add_data(self._receive())
            except OSError as error:
                raise SystemdError("NoAnswer", f"systemd: {method}: {error}") from error

    def _note(self, message: jeepney.Message) -> None:
        """A job's end is told to every direct connection: number, path, unit, result."""
        if message.header.fields.get(jeepney.HeaderFields.member) == "JobRemoved":
            self._jobs[message.body[1]] = message.body[3]
