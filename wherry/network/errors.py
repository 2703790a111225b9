"""Failures of the network room, in Docker's words where clients read them."""

from wherry.base.errors import (
    Conflict,
    Forbidden,
    InternalError,
    InvalidParameter,
    NotFound,
    NotSupported,
    ResourceExhausted,
)


class NoSuchNetwork(NotFound):
    """No network has this name or id."""

    def __init__(self, reference: str) -> None:
        """Names the network."""
        super().__init__(f"network {reference} not found")
        self.reference = reference


class NetworkNameInUse(Conflict):
    """A network of that name exists."""

    def __init__(self, name: str) -> None:
        """Names the network."""
        super().__init__(f"network with name {name} already exists")


class NetworkHasEndpoints(Forbidden):
    """A network cannot go while containers are on it."""

    def __init__(self, name: str, network: str, endpoints: str) -> None:
        """Names the network and the endpoints, in the words of the newest dockerd."""
        super().__init__(
            f"error while removing network: network {name} has active endpoints ({endpoints})"
        )
        self.network = network


class PredefinedNetwork(Forbidden):
    """bridge, host and none are part of the engine."""


class ConfigurationOnly(Forbidden):
    """Containers cannot be on a network that is only settings for others."""

    def __init__(self, name: str) -> None:
        """Names the network, in libnetwork's words."""
        super().__init__(
            f"cannot create endpoint on configuration-only network {name}: make a network with "
            f"--config-from {name}"
        )


class NoSuchConfiguration(NotFound):
    """There is no configuration-only network of that name."""

    def __init__(self, name: str) -> None:
        """Names it."""
        super().__init__(f'configuration network "{name}" does not exist')


class ConfigurationInUse(Forbidden):
    """A configuration-only network cannot go while networks are made of it."""

    def __init__(self, name: str) -> None:
        """libnetwork's words."""
        super().__init__(f'error while removing network: configuration network "{name}" is in use')


class PoolOverlaps(Forbidden):
    """A subnet lies across another network's or a route of the host."""


class NoSubnets(ResourceExhausted):
    """The address pools have no block left that clashes with nothing."""

    def __init__(self) -> None:
        """Docker's text."""
        super().__init__("all predefined address pools have been fully subnetted")


class NoAddresses(ResourceExhausted):
    """A network's range is used up."""

    def __init__(self) -> None:
        """Docker's text."""
        super().__init__("no available IPv4 addresses on this network's address pools")


class AddressInUse(Forbidden):
    """The static address belongs to somebody."""

    def __init__(self) -> None:
        """Docker's text."""
        super().__init__("Address already in use")


class BadAddress(InvalidParameter):
    """An address or subnet that cannot be used as asked."""


class PortUnavailable(InternalError):
    """A port cannot be published; Docker answers 500 and the CLI exits with 125."""


class NetworkUnavailable(NotSupported):
    """The kernel, its rights or a missing library forbid bridge networks; one line says why."""
