"""Networks: bridges, rules, addresses, published ports and their proxy."""

from dataclasses import dataclass
from pathlib import Path

from wherry.daemon.wiring.foundation import Foundation
from wherry.daemon.wiring.tasks import PROXY_TASK
from wherry.engine.containers.live_network import LiveNetwork
from wherry.engine.networks.connect import ConnectNetwork
from wherry.engine.networks.create import CreateNetwork
from wherry.engine.networks.disconnect import DisconnectNetwork
from wherry.engine.networks.guard import NetworkGuard
from wherry.engine.networks.inspect import InspectNetwork
from wherry.engine.networks.list import ListNetworks
from wherry.engine.networks.prune import PruneNetworks
from wherry.engine.networks.remove import RemoveNetwork
from wherry.engine.networks.state import NetworkState
from wherry.engine.networks.use_cases import NetworkUseCases
from wherry.network.attachments import Attachments
from wherry.network.bridges import Bridges, host_routes
from wherry.network.catalog import NetworkCatalog
from wherry.network.firewall import Firewall
from wherry.network.foreign import ForeignFirewalls
from wherry.network.ipam import DEFAULT_POOLS, Pool
from wherry.network.lifecycle import BridgeSettings, NetworkLifecycle
from wherry.network.ports import HostPorts
from wherry.network.proxy_client import Proxy
from wherry.network.publication import Publication
from wherry.supervisor.client import Supervisor, Task

_PROXY_SECONDS = 10.0


@dataclass(frozen=True)
class Networks:
    """The parts that others use."""

    bridges: Bridges
    attachments: Attachments
    guard: NetworkGuard
    state: NetworkState


def build_networks(base: Foundation) -> Networks:
    """Nothing of the kernel is touched before the state is opened."""
    config = base.config
    firewall = Firewall(base.instance, enabled=config.iptables)
    foreign = ForeignFirewalls(firewall, base.instance)
    bridges = Bridges(firewall, foreign, ip_forward=config.ip_forward)
    pools = [Pool(item.base, item.size) for item in config.default_address_pools]
    catalog = NetworkCatalog(pools or DEFAULT_POOLS, host_routes)
    launch = _ProxyLauncher(base.supervisor)
    proxy = Proxy(config.exec_root, launch) if config.userland_proxy else None
    lifecycle = NetworkLifecycle(catalog, bridges, firewall, _default_bridge(base))
    return Networks(
        bridges=bridges,
        attachments=Attachments(
            catalog, bridges, firewall, Publication(firewall, HostPorts(), proxy)
        ),
        guard=NetworkGuard(bridges, firewall, proxy, base.pools),
        state=NetworkState(catalog, lifecycle, base.database, base.pools, base.events),
    )


def network_use_cases(base: Foundation, networks: Networks, live: LiveNetwork) -> NetworkUseCases:
    """What the API may do with networks."""
    state, index = networks.state, base.index

    def referred() -> set[str]:
        return {name for item in index.all() for name in item.record.networks}

    return NetworkUseCases(
        ListNetworks(state), InspectNetwork(state), CreateNetwork(state), RemoveNetwork(state),
        PruneNetworks(state, referred), ConnectNetwork(state, index, live),
        DisconnectNetwork(state, index, live),
    )  # fmt: skip


def _default_bridge(base: Foundation) -> BridgeSettings:
    config = base.config
    short = base.instance.removeprefix("wherry").removeprefix("-")
    return BridgeSettings(
        name=f"wh{short}" if short else "wherry0",
        bridge=config.bridge, bip=config.bip, fixed_cidr=config.fixed_cidr,
        ipv6=config.ipv6, fixed_cidr_v6=config.fixed_cidr_v6,
        default_gateways=(config.default_gateway, config.default_gateway_v6), mtu=config.mtu,
        icc=config.icc, ip_masq=config.ip_masq, ip=config.ip,
    )  # fmt: skip


class _ProxyLauncher:
    """Starts the proxy of published ports, which outlives this daemon."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._task: Task | None = None

    def __call__(self, directory: Path) -> None:
        self._task = self._supervisor.run_task(PROXY_TASK, str(directory).encode(), outlive=True)
        self._task.next_frame(_PROXY_SECONDS)
