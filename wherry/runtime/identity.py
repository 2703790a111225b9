"""Operations on what a container is called and how its kernel is tuned; its control group."""

import os

from wherry.linux import process
from wherry.linux.cgroup.group import Cgroup
from wherry.linux.cgroup.scope import is_scope, make_scope
from wherry.runtime import operations as op
from wherry.runtime.context import Context
from wherry.runtime.errors import StartFailed


def create_cgroup(step: op.CreateCgroup, context: Context) -> None:
    """Makes the control group with its limits; a half-made one is taken away again."""
    group = Cgroup(context.layout, step.path)
    try:
        if is_scope(step.path):
            # systemd makes no scope without a process, and init does not exist yet.
            make_scope(
                step.path, [context.start_placeholder()], f"container {context.plan.id}",
                resources=step.resources, after=step.ends_before, stop_seconds=step.stop_seconds,
            )  # fmt: skip
            group.apply(step.resources)
        else:
            group.create(step.resources)
    except OSError:
        context.end_placeholder()
        group.remove()
        raise


def set_hostname(step: op.SetHostname, context: Context) -> None:
    """Names the host inside."""
    process.sethostname(step.name)


def set_domainname(step: op.SetDomainname, context: Context) -> None:
    """Names the NIS domain inside."""
    process.setdomainname(step.name)


def write_sysctl(step: op.WriteSysctl, context: Context) -> None:
    """Writes a parameter, having made sure that /proc/sys is the kernel's."""
    path = "/proc/sys/" + step.key.replace(".", "/")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise StartFailed(
            f"open sysctl {step.key} file: {(error.strerror or '').lower()}"
        ) from error
    try:
        if os.fstat(descriptor).st_dev != os.stat("/proc/self").st_dev:
            raise StartFailed(f"{path} is not the kernel's: something is mounted over it")
        os.write(descriptor, step.value.encode())
    except OSError as error:
        raise StartFailed(
            f"write sysctl key {step.key}: {(error.strerror or '').lower()}"
        ) from error
    finally:
        os.close(descriptor)
