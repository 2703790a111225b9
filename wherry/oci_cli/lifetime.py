"""Letting a made container's program run, and ending it: without a word of how one is made.

Each call of the runtime is an interpreter of its own, which should load no more than it needs.
"""

import os
import select
import signal

import msgspec

from wherry.base.errors import WherryError
from wherry.model.runtime_spec import Hook, State
from wherry.oci_cli.container import Container
from wherry.oci_cli.errors import RuntimeFailure
from wherry.oci_cli.log import Log

_GONE_SECONDS = 10.0


def start(container: Container, log: Log) -> None:
    """Lets a created container's program run; returns when it has been executed, or has ended."""
    status = container.status()
    if status != "created":
        what = {
            "running": "cannot start an already running container",
            "paused": "cannot start an already running container",
            "stopped": "cannot start a container that has stopped",
        }
        raise RuntimeFailure(what.get(status, f"cannot start a container in the {status} state"))
    try:
        # Without a reader there is nobody to start: init ended between the two looks.
        fifo = os.open(container.fifo, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise RuntimeFailure("cannot start a container that has stopped") from None
    try:
        container.fifo.unlink()
        os.write(fifo, b"0")
        _await_exec(fifo)
    finally:
        os.close(fifo)
    _run_hooks("poststart", container.known().poststart, container.state(), log)


def _await_exec(fifo: int) -> None:
    """execve(2) closes init's end, and so does its death; hooks may take their time before."""
    poll = select.poll()
    poll.register(fifo, select.POLLERR)
    poll.poll()


def destroy(container: Container, log: Log) -> None:
    """Ends what is left of a container, takes its traces away, runs its poststop hooks."""
    record = container.known()
    group = container.cgroup()
    if container.alive():
        _kill(record.pid)
    group.remove()
    container.remove()
    state = msgspec.structs.replace(container.state(), status="stopped", pid=0)
    _run_hooks("poststop", record.poststop, state, log)


def _run_hooks(kind: str, hooks: tuple[Hook, ...], state: State, log: Log) -> None:
    """Runs hooks whose failure changes nothing any more."""
    if not hooks:
        return
    from wherry.runtime.hooks import run_hooks

    try:
        run_hooks(kind, hooks, state)
    except WherryError as error:
        log.warning(error.message)


def _kill(pid: int) -> None:
    """Kills init and waits until it is gone, be it another's child."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        if not poll.poll(_GONE_SECONDS * 1000):
            raise RuntimeFailure("could not kill the container's first process")
    except ProcessLookupError:
        return
    finally:
        os.close(pidfd)
