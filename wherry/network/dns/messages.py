"""What the daemon and the dns process say to each other: JSON on SOCK_SEQPACKET, with descriptors.

Hello and End do not change between releases: by them a daemon replaces a process of another one.
"""

import msgspec

PROTOCOL = 1
MESSAGE_SIZE = 1 << 17
SOCKETS = 4
"""Descriptors that come with a member: UDP and TCP sockets, network namespace, pidfd."""


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """A container's place on one network: what others there call it, and where it is.

    The first name is the one that reverse look-ups give. `links` are names that this container
    alone uses for others; `subnets`, in CIDR form, are the network's.
    """

    network: str
    network_name: str
    names: tuple[str, ...]
    addresses: tuple[str, ...]
    subnets: tuple[str, ...] = ()
    links: dict[str, str] = {}


class Member(msgspec.Struct, frozen=True, omit_defaults=True):
    """A running container. `incarnation` tells one run of it from the next.

    `servers` are its own name servers, asked from inside its network namespace; without any those
    of `host_servers`, or else of the host's resolv.conf, are asked from the host's. With `external`
    false it is on internal networks alone, and the host asks nobody for it.
    """

    id: str
    incarnation: str
    places: tuple[Place, ...] = ()
    servers: tuple[str, ...] = ()
    host_servers: tuple[str, ...] = ()
    external: bool = True


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The first message of a daemon; answered with what the process is."""

    protocol: int = PROTOCOL


class SetMember(msgspec.Struct, frozen=True, tag="set"):
    """A container is there, or has changed; descriptors come along unless they are there already.

    Without any its names are known to others, and it is not answered itself.
    """

    member: Member


class RemoveMember(msgspec.Struct, frozen=True, tag="remove"):
    """A container has ended, or left its last network of a user's."""

    id: str


class BeginSync(msgspec.Struct, frozen=True, tag="begin"):
    """The daemon tells of every container from now on."""


class EndSync(msgspec.Struct, frozen=True, tag="sync"):
    """Those that it has not told of since the beginning have ended."""


class End(msgspec.Struct, frozen=True, tag="end"):
    """Closes everything and ends the process."""


Request = Hello | SetMember | RemoveMember | BeginSync | EndSync | End


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a request; to SetMember `serving` says whether the container is answered."""

    error: str = ""
    protocol: int = PROTOCOL
    release: str = ""
    serving: bool = False
