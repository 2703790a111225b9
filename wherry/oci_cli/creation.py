"""Making a container: what `create` and `run` share."""

import os
import signal
import time

import msgspec

from wherry.base.clock import rfc3339_nano
from wherry.base.errors import WherryError
from wherry.linux.cgroup.group import Cgroup
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.linux.process import process_start_time, set_child_subreaper
from wherry.oci_cli.bundle import Bundle, cgroup_path, plan_bundle
from wherry.oci_cli.console import send_master
from wherry.oci_cli.container import Container, check_name, record_of
from wherry.oci_cli.errors import RuntimeFailure
from wherry.oci_cli.options import Values
from wherry.runtime.launch import Launched, Streams, launch

_GONE_SECONDS = 10.0


def preserved(values: Values) -> int:
    """How many descriptors after the standard streams the program inherits."""
    return values.number("preserve-fds") + int(os.environ.get("LISTEN_FDS") or 0)


def create(
    root: str, identifier: str, bundle: Bundle, values: Values, command: str
) -> tuple[Container, Launched]:
    """Makes a container up to the wait for its start; nothing is left if that fails.

    The terminal's master, if there is one, is the caller's, or has gone to the console socket.
    """
    check_name(identifier)
    _check_console(bundle, values)
    container = Container(root, identifier)
    os.makedirs(root, mode=0o711, exist_ok=True)
    try:
        container.directory.mkdir(mode=0o711)
    except FileExistsError:
        raise RuntimeFailure("container with given ID already exists") from None
    layout = CgroupLayout.detect()
    try:
        return container, _create(container, bundle, values, layout)
    except (WherryError, OSError, RuntimeFailure) as error:
        Cgroup(layout, cgroup_path(identifier, bundle.spec)).remove()
        container.remove()
        reason = error.message if isinstance(error, WherryError | RuntimeFailure) else str(error)
        raise RuntimeFailure(
            f"{command} failed: unable to start container process: {reason}"
        ) from error


def _check_console(bundle: Bundle, values: Values) -> None:
    detached = values.flag("detach") or not _is_run(values)
    if bundle.spec.process.terminal and detached and not values.text("console-socket"):
        raise RuntimeFailure("cannot allocate tty if runc will detach without setting console "
                             "socket".replace("runc", "wherry-runtime"))  # fmt: skip
    if not bundle.spec.process.terminal and values.text("console-socket"):
        raise RuntimeFailure("cannot use console socket if wherry-runtime will not detach or "
                             "allocate tty")  # fmt: skip


def _is_run(values: Values) -> bool:
    return values.knows("keep")


def _create(container: Container, bundle: Bundle, values: Values, layout: CgroupLayout) -> Launched:
    plan = plan_bundle(
        bundle, container.id, str(container.directory), layout, preserve_fds=preserved(values),
        new_keyring=not values.flag("no-new-keyring"), pivot=not values.flag("no-pivot"),
    )  # fmt: skip
    created = rfc3339_nano(time.time_ns())
    record = record_of(
        container.id, bundle.path, bundle.rootfs, bundle.spec, plan.cgroup_path, created
    )
    container.save(record)
    container.save_plan(plan)
    os.mkfifo(container.fifo, 0o600)
    # Open for both, so that it blocks nobody: init reads it, `start` writes.
    fifo = os.open(container.fifo, os.O_RDWR | os.O_CLOEXEC)
    set_child_subreaper()

    def remember(pid: int) -> None:
        started = process_start_time(pid) or 0
        container.save(msgspec.structs.replace(record, pid=pid, start_time=started))

    try:
        launched = launch(plan, layout, Streams(0, 1, 2), before_init=remember, wait_start=fifo)
    finally:
        os.close(fifo)
    try:
        if values.text("console-socket") and launched.console >= 0:
            send_master(values.text("console-socket"), launched.console)
        if values.text("pid-file"):
            write_pid(values.text("pid-file"), launched.pid)
    except BaseException:
        os.kill(launched.pid, signal.SIGKILL)
        os.waitpid(launched.pid, 0)
        raise
    return launched


def write_pid(path: str, pid: int) -> None:
    """Writes a pid file, whole or not at all, beside its final name."""
    temporary = f"{os.path.dirname(path) or '.'}/.{os.path.basename(path)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        os.write(descriptor, str(pid).encode())
    finally:
        os.close(descriptor)
    os.rename(temporary, path)
