"""`spec`: a specification to begin with, like runc's."""

import os

import msgspec

from wherry.model import runtime_spec as oci
from wherry.oci_cli.errors import RuntimeFailure
from wherry.oci_cli.log import Log
from wherry.oci_cli.options import Values

_CAPABILITIES = ("CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE")
_VERSION = "1.0.2"
"""The oldest that has all of this, so that every runtime takes the file."""

_PLAIN = ("nosuid", "noexec", "nodev")
_MOUNTS = (
    oci.SpecMount("/proc", "proc", "proc"),
    oci.SpecMount("/dev", "tmpfs", "tmpfs", ("nosuid", "strictatime", "mode=755", "size=65536k")),
    oci.SpecMount("/dev/pts", "devpts", "devpts",
                  ("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5")),
    oci.SpecMount("/dev/shm", "tmpfs", "shm", (*_PLAIN, "mode=1777", "size=65536k")),
    oci.SpecMount("/dev/mqueue", "mqueue", "mqueue", _PLAIN),
    oci.SpecMount("/sys", "sysfs", "sysfs", (*_PLAIN, "ro")),
    oci.SpecMount("/sys/fs/cgroup", "cgroup", "cgroup", (*_PLAIN, "relatime", "ro")),
)  # fmt: skip
_MASKED = ("/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
           "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware",
           "/proc/scsi")  # fmt: skip
_READONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


def example() -> oci.RuntimeSpec:
    """A shell in a read-only root with namespaces of its own."""
    return oci.RuntimeSpec(
        oci_version=_VERSION,
        process=oci.Process(
            terminal=True, args=("sh",), cwd="/",
            env=("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"),
            capabilities=oci.Capabilities(
                bounding=_CAPABILITIES, effective=_CAPABILITIES, permitted=_CAPABILITIES
            ),
            rlimits=(oci.Rlimit("RLIMIT_NOFILE", 1024, 1024),), no_new_privileges=True,
        ),
        root=oci.Root("rootfs", readonly=True),
        hostname="wherry",
        mounts=_MOUNTS,
        linux=oci.Linux(
            resources=oci.LinuxResources(devices=(oci.DeviceRule(False, access="rwm"),)),
            namespaces=tuple(
                map(oci.Namespace, ("pid", "network", "ipc", "uts", "mount", "cgroup"))
            ),
            masked_paths=_MASKED, readonly_paths=_READONLY,
        ),
    )  # fmt: skip


def run(root: str, values: Values, log: Log) -> int:
    """Writes config.json; raises RuntimeFailure if there is one."""
    path = os.path.join(values.text("bundle", "."), "config.json")
    content = msgspec.json.decode(msgspec.json.encode(example()))
    # What equals its default is left out by the encoder, but must be said in a specification.
    content["process"] |= {"user": {"uid": 0, "gid": 0}, "cwd": "/"}
    content["root"] = {"path": "rootfs", "readonly": True}
    content["linux"]["resources"]["devices"] = [{"allow": False, "access": "rwm"}]
    data = msgspec.json.format(msgspec.json.encode(content), indent=4)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        raise RuntimeFailure("File config.json exists. Remove it first") from None
    try:
        os.write(descriptor, data + b"\n")
    finally:
        os.close(descriptor)
    return 0
