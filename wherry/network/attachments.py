"""Containers join and leave networks: addresses, links' values and published ports.

Blocking; called in the "network" pool, one call at a time. Every call is all or nothing.
"""

from collections.abc import Sequence

from wherry.network.endpoint import Endpoint, EndpointRequest, Prepared


class Attachments:
    """Gives endpoints to containers and takes them back."""

    def prepare(self, requests: Sequence[EndpointRequest]) -> Prepared:
        """Reserves addresses and ports, makes the bridge if needed and publishes the ports.

        `requests` are all networks of one container; none of them is `host` or `none`, which need
        no preparation. Raises NoSuchNetwork, AddressInUse, PortAllocated and NoAddresses with
        Docker's texts, and NetworkUnavailable in one line where the kernel offers no NAT.
        """
        raise KeyError(requests)

    def release(self, endpoints: Sequence[Endpoint]) -> None:
        """Frees addresses and ports of endpoints; unknown ones are ignored, so it may be repeated.

        The links go with the container's network namespace; leftovers are removed here.
        """

    def restore(self, endpoints: Sequence[Endpoint]) -> None:
        """Takes over a running container's endpoints after a restart of the daemon."""
