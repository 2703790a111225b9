"""`wherry network connect`."""

from __future__ import annotations

from wherry.cli.errors import CliError
from wherry.client.query import escape_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wherry.cli.options import Option, Options
    from wherry.cli.session import Session

SYNTAX = "[OPTIONS] NETWORK CONTAINER"
ALIASES: tuple[str, ...] = ()
OPTIONS: tuple[Option, ...] = (
    ("alias", "", "strings", "Add network-scoped alias for the container"),
    ("driver-opt", "", "strings", "driver options for the network"),
    (
        "gw-priority",
        "",
        "int",
        ("Highest gw-priority provides the default gateway. Accepts positive and negative values."),
    ),
    ("ip", "", "string", 'IPv4 address (e.g., "172.30.100.104")'),
    ("ip6", "", "string", 'IPv6 address (e.g., "2001:db8::33")'),
    ("link", "", "list", "Add link to another container"),
    ("link-local-ip", "", "strings", "Add a link-local address for the container"),
)
ARGUMENTS = (2, 2)


def run(session: Session, options: Options, operands: list[str]) -> int:
    """Connects a container to a network."""
    endpoint: dict[str, object] = {}
    addresses: dict[str, object] = {}
    for name, field in (("ip", "IPv4Address"), ("ip6", "IPv6Address")):
        if options.text(name):
            addresses[field] = options.text(name)
    if options.items("link-local-ip"):
        addresses["LinkLocalIPs"] = options.items("link-local-ip")
    if addresses:
        endpoint["IPAMConfig"] = addresses
    if options.items("link"):
        endpoint["Links"] = options.items("link")
    if options.items("alias"):
        endpoint["Aliases"] = options.items("alias")
    if options.items("driver-opt"):
        if not all("=" in item for item in options.items("driver-opt")):
            raise CliError("invalid key/value pair format in driver options")
        endpoint["DriverOpts"] = options.pairs("driver-opt")
    if options.number("gw-priority"):
        endpoint["GwPriority"] = options.number("gw-priority")
    body = {"Container": operands[1], "EndpointConfig": endpoint}
    session.client.post(f"/networks/{escape_path(operands[0])}/connect", body=body)
    return 0
