"""`--network` in its short and its long form, with the older options that belong to it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from wherry.cli.csv_fields import split_csv
from wherry.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wherry.cli.options import Options

_PREDEFINED = ("default", "bridge", "host", "none")


class Attachment:
    """One `--network`: its name and the settings of the endpoint."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.aliases: list[str] = []
        self.links: list[str] = []
        self.driver_options: dict[str, str] = {}
        self.ipv4 = ""
        self.ipv6 = ""
        self.link_local: list[str] = []
        self.mac_address = ""
        self.gateway_priority = 0

    @property
    def user_defined(self) -> bool:
        """Whether the network is one that a user made."""
        return self.target not in _PREDEFINED and not self.target.startswith("container:")

    def settings(self) -> dict[str, Any]:
        """EndpointSettings, with only what was set."""
        if not self.target.strip():
            raise CliError("no name set for network")
        if not self.user_defined:
            if self.aliases:
                raise CliError(
                    "network-scoped aliases are only supported for user-defined networks"
                )
            if self.links:
                raise CliError("links are only supported for user-defined networks")
        settings: dict[str, Any] = {}
        if self.aliases:
            settings["Aliases"] = self.aliases
        if self.driver_options:
            settings["DriverOpts"] = self.driver_options
        if self.links:
            settings["Links"] = self.links
        if self.gateway_priority:
            settings["GwPriority"] = self.gateway_priority
        if self.ipv4 or self.ipv6 or self.link_local:
            addresses: dict[str, Any] = {}
            if self.ipv4:
                addresses["IPv4Address"] = self.ipv4
            if self.ipv6:
                addresses["IPv6Address"] = self.ipv6
            if self.link_local:
                addresses["LinkLocalIPs"] = self.link_local
            settings["IPAMConfig"] = addresses
        if self.mac_address:
            settings["MacAddress"] = check_mac(self.mac_address)
        return settings


def check_mac(text: str) -> str:
    """A hardware address of 6, 8 or 20 bytes, as Go's net.ParseMAC takes it."""
    bare = text.strip().replace("-", ":").replace(".", "")
    parts = bare.split(":")
    digits = "".join(parts)
    good = all(len(part) == 2 for part in parts) if ":" in bare else "." in text
    if not good or len(digits) not in (12, 16, 40) or not _is_hex(digits):
        raise CliError(f"{text} is not a valid mac address")
    return text


def _is_hex(text: str) -> bool:
    return all(mark in "0123456789abcdefABCDEF" for mark in text)


def _is_long(text: str) -> bool:
    """Whether a word stands on both sides of some `=` (docker/cli's regular expression)."""
    position = text.find("=")
    while position > 0:
        before, after = text[position - 1], text[position + 1 : position + 2]
        if (before.isalnum() or before == "_") and (after.isalnum() or after == "_"):
            return True
        position = text.find("=", position + 1)
    return False


def parse_network(text: str) -> Attachment:
    """One `--network` value."""
    if not _is_long(text):
        return Attachment(text)
    attachment = Attachment("")
    for field in split_csv(text):
        key, equals, value = field.lower().partition("=")
        if not equals or not key:
            raise CliError(f"invalid field {field}")
        _set_field(attachment, key.strip(), value.strip())
    if not attachment.target:
        raise CliError("network name/id is not specified")
    return attachment


def _set_field(attachment: Attachment, key: str, value: str) -> None:
    match key:
        case "name":
            attachment.target = value
        case "alias":
            attachment.aliases.append(value)
        case "ip":
            attachment.ipv4 = value
        case "ip6":
            attachment.ipv6 = value
        case "mac-address":
            attachment.mac_address = value
        case "link-local-ip":
            attachment.link_local.append(value)
        case "driver-opt":
            name, equals, setting = value.partition("=")
            if not equals or not name:
                raise CliError("invalid key value pair format in driver options")
            attachment.driver_options[name.strip()] = setting.strip()
        case "gw-priority":
            try:
                attachment.gateway_priority = int(value)
            except ValueError:
                raise CliError(f"invalid gw-priority ({value}): invalid syntax") from None
        case _:
            raise CliError(f"invalid field key {key}")


def _apply_older_options(attachment: Attachment, options: Options) -> None:
    for name, mine, theirs in (
        ("--network-alias and per-network alias", attachment.aliases, "network-alias"),
        ("--link and per-network links", attachment.links, "link"),
        (
            "--link-local-ip and per-network link-local IP addresses",
            attachment.link_local,
            "link-local-ip",
        ),
    ):
        if mine and options.items(theirs):
            raise CliError(f"conflicting options: cannot specify both {name}")
    for name, given, theirs in (
        ("--ip and per-network IPv4 address", attachment.ipv4, "ip"),
        ("--ip6 and per-network IPv6 address", attachment.ipv6, "ip6"),
        ("--mac-address and per-network MAC address", attachment.mac_address, "mac-address"),
    ):
        if given and options.text(theirs):
            raise CliError(f"conflicting options: cannot specify both {name}")
    attachment.aliases = attachment.aliases or options.items("network-alias")
    if attachment.user_defined:
        attachment.links = attachment.links or options.items("link")
    attachment.ipv4 = attachment.ipv4 or _typed(options.text("ip"), IPv4Address)
    attachment.ipv6 = attachment.ipv6 or _typed(options.text("ip6"), IPv6Address)
    attachment.mac_address = attachment.mac_address or options.text("mac-address")
    attachment.link_local = attachment.link_local or options.items("link-local-ip")


def _typed(text: str, kind: type[IPv4Address] | type[IPv6Address]) -> str:
    if not text:
        return ""
    try:
        address = ip_address(text)
    except ValueError:
        raise CliError(f"invalid IP address: {text}") from None
    return text if isinstance(address, kind) else ""


def network_settings(options: Options) -> tuple[str, dict[str, dict[str, Any]]]:
    """(NetworkMode, EndpointsConfig) of the create body."""
    attachments = [parse_network(text) for text in options.items("network")]
    if not attachments:
        attachment = Attachment("default")
        _apply_older_options(attachment, options)
        return "default", {"default": attachment.settings()}
    endpoints: dict[str, dict[str, Any]] = {}
    kinds = set()
    for index, attachment in enumerate(attachments):
        kinds.add(attachment.user_defined)
        if index == 0:
            _apply_older_options(attachment, options)
        settings = attachment.settings()
        if attachment.target in endpoints:
            raise CliError(f'network "{attachment.target}" is specified multiple times')
        if len(attachments) > 1 or settings:
            endpoints[attachment.target] = settings
    if len(kinds) > 1:
        raise CliError(
            "conflicting options: cannot attach both user-defined and non-user-defined "
            "network-modes"
        )
    return attachments[0].target, endpoints
