"""The nftables table of one instance, as text: constant rules, and elements of sets and maps.

Everything here is pure. All state of networks and ports is elements, so that the rules do not
grow: a published port is one element of a hash map, a run of equal ports one interval.
Names of links are checked where they are made; addresses and numbers come from typed values.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence

import msgspec

RUN_LENGTH = 16
"""From this many consecutive equal ports on, an interval replaces hash elements."""

PROTOCOLS = ("tcp", "udp", "sctp")

TABLE = """
add table inet {table}
delete table inet {table}
table inet {table} {{
    set bridges {{ type ifname; }}
    set internal {{ type ifname; }}
    set within {{ type ifname . ifname; }}
    set sources4 {{ type ipv4_addr; flags interval; }}
    set sources6 {{ type ipv6_addr; flags interval; }}
    map hairpins {{ type ifname : verdict; }}
    map ports4 {{ type inet_proto . inet_service : ipv4_addr . inet_service; }}
    map ports6 {{ type inet_proto . inet_service : ipv6_addr . inet_service; }}
    map bound4 {{ type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }}
    map bound6 {{ type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }}
    map runs4 {{ type inet_proto . inet_service : ipv4_addr; flags interval; }}
    map runs6 {{ type inet_proto . inet_service : ipv6_addr; flags interval; }}
    set open4 {{ type ipv4_addr . inet_proto . inet_service; }}
    set open6 {{ type ipv6_addr . inet_proto . inet_service; }}
    set routed4 {{ type ifname; }}
    set routed6 {{ type ifname; }}
    set unprotected4 {{ type ifname; }}
    set unprotected6 {{ type ifname; }}
    map snat4 {{ type ipv4_addr : ipv4_addr; flags interval; }}
    map snat6 {{ type ipv6_addr : ipv6_addr; flags interval; }}

    chain published {{
        dnat ip to ip daddr . meta l4proto . th dport map @bound4
        dnat ip6 to ip6 daddr . meta l4proto . th dport map @bound6
        fib daddr type local dnat ip to meta l4proto . th dport map @ports4
        fib daddr type local ip6 daddr != ::1 dnat ip6 to meta l4proto . th dport map @ports6
        fib daddr type local dnat ip to meta l4proto . th dport map @runs4
        fib daddr type local ip6 daddr != ::1 dnat ip6 to meta l4proto . th dport map @runs6
    }}

    # route_localnet lets 127.0.0.1 be published; what comes off a bridge must not use it
    # (CVE-2020-8558).
    chain guard {{
        type filter hook prerouting priority raw; policy accept;
        iifname @bridges ip daddr 127.0.0.0/8 drop
        iifname @bridges ip saddr 127.0.0.0/8 drop
    }}
    chain prerouting {{
        type nat hook prerouting priority dstnat; policy accept;
        jump published
    }}
    chain output {{
        type nat hook output priority -100; policy accept;
        jump published
    }}

    chain forward {{
        type filter hook forward priority filter; policy accept;
        iifname != @bridges oifname != @bridges return
        ct state established,related accept
        iifname . oifname @within accept
        iifname @internal drop
        oifname @internal drop
        ct status dnat accept
        ip daddr . meta l4proto . th dport @open4 accept
        ip6 daddr . meta l4proto . th dport @open6 accept
        oifname @routed4 meta l4proto icmp accept
        oifname @routed6 meta l4proto ipv6-icmp accept
        oifname @unprotected4 meta nfproto ipv4 accept
        oifname @unprotected6 meta nfproto ipv6 accept
        oifname @bridges drop
    }}

    # A container that calls a published port of its own network would be answered directly by
    # its neighbour, past the translation: masquerade makes the answer come back this way.
    chain postrouting {{
        type nat hook postrouting priority srcnat; policy accept;
        oifname @bridges ip saddr 127.0.0.0/8 masquerade
        ct status dnat oifname vmap @hairpins
        oifname != @bridges snat ip to ip saddr map @snat4
        oifname != @bridges snat ip6 to ip6 saddr map @snat6
        oifname != @bridges ip saddr @sources4 masquerade
        oifname != @bridges ip6 saddr @sources6 masquerade
    }}
}}
"""


class NetworkRules(msgspec.Struct, frozen=True):
    """What the table has to know of one bridge network.

    `modes` are the gateway modes of IPv4 and IPv6, `sources` the addresses that take the place of
    containers' (empty: the host's own). `trusted` are links that reach containers directly.
    """

    bridge: str
    subnets: tuple[str, ...]
    masquerade: bool = True
    icc: bool = True
    internal: bool = False
    modes: tuple[str, str] = ("nat", "nat")
    sources: tuple[str, str] = ("", "")
    trusted: tuple[str, ...] = ()


class PortRule(msgspec.Struct, frozen=True):
    """One published port: `address` is the container's, `host_ip` empty for all addresses."""

    protocol: str
    host_ip: str
    host_port: int
    address: str
    container_port: int


class OpenPort(msgspec.Struct, frozen=True):
    """A port of a container on a routed network: open to whoever reaches its address."""

    protocol: str
    address: str
    port: int


def create_table(table: str) -> str:
    """Commands that make the instance's table anew, in one transaction with its old one's end."""
    return TABLE.format(table=table)


def delete_table(table: str) -> str:
    """Commands that remove the table; they succeed when there is none."""
    return f"add table inet {table}\ndelete table inet {table}\n"


def add_network(table: str, network: NetworkRules) -> str:
    """Commands that make a bridge known to the table."""
    chain = f"hairpin-{network.bridge}"
    lines = [f"add chain inet {table} {chain}", f"flush chain inet {table} {chain}"]
    for subnet in network.subnets:
        family = "ip6" if ":" in subnet else "ip"
        lines.append(f"add rule inet {table} {chain} {family} saddr {subnet} masquerade")
    lines += _network_elements("add", table, network)
    return "\n".join(lines) + "\n"


def remove_network(table: str, network: NetworkRules) -> str:
    """Commands that undo `add_network`."""
    chain = f"hairpin-{network.bridge}"
    lines = _network_elements("delete", table, network)
    lines += [f"flush chain inet {table} {chain}", f"delete chain inet {table} {chain}"]
    return "\n".join(lines) + "\n"


def add_ports(table: str, ports: Sequence[PortRule]) -> str:
    """Commands that publish ports."""
    return _port_elements("add", table, ports)


def remove_ports(table: str, ports: Sequence[PortRule]) -> str:
    """Commands that undo `add_ports` with the same ports."""
    return _port_elements("delete", table, ports)


def add_open_ports(table: str, ports: Sequence[OpenPort]) -> str:
    """Commands that open ports of routed networks."""
    return _open_elements("add", table, ports)


def remove_open_ports(table: str, ports: Sequence[OpenPort]) -> str:
    """Commands that undo `add_open_ports` with the same ports."""
    return _open_elements("delete", table, ports)


def _open_elements(verb: str, table: str, ports: Sequence[OpenPort]) -> str:
    return "".join(
        f"{verb} element inet {table} open{_family(port.address)} "
        f"{{ {port.address} . {port.protocol} . {port.port} }}\n"
        for port in ports
    )


def _network_elements(verb: str, table: str, network: NetworkRules) -> list[str]:
    name = f'"{network.bridge}"'
    head = f"{verb} element inet {table}"
    lines = [
        f"{head} bridges {{ {name} }}",
        f"{head} hairpins {{ {name} : jump hairpin-{network.bridge} }}",
    ]
    if network.icc:
        lines.append(f"{head} within {{ {name} . {name} }}")
    lines += [f'{head} within {{ "{link}" . {name} }}' for link in network.trusted]
    if network.internal:
        return [*lines, f"{head} internal {{ {name} }}"]
    for family, mode in zip("46", network.modes, strict=True):
        if mode == "routed":
            lines.append(f"{head} routed{family} {{ {name} }}")
        elif mode == "nat-unprotected":
            lines.append(f"{head} unprotected{family} {{ {name} }}")
    return lines + _source_elements(head, network)


def _source_elements(head: str, network: NetworkRules) -> list[str]:
    """What takes another source address on its way out."""
    lines = []
    for subnet in network.subnets:
        wide = ":" in subnet
        family = "6" if wide else "4"
        if not network.masquerade or not network.modes[wide].startswith("nat"):
            continue
        if network.sources[wide]:
            lines.append(f"{head} snat{family} {{ {subnet} : {network.sources[wide]} }}")
        else:
            lines.append(f"{head} sources{family} {{ {subnet} }}")
    return lines


def _port_elements(verb: str, table: str, ports: Sequence[PortRule]) -> str:
    elements: dict[str, list[str]] = {}
    single, runs = split_runs(ports)
    for first, last in runs:
        family = _family(first.address)
        elements.setdefault(f"runs{family}", []).append(
            f"{first.protocol} . {first.host_port}-{last.host_port} : {first.address}"
        )
    for port in single:
        family = _family(port.address)
        key, kind = f"{port.protocol} . {port.host_port}", "ports"
        if port.host_ip:
            key, kind = f"{port.host_ip} . {key}", "bound"
        elements.setdefault(f"{kind}{family}", []).append(
            f"{key} : {port.address} . {port.container_port}"
        )
    lines = (
        f"{verb} element inet {table} {name} {{ {', '.join(entries)} }}\n"
        for name, entries in elements.items()
    )
    return "".join(lines)


def _family(address: str) -> str:
    return str(ipaddress.ip_address(address).version)


def split_runs(
    ports: Iterable[PortRule],
) -> tuple[list[PortRule], list[tuple[PortRule, PortRule]]]:
    """Ports that stay single, and first and last of each run that fits one interval.

    nft has no shifted ranges, so only ports equal on both sides and bound to no address can run.
    """
    single: list[PortRule] = []
    runs: list[tuple[PortRule, PortRule]] = []
    for group in _consecutive(sorted(ports, key=_order)):
        if len(group) >= RUN_LENGTH:
            runs.append((group[0], group[-1]))
        else:
            single += group
    return single, runs


def _order(port: PortRule) -> tuple[str, str, str, int, int]:
    return (port.protocol, port.host_ip, port.address, port.host_port, port.container_port)


def _consecutive(ports: Sequence[PortRule]) -> Iterator[list[PortRule]]:
    group: list[PortRule] = []
    for port in ports:
        if group and not _follows(group[-1], port):
            yield group
            group = []
        group.append(port)
    if group:
        yield group


def _follows(before: PortRule, port: PortRule) -> bool:
    return (
        not port.host_ip
        and port.host_port == port.container_port
        and before.host_port == before.container_port
        and port.host_port == before.host_port + 1
        and (port.protocol, port.host_ip, port.address)
        == (before.protocol, before.host_ip, before.address)
    )
