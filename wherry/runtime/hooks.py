"""Hooks of the OCI specification: programs that are told the container's state (config.md)."""

import os
import select
import signal
from collections.abc import Sequence

import msgspec

from wherry.linux.fd import sealed_memfd
from wherry.linux.process import reset_signals
from wherry.model.runtime_spec import Hook, State
from wherry.runtime import operations as op
from wherry.runtime.context import Context, Report, decode_report
from wherry.runtime.errors import StartFailed

_OUTPUT_LIMIT = 4096


def run_host_hooks(step: op.RunHostHooks, context: Context) -> None:
    """Runs hooks of the host's side with init's pid in their state."""
    state = msgspec.structs.replace(step.state, pid=context.init_pid)
    run_hooks(step.kind, step.hooks, state)


def await_host_hooks(step: op.AwaitHostHooks, context: Context) -> None:
    """Lets the host run its hooks; its end of the channel closed means that one failed."""
    context.channel.send(msgspec.json.encode(Report(stage="mounts")))
    data = context.channel.recv(1 << 16)
    if not data:
        raise SystemExit(1)
    report = decode_report(data)
    if report.stage != "hooks":
        raise StartFailed(f"unexpected message from the monitor: {report.stage}")


def run_container_hooks(step: op.RunHooks, context: Context) -> None:
    """Runs hooks of the container's side; the pid is as it is seen there."""
    run_hooks(step.kind, step.hooks, msgspec.structs.replace(step.state, pid=os.getpid()))


def run_hooks(kind: str, hooks: Sequence[Hook], state: State) -> None:
    """Runs hooks in turn with the state on their input; raises StartFailed naming the one."""
    content = msgspec.json.encode(state)
    for index, hook in enumerate(hooks):
        try:
            _run(hook, content)
        except (OSError, StartFailed) as error:
            reason = error.message if isinstance(error, StartFailed) else str(error)
            raise StartFailed(f"error running {kind} hook #{index}: {reason}") from error


def _run(hook: Hook, content: bytes) -> None:
    """Without the standard library's subprocess, which cannot be loaded inside a container."""
    given = sealed_memfd("state", content)
    output = os.memfd_create("output", os.MFD_CLOEXEC)
    try:
        pid = os.fork()
        if pid == 0:
            _execute(hook, given, output)
        status = _wait(pid, hook)
        if status == 0:
            return
        os.lseek(output, 0, os.SEEK_SET)
        text = os.read(output, _OUTPUT_LIMIT).decode(errors="replace").strip()
    finally:
        os.close(given)
        os.close(output)
    if os.WIFSIGNALED(status):
        raise StartFailed(f"signal {os.WTERMSIG(status)}, output: {text}")
    raise StartFailed(f"exit status {os.WEXITSTATUS(status)}, output: {text}")


def _execute(hook: Hook, given: int, output: int) -> None:
    try:
        reset_signals()
        os.dup2(given, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        environment = dict(item.partition("=")[::2] for item in hook.env)
        os.execve(hook.path, list(hook.args) or [hook.path], environment)
    except OSError as error:
        os.write(2, f"fork/exec {hook.path}: {(error.strerror or '').lower()}".encode())
    finally:
        os._exit(127)


def _wait(pid: int, hook: Hook) -> int:
    """The hook's wait status; one that takes longer than it may is killed."""
    pidfd = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        limit = None if hook.timeout is None else hook.timeout * 1000
        if not poll.poll(limit):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise StartFailed(f"hook ran past specified timeout of {float(hook.timeout or 0):.1f}s")
    finally:
        os.close(pidfd)
    return os.waitpid(pid, 0)[1]
