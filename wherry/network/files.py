"""Contents of the files that the engine mounts into containers: hosts, hostname, resolv.conf."""

import ipaddress
from collections.abc import Sequence
from pathlib import Path

import msgspec

from wherry.base.errors import InvalidParameter
from wherry.network.endpoint import Endpoint

HOST_RESOLV_CONF = Path("/etc/resolv.conf")

SYSTEMD_RESOLV_CONF = Path("/run/systemd/resolve/resolv.conf")
"""Where systemd-resolved writes the real servers behind its stub at 127.0.0.53."""

FALLBACK_SERVERS = ("8.8.8.8", "8.8.4.4")
"""dockerd's default servers, used when the host's are all unreachable from a container."""

FALLBACK_SERVERS_V6 = ("2001:4860:4860::8888", "2001:4860:4860::8844")

EMBEDDED_SERVER = "127.0.0.11"
"""Where the engine's own DNS server is in a container, as in Docker's."""

_HOSTS_HEAD = (
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::\tip6-localnet",
    "ff00::\tip6-mcastprefix",
    "ff02::1\tip6-allnodes",
    "ff02::2\tip6-allrouters",
)


class ResolverSettings(msgspec.Struct, frozen=True):
    """What `--dns`, `--dns-search` and `--dns-option` say; empty lists keep the host's."""

    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def hostname_file(hostname: str) -> bytes:
    """The content of /etc/hostname."""
    return f"{hostname}\n".encode()


def hosts_file(
    hostname: str,
    domainname: str,
    endpoints: Sequence[Endpoint],
    extra_hosts: Sequence[str] = (),
    host_gateway: Sequence[str] = (),
) -> bytes:
    """The content of /etc/hosts for a container with a network namespace of its own.

    `extra_hosts` are `--add-host` values (`name:address`, or `name=address`); the address
    `host-gateway` becomes those of `host_gateway`. Raises InvalidParameter for a bad value.
    """
    lines = list(_HOSTS_HEAD)
    lines += extra_host_lines(extra_hosts, host_gateway)
    lines += _own_lines(hostname, domainname, endpoints)
    return ("\n".join(lines) + "\n").encode()


def renewed_hosts(
    content: bytes, hostname: str, domainname: str, endpoints: Sequence[Endpoint],
    gone: Sequence[Endpoint],
) -> bytes:  # fmt: skip
    """/etc/hosts of a running container whose endpoints have changed; all else stays."""
    lines = content.decode(errors="surrogateescape").splitlines()
    old = set(_own_lines(hostname, domainname, gone))
    kept = [line for line in lines if line not in old]
    kept += [x for x in _own_lines(hostname, domainname, endpoints) if x not in kept]
    return ("\n".join(kept) + "\n").encode(errors="surrogateescape")


def _own_lines(hostname: str, domainname: str, endpoints: Sequence[Endpoint]) -> list[str]:
    """The container's own names at each of its addresses."""
    full = f"{hostname}.{domainname}" if domainname else hostname
    bare, dot, _ = full.partition(".")
    names = f"{full} {bare}" if dot else full
    addresses = (a for e in endpoints for a in (e.ipv4, e.ipv6) if a)
    return [f"{address}\t{names}" for address in addresses]


def host_hosts_file(
    content: bytes, extra_hosts: Sequence[str] = (), host_gateway: Sequence[str] = ()
) -> bytes:
    """/etc/hosts of a container in the host's network: the host's own `content` and extras."""
    extra = extra_host_lines(extra_hosts, host_gateway)
    if not extra:
        return content
    head = content if content.endswith(b"\n") or not content else content + b"\n"
    return head + ("\n".join(extra) + "\n").encode()


def extra_host_lines(extra_hosts: Sequence[str], host_gateway: Sequence[str]) -> list[str]:
    """Lines of /etc/hosts for `--add-host` values; raises InvalidParameter for a bad one."""
    lines = []
    for entry in extra_hosts:
        name, address = split_extra_host(entry)
        if address == "host-gateway":
            if not host_gateway:
                raise InvalidParameter(
                    "unable to derive the IP value for host-gateway: use --host-gateway-ip"
                )
            lines += [f"{gateway}\t{name}" for gateway in host_gateway]
        else:
            lines.append(f"{address}\t{name}")
    return lines


def split_extra_host(entry: str) -> tuple[str, str]:
    """Name and address of an `--add-host` value, checked as the docker CLI checks it."""
    separator = "=" if "=" in entry else ":"
    name, found, address = entry.partition(separator)
    if not found or not name:
        raise InvalidParameter(f'bad format for add-host: "{entry}"')
    if address == "host-gateway":
        return name, address
    bare = address.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        raise InvalidParameter(f'invalid IP address in add-host: "{address}"') from None
    return name, bare


def read_host_resolv_conf(
    primary: Path = HOST_RESOLV_CONF, resolved: Path = SYSTEMD_RESOLV_CONF
) -> str:
    """The host's resolver configuration: systemd-resolved's real file if only its stub is named.

    A missing file reads as empty, as dockerd treats it.
    """
    text = _read(primary)
    if name_servers(text) == ["127.0.0.53"] and resolved.exists():
        return _read(resolved)
    return text


def resolv_conf(host: str, settings: ResolverSettings, *, ipv6: bool = False) -> bytes:
    """The content of /etc/resolv.conf for a container on the default bridge.

    Loopback servers of the `host`'s text cannot be reached from a container and are dropped, IPv6
    ones too unless the container has `ipv6`; if none remains, public servers take their place
    (dockerd's libnetwork/internal/resolvconf does the same). A search domain of "." empties the
    list.
    """
    if settings.servers:
        servers = list(settings.servers)
    else:
        servers = [server for server in name_servers(host) if _reachable(server, ipv6)]
        if not servers:
            servers = [*FALLBACK_SERVERS, *(FALLBACK_SERVERS_V6 if ipv6 else ())]
    search = list(settings.search) or _words(host, "search")
    options = list(settings.options) or _words(host, "options")
    lines = [f"nameserver {server}" for server in servers]
    if search and search != ["."]:
        lines.append("search " + " ".join(search))
    if options:
        lines.append("options " + " ".join(options))
    return ("\n".join(lines) + "\n").encode()


def internal_resolv_conf(host: str, settings: ResolverSettings) -> bytes:
    """/etc/resolv.conf of a container that asks the engine's own DNS server.

    Search domains and options are as on the default bridge; names are taken as they are first
    (`ndots:0`) unless an option says otherwise, so that a service's name needs no domain.
    """
    options = settings.options or tuple(_words(host, "options"))
    if not any(option.startswith("ndots:") for option in options):
        options = (*options, "ndots:0")
    return resolv_conf(host, ResolverSettings((EMBEDDED_SERVER,), settings.search, options))


def host_resolv_conf(host: str, settings: ResolverSettings) -> bytes:
    """/etc/resolv.conf of a container in the host's network: the host's, unless told otherwise."""
    if settings == ResolverSettings():
        return host.encode()
    servers = list(settings.servers) or name_servers(host)
    chosen = ResolverSettings(tuple(servers), settings.search, settings.options)
    return resolv_conf(host, chosen, ipv6=True) if servers else host.encode()


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return ""


def name_servers(text: str) -> list[str]:
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            found.append(words[1])
    return found


def _words(text: str, keyword: str) -> list[str]:
    """The words after the last line of a keyword: resolv.conf(5) lets the last instance win."""
    found: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if words and (words[0] == keyword or (keyword == "search" and words[0] == "domain")):
            found = words[1:]
    return found


def _reachable(server: str, ipv6: bool) -> bool:
    try:
        address = ipaddress.ip_address(server.partition("%")[0])
    except ValueError:
        return False
    if address.version == 6 and (not ipv6 or address.is_link_local):
        return False
    return not address.is_loopback
