"""From a plan to a running program: namespaces, forks, and the talk between monitor and init.

The caller is a single-threaded process (a monitor, or `wherry-runtime`). It does the host's
operations and forks init, which does its own; both speak over a socket pair that exec closes.
"""

import os
import select
import signal
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from wherry.base.errors import failure_of_system_call
from wherry.linux import namespace as ns
from wherry.linux.cgroup.group import Cgroup
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.linux.fd import receive_message
from wherry.linux.process import set_dumpable, set_oom_score, set_parent_death_signal
from wherry.linux.terminal import take_terminal
from wherry.runtime import devices, hooks, identity, links, mounts, process, resolver, secrets
from wherry.runtime import operations as op
from wherry.runtime.context import Context, Report, decode_report
from wherry.runtime.errors import BY_NAME, StartFailed
from wherry.runtime.trees import id_ranges

_JOIN_ORDER = ("ipc", "uts", "network", "cgroup", "time", "mount")

EXECUTE: dict[type[op.Operation], Callable[[Any, Context], None]] = {
    op.PrepareTree: mounts.prepare_tree,
    op.MakeLink: links.make_link,
    op.SetPropagation: mounts.set_propagation,
    op.AttachRoot: mounts.attach_root,
    op.AttachTree: mounts.attach_tree,
    op.MountFilesystem: mounts.mount_filesystem,
    op.PlaceSecrets: secrets.place_secrets,
    op.RemountReadonly: mounts.remount_readonly,
    op.PivotRoot: mounts.pivot,
    op.MaskPath: mounts.mask,
    op.ReadonlyPath: mounts.readonly,
    op.MakeDevice: devices.make_device,
    op.MakeSymlink: devices.make_symlink,
    op.OpenConsole: devices.open_console,
    op.SetHostname: identity.set_hostname,
    op.SetDomainname: identity.set_domainname,
    op.WriteSysctl: identity.write_sysctl,
    op.CreateCgroup: identity.create_cgroup,
    op.RaiseLoopback: links.raise_loopback,
    op.AwaitLinks: links.await_links,
    op.ConfigureLink: links.configure_link,
    op.OpenResolver: resolver.open_resolver,
    op.RunHostHooks: hooks.run_host_hooks,
    op.AwaitHostHooks: hooks.await_host_hooks,
    op.RunHooks: hooks.run_container_hooks,
}
"""What does each operation."""


class Streams(NamedTuple):
    """Descriptors for the program's standard streams; unused with a terminal."""

    stdin: int
    stdout: int
    stderr: int


class Launched(NamedTuple):
    """A container's first process, its program running: pid on the host, terminal's master.

    `resolver` are the embedded DNS server's sockets, if the plan opens them. `channel` is init's,
    of one that was handed over: see `await_program`.
    """

    pid: int
    console: int
    resolver: tuple[int, ...] = ()
    channel: socket.socket | None = None


_FAILED = b"!"
"""Begins what the stage of a user namespace says when it gives up."""

_LATER = (op.MakeLink, op.RunHostHooks)
"""Operations of the host that need init's namespaces, done when init says that they exist."""


def launch(
    plan: op.Plan, layout: CgroupLayout, streams: Streams, *,
    before_init: Callable[[int], None] | None = None, wait_start: int = -1,
    hand_over: bool = False,
) -> Launched:  # fmt: skip
    """Starts a container; returns when its program has been executed.

    `before_init` is called with init's pid as soon as it exists. With `wait_start`, a descriptor,
    init reads one byte from it before it executes the program, and launch returns without waiting
    for that (OCI create). With `hand_over` launch returns when all is set up, and the caller has
    to end: init waits for that, becomes a child of the nearest subreaper (prctl(2)), which gets
    the rest of the talk by `channel`, and dies with that. Raises StartFailed and its kin; nothing
    but the control group is left then.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    context = Context(plan, layout, ours)
    pid = 0
    try:
        for step in plan.operations:
            if step.actor == "host" and not isinstance(step, _LATER):
                _perform(step, context)
        pid = _fork_init(plan, layout, streams, context, ours, theirs, wait_start, hand_over)
        theirs.close()
        context.init_pid = pid
        if before_init:
            before_init(pid)
        console = _converse(context, hand_over or wait_start >= 0)
    except BaseException:
        ours.close()
        if pid:
            _end(pid)
        for descriptor in context.take_resolver():
            os.close(descriptor)
        raise
    finally:
        theirs.close()
        context.end_placeholder()
        context.close_trees()
    if not hand_over:
        ours.close()
    return Launched(pid, console, context.take_resolver(), ours if hand_over else None)


def await_program(pid: int, channel: socket.socket) -> None:
    """Returns when the program of an init that was handed over runs.

    To be called by its new parent; raises StartFailed and its kin, after init's end.
    """
    data, _ = receive_message(channel)
    if data:
        _end(pid)
        report = decode_report(data)
        raise BY_NAME[report.error](report.message)


def _perform(step: op.Operation, context: Context) -> None:
    try:
        EXECUTE[type(step)](step, context)
    except OSError as error:
        what = failure_of_system_call(error)
        raise StartFailed(f"{type(step).__name__}: {what}") from error


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        return


def _converse(context: Context, stops_before_exec: bool) -> int:
    """Answers init until its program runs; returns the terminal's master or -1."""
    console = -1
    try:
        while True:
            data, descriptors = receive_message(context.channel)
            if not data:
                return console
            report = decode_report(data)
            if report.error:
                raise BY_NAME[report.error](report.message)
            if report.stage == "console":
                console = descriptors[0]
            elif report.stage == "resolver":
                context.resolver = tuple(descriptors)
            elif report.stage == "namespaces":
                _make_links(context)
            elif report.stage == "mounts":
                _run_host_hooks(context)
            elif report.stage == "ready" and stops_before_exec:
                return console
    except BaseException:
        if console >= 0:
            os.close(console)
        raise


def _make_links(context: Context) -> None:
    steps = [step for step in context.plan.operations if isinstance(step, op.MakeLink)]
    for step in steps:
        _perform(step, context)
    if steps:
        context.channel.send(msgspec.json.encode(Report(stage="links")))


def _run_host_hooks(context: Context) -> None:
    for step in context.plan.operations:
        if isinstance(step, op.RunHostHooks):
            _perform(step, context)
    context.channel.send(msgspec.json.encode(Report(stage="hooks")))


def _fork_init(
    plan: op.Plan, layout: CgroupLayout, streams: Streams, context: Context,
    ours: socket.socket, theirs: socket.socket, wait_start: int, hand_over: bool,
) -> int:  # fmt: skip
    """Forks init; with a user namespace through a child in between, for the order of owners.

    The pid namespace must be made inside the user namespace: it owns what init may mount.
    """
    run = _Init(plan, layout, streams, context, theirs, wait_start, hand_over)
    if run.mapped:
        return _fork_in_user_namespace(plan, run, ours)
    own = ns.namespace_fd("self", "pid")
    try:
        flags = ns.CLONE_NEWPID if "pid" in plan.new_namespaces else 0
        if "time" in plan.new_namespaces:
            flags |= ns.CLONE_NEWTIME
        if flags:
            ns.unshare(flags)
        for item in plan.join_namespaces:
            if item.kind == "pid":
                _join(item)
        pid = os.fork()
        if pid == 0:
            ours.close()
            run.main()
        # Later children (exec) choose their namespaces themselves.
        ns.setns(own, ns.CLONE_NEWPID)
        return pid
    finally:
        os.close(own)


def _fork_in_user_namespace(plan: op.Plan, run: "_Init", ours: socket.socket) -> int:
    """A stage makes the user namespace, is given its ids, or joins one, and forks init inside it.

    The caller, or who it hands over to, must be a subreaper (prctl(2)): init becomes its child when
    the stage ends.
    """
    parent, child = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stage = os.fork()
    if stage == 0:
        ours.close()
        parent.close()
        run.stage(child)
    child.close()
    try:
        _expect(parent)
        if "user" in plan.new_namespaces:
            ns.write_id_maps(stage, id_ranges(plan.uid_mappings), id_ranges(plan.gid_mappings))
        parent.send(b"maps")
        return int(_expect(parent))
    finally:
        parent.close()
        os.waitpid(stage, 0)


def _expect(stage: socket.socket) -> bytes:
    """The stage's next word; raises StartFailed with what it says of its failure."""
    answer = stage.recv(4096)
    if not answer or answer.startswith(_FAILED):
        reason = answer.removeprefix(_FAILED).decode(errors="replace") or "its process was killed"
        raise StartFailed(f"cannot make or join a user namespace: {reason}")
    return answer


def _join(item: op.JoinNamespace) -> None:
    try:
        descriptor = os.open(item.path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise StartFailed(
            f"cannot join the {item.kind} namespace {item.path}: {error.strerror}"
        ) from error
    try:
        ns.setns(descriptor, ns.KINDS[item.kind][0])
    finally:
        os.close(descriptor)


class _Init:
    """The child's side: everything from the fork to the program."""

    def __init__(
        self, plan: op.Plan, layout: CgroupLayout, streams: Streams, context: Context,
        channel: socket.socket, wait_start: int, hand_over: bool,
    ) -> None:  # fmt: skip
        self._plan = plan
        self._layout = layout
        self._streams = streams
        self._context = context
        self._channel = channel
        self._wait_start = wait_start
        self._hand_over = hand_over
        self._alone = False
        self._ending = [os.pidfd_open(os.getpid())] if hand_over else []
        """Parents that end before the program runs."""
        joined = [item for item in plan.join_namespaces if item.kind == "user"]
        self._joined_user = joined[0] if joined else None
        self.mapped = bool(joined) or "user" in plan.new_namespaces

    def stage(self, parent: socket.socket) -> None:
        """The process between monitor and init; never returns."""
        status = 1
        try:
            if self._plan.cgroup_path:
                Cgroup(self._layout, self._plan.cgroup_path).join(0)
            # What takes the host's capabilities is done before they go.
            process.raise_limits(self._plan.process.rlimits)
            if self._plan.process.oom_score_adj is not None:
                set_oom_score(self._plan.process.oom_score_adj)
            if self._joined_user:
                _join(self._joined_user)
            else:
                ns.unshare(ns.CLONE_NEWUSER)
            parent.send(b"user")
            if parent.recv(16) == b"maps":
                os.setgroups(())
                os.setresgid(0, 0, 0)
                os.setresuid(0, 0, 0)
                ns.unshare(ns.CLONE_NEWPID if "pid" in self._plan.new_namespaces else 0)
                for item in self._plan.join_namespaces:
                    if item.kind == "pid":
                        _join(item)
                self._ending.append(os.pidfd_open(os.getpid()))
                pid = os.fork()
                if pid == 0:
                    parent.close()
                    self.main(in_cgroup=True)
                parent.send(str(pid).encode())
                status = 0
        except Exception as error:
            parent.send(_FAILED + str(error).encode(errors="replace")[:4000])
        finally:
            os._exit(status)

    def main(self, *, in_cgroup: bool = False) -> None:
        """Does init's operations and executes the program; never returns."""
        try:
            self._run(in_cgroup)
        except tuple(BY_NAME.values()) as error:
            self._tell(Report(error=type(error).__name__, message=error.message))
        except OSError as error:
            self._tell(Report(error="StartFailed", message=failure_of_system_call(error)))
        except Exception as error:
            self._tell(Report(error="StartFailed", message=f"{type(error).__name__}: {error}"))
        finally:
            os._exit(1)

    def _tell(self, report: Report) -> None:
        if self._alone:
            os.write(2, f"{report.message}\n".encode(errors="replace"))
            return
        self._channel.send(msgspec.json.encode(report))

    def _run(self, in_cgroup: bool) -> None:
        plan = self._plan
        self._context.channel = self._channel
        set_dumpable(False)
        if plan.cgroup_path and not in_cgroup:
            Cgroup(self._layout, plan.cgroup_path).join(0)
        joins = {item.kind: item for item in plan.join_namespaces}
        for kind in _JOIN_ORDER:
            if kind in joins:
                _join(joins[kind])
        flags = 0
        for kind in plan.new_namespaces:
            if kind not in ("pid", "user", "time"):
                flags |= ns.KINDS[kind][0]
        ns.unshare(flags)
        self._tell(Report(stage="namespaces"))
        for step in plan.operations:
            if step.actor == "init":
                _perform(step, self._context)
        self._take_streams()
        if self._hand_over:
            self._tell(Report(stage="ready"))
        self._await_last_parent()
        keep = self._channel.fileno()
        path, environment = process.become(plan.process, keep, make_directory=True)
        if self._hand_over:
            set_parent_death_signal(signal.SIGKILL)
        if self._wait_start >= 0:
            self._tell(Report(stage="ready"))
            self._await_start()
        process.execute(path, plan.process.args, environment)

    def _await_last_parent(self) -> None:
        """The monitor is the parent only when those in between are gone."""
        for descriptor in self._ending:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            poll.poll()
            os.close(descriptor)

    def _await_start(self) -> None:
        """Waits for the start; from here on a failure has only the container's own output."""
        self._alone = True
        os.read(self._wait_start, 1)
        if self._plan.start_hooks:
            hooks.run_container_hooks(self._plan.start_hooks, self._context)

    def _take_streams(self) -> None:
        if self._context.console >= 0:
            take_terminal(self._context.console)
            return
        os.setsid()
        for target, source in enumerate(self._streams):
            os.dup2(source, target)
