"""Who is called what, where: the names of containers, each network a zone of its own."""

import ipaddress
from collections.abc import Sequence

from wherry.network.dns.message import Labels
from wherry.network.dns.messages import Member, Place


class Zones:
    """Names and addresses of running containers, as one of them may see them."""

    def __init__(self) -> None:
        self._members: dict[str, Member] = {}
        self._names: dict[str, dict[str, dict[str, Place]]] = {}
        self._turn = 0

    def set(self, member: Member) -> None:
        """Takes a container in, in place of what was known of it."""
        self.remove(member.id)
        self._members[member.id] = member
        for place in member.places:
            names = self._names.setdefault(place.network, {})
            for name in place.names:
                names.setdefault(name.lower(), {})[member.id] = place

    def remove(self, identifier: str) -> None:
        """Forgets a container; an unknown one is ignored."""
        member = self._members.pop(identifier, None)
        for place in member.places if member else ():
            names = self._names[place.network]
            for name in {name.lower() for name in place.names}:
                del names[name][identifier]
                if not names[name]:
                    del names[name]
            if not names:
                del self._names[place.network]

    def member(self, identifier: str) -> Member | None:
        """What is known of a container."""
        return self._members.get(identifier)

    def ids(self) -> list[str]:
        """Every container."""
        return list(self._members)

    def addresses(self, asker: str, labels: Labels, version: int) -> list[str] | None:
        """Addresses of a name as a container sees it: none if it has none of the family.

        None if there is no such name on the container's networks. Several come in turns.
        """
        name = _dotted(labels)
        member = self._members.get(asker)
        exists = False
        for place in member.places if member and name else ():
            for found in self._named(place, name):
                exists = True
                addresses = [
                    address
                    for other in found
                    for address in other.addresses
                    if ipaddress.ip_address(address).version == version
                ]
                if addresses:
                    return self._rotated(addresses)
        return [] if exists else None

    def name(self, asker: str, address: str) -> str | None:
        """The name of an address on a container's networks: empty if nobody there has it.

        None if the address is none of those networks'.
        """
        parsed = ipaddress.ip_address(address)
        member = self._members.get(asker)
        inside = False
        for place in member.places if member else ():
            if not any(parsed in ipaddress.ip_network(item) for item in place.subnets):
                continue
            inside = True
            for named in self._names[place.network].values():
                for other in named.values():
                    if address in other.addresses and other.names:
                        return f"{other.names[0]}.{other.network_name}"
        return "" if inside else None

    def _named(self, place: Place, name: str) -> list[Sequence[Place]]:
        """Who has the name on a network, also as `name.network`; links count first."""
        names = self._names[place.network]
        suffix = f".{place.network_name.lower()}"
        links = {alias.lower(): target.lower() for alias, target in place.links.items()}
        found: list[Sequence[Place]] = []
        for candidate in (name, name.removesuffix(suffix) if name.endswith(suffix) else ""):
            for key in (links.get(candidate, ""), candidate):
                if key in names:
                    found.append(list(names[key].values()))
        return found

    def _rotated(self, addresses: list[str]) -> list[str]:
        self._turn += 1
        first = self._turn % len(addresses)
        return addresses[first:] + addresses[:first]


def _dotted(labels: Labels) -> str:
    """A name as text, empty if no container can be called so."""
    if any(b"." in label for label in labels):
        return ""
    try:
        return b".".join(labels).decode()
    except UnicodeDecodeError:
        return ""
