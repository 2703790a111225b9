"""A container in one line of a list, as dockerd words it. Pure."""

from collections.abc import Iterable

import msgspec

from wherry.base.clock import ZERO_TIME, now_ns, parse_rfc3339
from wherry.engine.containers.container import Container, MountPoint, Record
from wherry.engine.networks.settings import endpoint_settings
from wherry.model.docker.container_summary import (
    ContainerSummary,
    HealthSummary,
    MountSummary,
    PortSummary,
    SummaryHost,
    SummaryNetworks,
)

_HOUR = 3600


def human_duration(seconds: float) -> str:
    """A duration as go-units.HumanDuration says it."""
    whole = int(seconds)
    if whole < 1:
        return "Less than a second"
    if whole < 60:
        return "1 second" if whole == 1 else f"{whole} seconds"
    if whole < _HOUR:
        return "About a minute" if whole < 120 else f"{whole // 60} minutes"
    hours = int(seconds / _HOUR + 0.5)
    if hours < 48:
        return "About an hour" if hours == 1 else f"{hours} hours"
    for limit, size, word in ((336, 24, "days"), (1440, 168, "weeks"), (17520, 720, "months")):
        if hours < limit:
            return f"{hours // size} {word}"
    return f"{whole // _HOUR // 24 // 365} years"


def status_line(container: Container, now: int) -> str:
    """`Up 2 hours (healthy)`, `Exited (0) 3 seconds ago` and the like."""
    state = container.state
    if state.status == "paused":
        return f"Up {_since(state.started_at, now)} (Paused)"
    if state.status == "restarting":
        return f"Restarting ({state.exit_code}) {_since(state.finished_at, now)} ago"
    if state.status == "running":
        health = container.health
        if health is None:
            return f"Up {_since(state.started_at, now)}"
        word = "health: starting" if health.status == "starting" else health.status
        return f"Up {_since(state.started_at, now)} ({word})"
    if container.removed:
        return "Removal In Progress"
    if state.started_at == ZERO_TIME:
        return "Created"
    return f"Exited ({state.exit_code}) {_since(state.finished_at, now)} ago"


def _since(moment: str, now: int) -> str:
    return human_duration((now - parse_rfc3339(moment)) / 1e9)


def command_line(record: Record) -> str:
    """The command; words with spaces are quoted, as dockerd does."""
    words = [f"'{word}'" if " " in word else word for word in record.args]
    return " ".join((record.path, *words))


def port_summaries(record: Record) -> list[PortSummary]:
    """Published ports with their places on the host, then the merely exposed ones."""
    found: list[PortSummary] = []
    published: set[tuple[int, str]] = set()
    for endpoint in record.endpoints:
        for port in endpoint.ports:
            published.add((port.container_port, port.protocol))
            found.append(
                PortSummary(port.host_ip, port.container_port, port.host_port, port.protocol)
            )
    if record.endpoints:
        for text in record.config.exposed_ports or ():
            number, _, protocol = text.partition("/")
            if number.isdecimal() and (int(number), protocol or "tcp") not in published:
                found.append(PortSummary("", int(number), 0, protocol or "tcp"))
    return found


def mount_summaries(record: Record) -> list[MountSummary]:
    """Mounts as lists and inspect show them; those of `--tmpfs` are only in HostConfig."""
    plain_tmpfs = record.host.tmpfs or {}
    return [
        mount_summary(point) for point in record.mounts
        if point.type != "tmpfs" or point.target not in plain_tmpfs
    ]  # fmt: skip


def mount_summary(point: MountPoint) -> MountSummary:
    """One mount."""
    is_volume = point.type == "volume"
    return MountSummary(
        type=point.type,
        name=point.volume if is_volume else msgspec.UNSET,
        source=point.source,
        destination=point.target,
        driver="local" if is_volume else msgspec.UNSET,
        mode=point.mode,
        read_write=point.read_write,
        propagation=point.propagation,
    )


def summarize(container: Container, image: str, sizes: tuple[int, int] | None) -> ContainerSummary:
    """One line of a list; `image` is the name to show, `sizes` those of its layer and of all."""
    record = container.record
    annotations = record.host.annotations
    return ContainerSummary(
        id=record.id,
        names=[f"/{record.name}"],
        image=image,
        image_id=record.image_id,
        command=command_line(record),
        created=parse_rfc3339(record.created) // 10**9,
        ports=port_summaries(record),
        size_rw=(sizes[0] or msgspec.UNSET) if sizes else msgspec.UNSET,
        size_root_fs=sizes[1] if sizes else msgspec.UNSET,
        labels=dict(record.config.labels or {}),
        state=container.state.status,
        status=status_line(container, now_ns()),
        health=_health(container),
        host_config=SummaryHost(record.host.network_mode, annotations or msgspec.UNSET),
        network_settings=SummaryNetworks(endpoint_settings(record.networks, record.endpoints)),
        mounts=mount_summaries(record),
    )


def _health(container: Container) -> HealthSummary:
    health = container.health
    return (
        HealthSummary(health.status, health.failing_streak) if health else HealthSummary("none", 0)
    )


def newest_first(containers: Iterable[Container]) -> list[Container]:
    """In the order of lists."""
    return sorted(containers, key=lambda item: parse_rfc3339(item.record.created), reverse=True)
