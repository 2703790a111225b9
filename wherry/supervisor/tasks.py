"""Tasks: functions run in forked children of the zygote, to be killed without harm.

Work on hostile file trees runs so: the child confines itself (chroot, namespaces) before it looks
at anything. A task is `function(parameters, descriptors, report) -> result`, all bytes; `report`
sends progress. Frames on the result's stream: a kind byte, four bytes of length, the payload.
"""

import importlib
import os
import signal
import socket
import struct
from collections.abc import Callable

from wherry.base import errors
from wherry.linux.fd import read_whole

Report = Callable[[bytes], None]
TaskFunction = Callable[[bytes, list[int], Report], bytes]

FRAME = struct.Struct("=cI")
PID, PROGRESS, RESULT, FAILURE = b"i", b"p", b"r", b"f"


def task_main(target: str, descriptors: list[int]) -> None:
    """The forked child's main function: runs `module:function`, reports, never returns."""
    parameters, stream, *rest = descriptors
    connection = socket.socket(fileno=stream)
    status = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        _send(connection, PID, str(os.getpid()).encode())
        module, _, name = target.partition(":")
        function: TaskFunction = getattr(importlib.import_module(module), name)
        content = read_whole(parameters)
        os.close(parameters)
        result = function(content, rest, lambda data: _send(connection, PROGRESS, data))
        _send(connection, RESULT, result)
        status = 0
    except BaseException as error:
        _send(connection, FAILURE, _describe(error))
    finally:
        os._exit(status)


def _send(connection: socket.socket, kind: bytes, payload: bytes) -> None:
    connection.sendall(FRAME.pack(kind, len(payload)) + payload)


def _describe(error: BaseException) -> bytes:
    """The nearest class of base.errors and the message, for the daemon to raise again."""
    for cls in type(error).__mro__:
        if cls.__module__ == errors.__name__:
            return f"{cls.__name__}\0{error}".encode()
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"OSError\0{error.errno}\0{where}{error.strerror or error}".encode()
    return f"InternalError\0{type(error).__name__}: {error}".encode()


def failure(payload: bytes) -> Exception:
    """The exception that a failure frame stands for."""
    name, _, text = payload.decode(errors="replace").partition("\0")
    if name == "OSError":
        number, _, message = text.partition("\0")
        return OSError(int(number) if number.isdecimal() else 5, message)
    cls = getattr(errors, name, errors.InternalError)
    return cls(text) if issubclass(cls, errors.WherryError) else errors.InternalError(text)
