"""All that can be done with networks, in one value for the API."""

from dataclasses import dataclass

from wherry.engine.networks.connect import ConnectNetwork
from wherry.engine.networks.create import CreateNetwork
from wherry.engine.networks.disconnect import DisconnectNetwork
from wherry.engine.networks.inspect import InspectNetwork
from wherry.engine.networks.list import ListNetworks
from wherry.engine.networks.prune import PruneNetworks
from wherry.engine.networks.remove import RemoveNetwork


@dataclass(frozen=True)
class NetworkUseCases:
    """The use cases of networks."""

    list: ListNetworks
    inspect: InspectNetwork
    create: CreateNetwork
    remove: RemoveNetwork
    prune: PruneNetworks
    connect: ConnectNetwork
    disconnect: DisconnectNetwork
