"""The starter: a child of a monitor that does the work of the start and ends with it.

A forked process pays for every page that it touches, for as long as it lives. So the monitor, which
lives as long as its container, leaves the touching to a child: that reads the plan, does the host's
operations, forks init and hands it over to the monitor just before the program is executed. The
plan, which may hold secrets, is gone with it.
"""

import os
import socket
from typing import NamedTuple, NoReturn

import msgspec

from wherry.base.errors import WherryError, failure_of_system_call
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.linux.fd import read_whole, receive_message, sealed_memfd
from wherry.linux.process import die_with, set_name
from wherry.runtime.errors import BY_NAME, StartFailed
from wherry.runtime.launch import Streams, await_program, launch
from wherry.runtime.operations import ProcessPlan
from wherry.supervisor import messages as msg


class Started(NamedTuple):
    """A container whose program runs: init's pid, the terminal's master or -1, a memory file with
    what its process is (for exec), and the sockets of the embedded DNS server."""

    pid: int
    console: int
    process: int
    resolver: tuple[int, ...]


class _Order(msgspec.Struct, frozen=True):
    """To the starter; the descriptors are the request and, if `streams`, three for the program."""

    streams: bool


class _HandedOver(msgspec.Struct, frozen=True, omit_defaults=True):
    """To the monitor; the descriptors are init's channel, the process's memory file, the terminal's
    master if `console`, then the resolver's. Or the failure, by the name of its class."""

    pid: int = 0
    console: bool = False
    error: str = ""
    message: str = ""


_decode_order = msgspec.json.Decoder(_Order).decode
_decode_answer = msgspec.json.Decoder(_HandedOver).decode
_decode_process = msgspec.msgpack.Decoder(ProcessPlan).decode


class Starter:
    """The monitor's side. The monitor must be a subreaper (prctl(2))."""

    def __init__(self, layout: CgroupLayout, *foreign: socket.socket) -> None:
        """Forks it; `foreign` are sockets of the monitor of which it must hold no copy."""
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            self._connection.close()
            for connection in foreign:
                connection.close()
            _main(theirs, layout, parent)
        theirs.close()

    def start(self, request: int, streams: Streams) -> Started:
        """Starts a container; returns when its program runs. The descriptors stay the caller's.

        Raises StartFailed and its kin.
        """
        own = [item for item in streams if item >= 0]
        order = msgspec.json.encode(_Order(streams=bool(own)))
        try:
            socket.send_fds(self._connection, [order], [request, *own])
            data, descriptors = receive_message(self._connection)
        except OSError as error:
            raise StartFailed(f"the starter has died: {error}") from error
        finally:
            self._connection.close()
            os.waitpid(self._pid, 0)
        if not data:
            raise StartFailed("the starter died while it started the container")
        answer = _decode_answer(data)
        if answer.error:
            raise BY_NAME[answer.error](answer.message)
        channel, process, *rest = descriptors
        console = rest.pop(0) if answer.console else -1
        with socket.socket(fileno=channel) as talk:
            try:
                await_program(answer.pid, talk)
            except BaseException:
                for descriptor in (process, *rest, *((console,) if answer.console else ())):
                    os.close(descriptor)
                raise
        return Started(answer.pid, console, process, tuple(rest))


def read_process(descriptor: int) -> ProcessPlan:
    """What the memory file of a Started says."""
    return _decode_process(read_whole(descriptor))


def _main(connection: socket.socket, layout: CgroupLayout, parent: int) -> NoReturn:
    try:
        set_name("wherry-starter")
        die_with(parent)
        data, descriptors = receive_message(connection)
        if data:
            _work(connection, _decode_order(data), descriptors, layout)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(0)


def _work(
    connection: socket.socket, order: _Order, descriptors: list[int], layout: CgroupLayout
) -> None:
    source, *own = descriptors
    streams = Streams(*own) if order.streams else Streams(-1, -1, -1)
    try:
        plan = msg.decode_start_request(read_whole(source)).plan
        launched = launch(plan, layout, streams, hand_over=True)
        process = sealed_memfd("process", msgspec.msgpack.encode(plan.process))
    except (WherryError, OSError) as error:
        name = type(error).__name__ if type(error).__name__ in BY_NAME else "StartFailed"
        if isinstance(error, WherryError):
            text = error.message
        else:
            text = failure_of_system_call(error)
        connection.send(msgspec.json.encode(_HandedOver(error=name, message=text)))
        return
    assert launched.channel is not None
    console = [launched.console] if launched.console >= 0 else []
    socket.send_fds(
        connection, [msgspec.json.encode(_HandedOver(launched.pid, bool(console)))],
        [launched.channel.fileno(), process, *console, *launched.resolver],
    )  # fmt: skip
