"""What the engine is and what it has: the answer to `docker info`."""

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from wherry.base.clock import timestamp
from wherry.engine.system import host as machine
from wherry.engine.system.event_bus import EventBus
from wherry.engine.system.facts import EngineFacts
from wherry.engine.system.host import Host
from wherry.model.docker.system import (
    INDEX_SERVER,
    Commit,
    IndexInfo,
    InfoResponse,
    Plugins,
    RegistryConfig,
    SwarmInfo,
)

LOG_DRIVERS = ["json-file", "local"]
NETWORK_DRIVERS = ["bridge", "host", "ipvlan", "macvlan", "null"]


class Counts(NamedTuple):
    """How many objects there are."""

    running: int
    paused: int
    stopped: int
    images: int


class Info:
    """Collects the engine's information; answered from memory and /proc."""

    def __init__(
        self,
        facts: EngineFacts,
        host: Host,
        events: EventBus,
        counts: Callable[[], Counts],
        warnings: Callable[[], Sequence[str]],
    ) -> None:
        """`counts` asks the containers and images, `warnings` what other rooms have to say."""
        self._facts = facts
        self._host = host
        self._events = events
        self._counts = counts
        self._warnings = warnings

    def __call__(self) -> InfoResponse:
        """The information as of now."""
        facts, host, counts = self._facts, self._host, self._counts()
        pools: list[dict[str, object]] | msgspec.UnsetType = [
            {"Base": base, "Size": size} for base, size in facts.address_pools
        ]
        return InfoResponse(
            id=facts.id,
            containers=counts.running + counts.paused + counts.stopped,
            containers_running=counts.running,
            containers_paused=counts.paused,
            containers_stopped=counts.stopped,
            images=counts.images,
            driver=facts.storage_driver,
            driver_status=list(facts.storage_status),
            plugins=Plugins(volume=["local"], network=NETWORK_DRIVERS, log=LOG_DRIVERS),
            memory_limit=host.memory_limit,
            swap_limit=host.swap_limit,
            cpu_cfs_period=host.cpu_quota,
            cpu_cfs_quota=host.cpu_quota,
            cpu_shares=host.cpu_shares,
            cpu_set=host.cpu_set,
            pids_limit=host.pids_limit,
            ipv4_forwarding=machine.ipv4_forwarding(),
            debug=facts.debug,
            n_fd=machine.open_descriptors(),
            oom_kill_disable=host.oom_kill_disable,
            n_goroutines=threading.active_count(),
            system_time=timestamp(),
            logging_driver=facts.logging_driver,
            cgroup_driver=facts.cgroup_driver,
            cgroup_version=str(host.cgroup_version),
            n_events_listener=self._events.subscribers,
            kernel_version=host.kernel,
            operating_system=host.operating_system,
            os_version=host.os_version,
            os_type="linux",
            architecture=host.machine,
            index_server_address=INDEX_SERVER,
            registry_config=_registries(facts),
            ncpu=host.cpus,
            mem_total=host.memory,
            docker_root_dir=facts.data_root,
            http_proxy=facts.http_proxy,
            https_proxy=facts.https_proxy,
            no_proxy=facts.no_proxy,
            name=host.name,
            labels=list(facts.labels),
            experimental_build=False,
            server_version=facts.version,
            runtimes={"runc": {"path": facts.runtime}},  # the name that clients ask for
            default_runtime="runc",
            swarm=SwarmInfo(),
            live_restore_enabled=facts.live_restore,
            isolation="",
            init_binary=facts.init_binary,
            containerd_commit=Commit(),
            runc_commit=Commit(),
            init_commit=Commit(),
            security_options=_security(facts, host),
            product_license="",
            default_address_pools=pools or msgspec.UNSET,
            firewall_backend={"Driver": "nftables" if facts.iptables else "none"},
            cdi_spec_dirs=[],
            warnings=self._all_warnings() or None,
        )

    def _all_warnings(self) -> list[str]:
        host = self._host
        missing = (
            (host.memory_limit, "No memory limit support"),
            (host.swap_limit or not host.memory_limit, "No swap limit support"),
            (host.cpu_quota, "No cpu cfs quota support"),
            (host.cpu_shares, "No cpu shares support"),
            (host.cpu_set, "No cpuset support"),
            (host.pids_limit, "No pids limit support"),
            (host.cgroup_version == 1 or host.block_io, "No io.weight support"),
            (host.cgroup_version == 1 or host.block_io, "No io.weight (per device) support"),
            (host.cgroup_version == 1 or host.block_io, "No io.max (rbps) support"),
            (host.cgroup_version == 1 or host.block_io, "No io.max (wbps) support"),
            (host.cgroup_version == 1 or host.block_io, "No io.max (riops) support"),
            (host.cgroup_version == 1 or host.block_io, "No io.max (wiops) support"),
            (machine.ipv4_forwarding(), "IPv4 forwarding is disabled"),
        )
        found = [f"WARNING: {text}" for present, text in missing if not present]
        return found + [f"WARNING: {text}" for text in self._warnings()]


def _security(facts: EngineFacts, host: Host) -> list[str]:
    options = []
    if host.apparmor:
        options.append("name=apparmor")
    if host.seccomp:
        options.append(f"name=seccomp,profile={facts.seccomp_profile}")
    if host.cgroup_version == 2:
        options.append("name=cgroupns")
    return options


def _registries(facts: EngineFacts) -> RegistryConfig:
    mirrors = [
        mirror if mirror.endswith("/") else f"{mirror}/" for mirror in facts.registry_mirrors
    ]
    indexes = {
        "docker.io": IndexInfo(name="docker.io", mirrors=mirrors, secure=True, official=True)
    }
    networks = ["::1/128", "127.0.0.0/8"]
    for registry in facts.insecure_registries:
        if "/" in registry:
            networks.append(registry)
        else:
            indexes[registry] = IndexInfo(name=registry, mirrors=[], secure=False, official=False)
    return RegistryConfig(insecure=networks, indexes=indexes, mirrors=mirrors)
