"""`wherry network create`."""

from __future__ import annotations

from wherry.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] NETWORK"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("attachable", "", "bool", "Enable manual container attachment"),
    (
        "aux-address",
        "",
        "map",
        ("Auxiliary IPv4 or IPv6 addresses used by Network driver (default map[])"),
    ),
    ("config-from", "", "string", "The network from which to copy the configuration"),
    ("config-only", "", "bool", "Create a configuration only network"),
    ("driver", "d", "string", 'Driver to manage the Network (default "bridge")', "bridge"),
    ("gateway", "", "strings", "IPv4 or IPv6 Gateway for the master subnet"),
    ("ingress", "", "bool", "Create swarm routing-mesh network"),
    ("internal", "", "bool", "Restrict external access to the network"),
    ("ip-range", "", "strings", "Allocate container ip from a sub-range"),
    ("ipam-driver", "", "string", 'IP Address Management Driver (default "default")', "default"),
    ("ipam-opt", "", "map", "Set IPAM driver specific options (default map[])"),
    ("ipv4", "", "bool", "Enable or disable IPv4 address assignment (default true)", True),
    ("ipv6", "", "bool", "Enable or disable IPv6 address assignment"),
    ("label", "", "label", "Set metadata on a network"),
    ("opt", "o", "map", "Set driver specific options (default map[])"),
    ("scope", "", "string", "Control the network's scope"),
    ("subnet", "", "strings", "Subnet in CIDR format that represents a network segment"),
)
ARGUMENTS = (1, 1)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Makes a network and prints its ID."""
    body: dict[str, object] = {
        "Name": operands[0],
        "Driver": options.text("driver"),
        "Scope": options.text("scope"),
        "IPAM": {
            "Driver": options.text("ipam-driver"),
            "Options": options.pairs("ipam-opt"),
            "Config": _pools(options),
        },
        "Internal": options.flag("internal"),
        "Attachable": options.flag("attachable"),
        "Ingress": options.flag("ingress"),
        "ConfigOnly": options.flag("config-only"),
        "ConfigFrom": None,
        "Options": options.pairs("opt"),
        "Labels": options.pairs("label"),
    }
    if options.text("config-from"):
        body["ConfigFrom"] = {"Network": options.text("config-from")}
    for name, field in (("ipv4", "EnableIPv4"), ("ipv6", "EnableIPv6")):
        if options.changed(name):
            body[field] = options.flag(name)
    if session.client.version_key < (1, 44):
        body["CheckDuplicate"] = True
    answer = session.client.post("/networks/create", body=body)
    if answer.get("Warning"):
        session.warn(f"WARNING: {answer['Warning']}")
    session.out(f"{answer['Id']}\n")
    return 0


def _pools(options: Options) -> list[dict[str, object]]:
    subnets = options.items("subnet")
    ranges, gateways = options.items("ip-range"), options.items("gateway")
    if not subnets and not ranges and not gateways and not options.items("aux-address"):
        return []
    from ipaddress import ip_address, ip_network

    if len(subnets) < len(ranges) or len(subnets) < len(gateways):
        raise CliError("every ip-range or gateway must have a corresponding subnet")
    try:
        parsed = [ip_network(text, strict=False) for text in subnets]
    except ValueError as error:
        raise CliError(f"invalid CIDR address: {error}") from error
    for index, subnet in enumerate(parsed):
        if any(subnet.overlaps(other) for other in parsed[:index]):
            raise CliError("multiple overlapping subnet configuration is not supported")
    pools: list[dict[str, object]] = [{"Subnet": text} for text in subnets]

    def place(address: str, text: str, field: str, complaint: str) -> None:
        wanted = ip_address(address)
        for pool, subnet in zip(pools, parsed, strict=True):
            if wanted in subnet and field not in pool:
                pool[field] = text
                return
        raise CliError(complaint)

    for text in ranges:
        place(text.partition("/")[0], text, "IPRange", f"no matching subnet for range {text}")
    for text in gateways:
        place(text, text, "Gateway", f"no matching subnet for gateway {text}")
    for name, address in options.pairs("aux-address").items():
        for pool, subnet in zip(pools, parsed, strict=True):
            if ip_address(address) in subnet:
                auxiliary = pool.setdefault("AuxiliaryAddresses", {})
                assert isinstance(auxiliary, dict)
                auxiliary[name] = address
                break
        else:
            raise CliError(f"no matching subnet for aux-address {address}")
    return pools
