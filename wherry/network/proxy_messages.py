"""What the daemon and the proxy of published ports say to each other: JSON, one message each way.

Orders travel on a SOCK_SEQPACKET connection to the control socket in the exec root; a long list is
several orders.
"""

import msgspec

CONTROL = "proxy.sock"
MESSAGE_SIZE = 1 << 17
BATCH = 500
"""Forwards in one order, so that it fits a message."""


class Forward(msgspec.Struct, frozen=True, array_like=True):
    """A listening socket of the host and the container's address and port behind it."""

    protocol: str
    host_ip: str
    host_port: int
    address: str
    port: int


class Order(msgspec.Struct, frozen=True):
    """`add` and `remove` forwards; `keep` adds and marks them, `sweep` removes all unmarked; `end`.

    `add` and `keep` are all or nothing.
    """

    verb: str
    forwards: list[Forward] = []


class Answer(msgspec.Struct, frozen=True):
    """`errno` 0 for success, else what refused which forward."""

    errno: int = 0
    forward: Forward | None = None
