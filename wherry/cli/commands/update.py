"""`wherry update`."""

from __future__ import annotations

from wherry.cli.creation.body import parse_restart
from wherry.cli.creation.mounts import parse_mount
from wherry.cli.creation.ports import port_settings
from wherry.cli.errors import CliError
from wherry.client.errors import ClientError
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] CONTAINER [CONTAINER...]"
ALIASES: tuple[str, ...] = ("container update", "update")
OPTIONS: tuple[Option, ...] = (
    (
        "blkio-weight",
        "",
        "uint16",
        ("Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)"),
    ),
    ("cpu-period", "", "int", "Limit CPU CFS (Completely Fair Scheduler) period"),
    ("cpu-quota", "", "int", "Limit CPU CFS (Completely Fair Scheduler) quota"),
    ("cpu-rt-period", "", "int", "Limit the CPU real-time period in microseconds"),
    ("cpu-rt-runtime", "", "int", "Limit the CPU real-time runtime in microseconds"),
    ("cpu-shares", "c", "int", "CPU shares (relative weight)"),
    ("cpus", "", "decimal", "Number of CPUs"),
    ("cpuset-cpus", "", "string", "CPUs in which to allow execution (0-3, 0,1)"),
    ("cpuset-mems", "", "string", "MEMs in which to allow execution (0-3, 0,1)"),
    ("log-opt", "", "list", "Log driver option to change, or with no value to take away"),
    ("memory", "m", "bytes", "Memory limit"),
    ("memory-reservation", "", "bytes", "Memory soft limit"),
    (
        "memory-swap",
        "",
        "swap",
        "Swap limit equal to memory plus swap: -1 to enable unlimited swap",
    ),
    ("mount-add", "", "list", "Add a mount, while the container runs too"),
    ("mount-rm", "", "list", "Remove the mount at a path in the container"),
    ("pids-limit", "", "int", "Tune container pids limit (set -1 for unlimited)"),
    ("publish-add", "", "list", "Publish a port, while the container runs too"),
    ("publish-rm", "", "list", "Publish a port of the container no longer (e.g. 80/tcp)"),
    ("restart", "", "string", "Restart policy to apply when a container exits"),
)
ARGUMENTS = (1, -1)


_FIELDS = {
    "blkio-weight": "BlkioWeight",
    "cpu-period": "CpuPeriod",
    "cpu-quota": "CpuQuota",
    "cpu-rt-period": "CpuRealtimePeriod",
    "cpu-rt-runtime": "CpuRealtimeRuntime",
    "cpu-shares": "CpuShares",
    "cpus": "NanoCpus",
    "memory": "Memory",
    "memory-reservation": "MemoryReservation",
    "memory-swap": "MemorySwap",
    "pids-limit": "PidsLimit",
}


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Changes limits and restart policies of containers."""
    if not any(options.changed(option[0]) for option in OPTIONS):
        raise CliError("you must provide one or more flags when using this command")
    body: dict[str, object] = {
        field: options.number(name) for name, field in _FIELDS.items() if options.number(name)
    }
    for name, field in (("cpuset-cpus", "CpusetCpus"), ("cpuset-mems", "CpusetMems")):
        if options.text(name):
            body[field] = options.text(name)
    if options.text("restart"):
        body["RestartPolicy"] = parse_restart(options.text("restart"))
    if options.items("log-opt"):
        pairs = (item.partition("=") for item in options.items("log-opt"))
        body["LogConfig"] = {"Config": {key: value for key, _, value in pairs}}
    mounts: dict[str, object] = {
        "Add": [parse_mount(text) for text in options.items("mount-add")],
        "Remove": options.items("mount-rm"),
    }
    bindings, _ = port_settings(options.items("publish-add"), [])
    ports: dict[str, object] = {"Add": bindings, "Remove": options.items("publish-rm")}
    warnings: list[str] = []
    failures: list[str] = []
    for name in operands:
        try:
            path = f"/containers/{escape_path(name)}"
            answer = session.client.post(f"{path}/update", body=body) if body else {}
            if any(mounts.values()):
                session.client.post(f"{path}/mounts", body=mounts)
            if any(ports.values()):
                session.client.post(f"{path}/ports", body=ports)
        except ClientError as error:
            failures.append(error.message)
            continue
        session.line(name)
        warnings += answer.get("Warnings") or ()
    if warnings:
        session.line("\n".join(warnings))
    return session.tell_failures(failures)
