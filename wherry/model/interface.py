"""A network interface that the runtime makes in a container's network namespace."""

import msgspec


class Route(msgspec.Struct, frozen=True):
    """A route inside the namespace: `destination` in CIDR form, `gateway` empty if on link."""

    destination: str
    gateway: str = ""


class Interface(msgspec.Struct, frozen=True, omit_defaults=True):
    """One interface: the network room decides its values, the runtime makes it.

    For kind "veth" the pair's host end is `host_name`, attached to the bridge `parent`; for
    "macvlan" and "ipvlan" `parent` is the host's link and `mode` their mode, `flag` ipvlan's.
    Addresses are in CIDR form, `mtu` in bytes (0 keeps the kernel's). `hairpin` lets its bridge
    send frames back, `isolated` keeps it apart from other isolated ports of the bridge.
    """

    name: str
    kind: str = "veth"
    host_name: str = ""
    parent: str = ""
    mode: str = ""
    flag: str = ""
    mac: str = ""
    mtu: int = 0
    addresses: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    sysctls: dict[str, str] = {}
    hairpin: bool = False
    isolated: bool = False


class DefaultRoute(msgspec.Struct, frozen=True, omit_defaults=True):
    """A way out of the namespace: `destination` is 0.0.0.0/0 or ::/0."""

    interface: str
    destination: str
    gateway: str = ""


class LinkChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """What changes among the interfaces of a running container, in this order.

    `remove` is the name of an interface inside that goes, `lost` and `gained` are default routes.
    """

    remove: str = ""
    lost: tuple[DefaultRoute, ...] = ()
    add: Interface | None = None
    gained: tuple[DefaultRoute, ...] = ()
