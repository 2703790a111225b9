"""A network interface that the runtime makes in a container's network namespace."""

import msgspec


class Route(msgspec.Struct, frozen=True):
    """A route inside the namespace: `destination` in CIDR form, `gateway` empty if on link."""

    destination: str
    gateway: str = ""


class Interface(msgspec.Struct, frozen=True, omit_defaults=True):
    """One interface: the network room decides its values, the runtime makes it.

    For kind "veth" the pair's host end is `host_name`, attached to the bridge `parent`; for
    "macvlan" and "ipvlan" `parent` is the host's link and `mode` their mode. Addresses are in
    CIDR form, `mtu` in bytes (0 keeps the kernel's).
    """

    name: str
    kind: str = "veth"
    host_name: str = ""
    parent: str = ""
    mode: str = ""
    mac: str = ""
    mtu: int = 0
    addresses: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    sysctls: dict[str, str] = {}
    hairpin: bool = False
