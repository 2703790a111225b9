"""What a container's question is answered: by the names of its networks, or by name servers."""

import logging
from collections import Counter
from collections.abc import Callable

from wherry.network.dns import message as m
from wherry.network.dns.forwarder import Forwarder
from wherry.network.dns.messages import Member
from wherry.network.dns.namespaces import Namespace
from wherry.network.dns.upstream import Upstream
from wherry.network.dns.zones import Zones

_log = logging.getLogger("wherry.dns")

TTL = 5
"""Seconds that a container may keep another's address, which changes with its next start."""

_ABOUT_DOMAINS = frozenset({m.NS, m.SOA, m.DS, m.DNSKEY})
"""Types that are asked of domains of one label, never of hosts."""

_VERSIONS = {m.A: (4,), m.AAAA: (6,), m.ANY: (4, 6)}


class Answerer:
    """Answers questions of any container; says for each whether somebody else has to be asked."""

    def __init__(
        self, zones: Zones, forwarder: Forwarder, host_servers: Callable[[], tuple[str, ...]]
    ) -> None:
        """`host_servers` are those of the host's resolv.conf, as it is now."""
        self._zones = zones
        self._forwarder = forwarder
        self._host_servers = host_servers
        self.counts: Counter[str] = Counter()

    def at_once(self, asker: str, data: bytes, namespace: Namespace) -> bytes | m.Query | None:
        """The whole answer; or the query if it has to be forwarded; None if there is no answer.

        `namespace` is the asker's network namespace.
        """
        try:
            query = m.parse_query(data)
        except m.MalformedMessage as error:
            _log.debug("container %s: %s", asker[:12], error)
            self.counts["malformed"] += 1
            return m.failure(data, m.FORMERR)
        if query.opcode:
            return m.reply(query, m.NOTIMP)
        local = self._local(asker, query) if query.cls == m.IN else None
        if local is not None:
            self.counts["local"] += 1
            return local
        member = self._zones.member(asker)
        if member is None or not _may_leave(query):
            return m.reply(query, m.NXDOMAIN)
        upstreams = self.upstreams(member, namespace)
        if not upstreams:
            return m.reply(query, m.SERVFAIL)
        return self._forwarder.cached(query, upstreams) or query

    async def later(self, asker: str, query: m.Query, data: bytes, namespace: Namespace) -> bytes:
        """The answer to a query that has to be forwarded."""
        member = self._zones.member(asker)
        upstreams = self.upstreams(member, namespace) if member else ()
        return await self._forwarder.resolve(query, data, upstreams)

    def upstreams(self, member: Member, namespace: Namespace) -> tuple[Upstream, ...]:
        """Whom to ask for a container: its own servers from inside, or the host's from outside.

        For a container on internal networks alone nobody is asked from the host, which could reach
        what the container must not (CVE-2024-29018).
        """
        if member.servers:
            return tuple(Upstream(item, namespace=namespace) for item in member.servers)
        if not member.external:
            return ()
        return tuple(Upstream(item) for item in member.host_servers or self._host_servers())

    def _local(self, asker: str, query: m.Query) -> bytes | None:
        """The answer about containers, None if the question is about none."""
        address = m.reverse_address(query.labels)
        if address is not None:
            name = self._zones.name(asker, address)
            if name is None:
                return None
            if not name:
                return m.reply(query, m.NXDOMAIN)
            wanted = query.type in (m.PTR, m.ANY)
            return m.reply(query, m.NOERROR, [m.pointer_record(name)] if wanted else [], TTL)
        found: list[tuple[int, bytes]] = []
        for version in _VERSIONS.get(query.type, (4,)):
            addresses = self._zones.addresses(asker, query.labels, version)
            if addresses is None:
                return None
            if query.type in _VERSIONS:
                found += [m.address_record(item) for item in addresses]
        return m.reply(query, m.NOERROR, found, TTL)


def _may_leave(query: m.Query) -> bool:
    """Names of one label are a container's, or are completed by the search list; none leaves."""
    return len(query.labels) != 1 or query.type in _ABOUT_DOMAINS
