"""The instance's nftables table in the kernel, kept equal to what its networks and ports need."""

import logging
from collections.abc import Callable, Sequence

from wherry.linux.capability import effective_names
from wherry.linux.nftables import Nftables, NftablesError, NftablesMissing
from wherry.network import rules
from wherry.network.errors import NetworkUnavailable
from wherry.network.rules import NetworkRules, OpenPort, PortRule

_log = logging.getLogger(__name__)


def _connect() -> Nftables:
    """The library, if the process may use it: without the right it writes to standard error."""
    if "CAP_NET_ADMIN" not in effective_names():
        raise NftablesError("Operation not permitted", "")
    return Nftables()


class Firewall:
    """Networks and published ports as rules; the table appears with the first network.

    What should be there is remembered, so that a table which somebody flushed is made again, in
    one transaction. With `enabled` false (dockerd's `--iptables=false`) nothing is written.
    """

    def __init__(
        self, table: str, *, enabled: bool = True, connect: Callable[[], Nftables] | None = None
    ) -> None:
        """`connect` opens libnftables in the thread's network namespace, at the first need."""
        self._table = table
        self._enabled = enabled
        self._connect = connect or _connect
        self._nftables: Nftables | None = None
        self._networks: dict[str, NetworkRules] = {}
        self._ports: dict[PortRule, None] = {}
        self._open: dict[OpenPort, None] = {}
        self._made = False

    @property
    def table(self) -> str:
        """The name of this instance's table."""
        return self._table

    @property
    def enabled(self) -> bool:
        """Whether rules are written at all."""
        return self._enabled

    def check(self) -> str | None:
        """Why published ports and NAT cannot work here, in one line; None if they can.

        Proves it by making and removing a table of another name with the kernel's help.
        """
        if not self._enabled:
            return None
        trial = f"{self._table}-trial"
        try:
            self._run(rules.create_table(trial))
            self._run(rules.delete_table(trial))
        except NetworkUnavailable as error:
            return error.message
        return None

    def add_network(self, network: NetworkRules) -> None:
        """Makes a bridge known; raises NetworkUnavailable in one line."""
        self.restore([network], [])

    def restore(
        self, networks: Sequence[NetworkRules], ports: Sequence[PortRule],
        opened: Sequence[OpenPort] = (),
    ) -> None:  # fmt: skip
        """Adds networks and ports in one transaction; the first call replaces an old table."""
        new_networks = [n for n in networks if self._networks.get(n.bridge) != n]
        new_ports = [port for port in ports if port not in self._ports]
        new_open = [port for port in opened if port not in self._open]
        self._networks.update({network.bridge: network for network in new_networks})
        self._ports.update(dict.fromkeys(new_ports))
        self._open.update(dict.fromkeys(new_open))
        if not self._enabled or not (new_networks or new_ports or new_open):
            return
        try:
            if self._made:
                self._apply(
                    "".join(rules.add_network(self._table, n) for n in new_networks)
                    + rules.add_ports(self._table, new_ports)
                    + rules.add_open_ports(self._table, new_open)
                )
            else:
                self.rebuild()
        except NetworkUnavailable:
            for network in new_networks:
                self._networks.pop(network.bridge, None)
            for port in new_ports:
                self._ports.pop(port, None)
            for opening in new_open:
                self._open.pop(opening, None)
            raise

    def remove_network(self, bridge: str) -> None:
        """Forgets a bridge; the table goes with the last one."""
        network = self._networks.pop(bridge, None)
        if network is None or not self._made:
            return
        if self._networks:
            self._apply(rules.remove_network(self._table, network))
        else:
            self.remove_table()

    def publish(self, ports: Sequence[PortRule], opened: Sequence[OpenPort] = ()) -> None:
        """Publishes ports; raises NetworkUnavailable in one line."""
        self.restore([], ports, opened)

    def withdraw(self, ports: Sequence[PortRule], opened: Sequence[OpenPort] = ()) -> None:
        """Takes published ports back; unknown ones are ignored."""
        known = [port for port in ports if self._ports.pop(port, True) is None]
        known_open = [port for port in opened if self._open.pop(port, True) is None]
        if (known or known_open) and self._made:
            self._apply(
                rules.remove_ports(self._table, known)
                + rules.remove_open_ports(self._table, known_open)
            )

    def rebuild(self) -> None:
        """Makes the whole table anew from what should be there, in one transaction."""
        self._run(
            rules.create_table(self._table)
            + "".join(rules.add_network(self._table, n) for n in self._networks.values())
            + rules.add_ports(self._table, list(self._ports))
            + rules.add_open_ports(self._table, list(self._open))
        )
        self._made = True

    def repair(self, damaged: bool) -> None:
        """Makes the table anew if others removed it, or (`damaged`) changed something in it."""
        if not self._made or not self._networks:
            return
        found = self._library().query("list tables inet")
        gone = not any(entry.get("table", {}).get("name") == self._table for entry in found)
        if gone or damaged:
            what = "removed" if gone else "changed"
            _log.warning("nftables table %s was %s by others: making it anew", self._table, what)
            self.rebuild()

    def remove_table(self) -> None:
        """Removes the table and all in it, also one that an earlier daemon left."""
        self._made = False
        if self._enabled:
            self._run(rules.delete_table(self._table))

    def close(self) -> None:
        """Frees the library's context; the table stays."""
        if self._nftables is not None:
            self._nftables.close()
            self._nftables = None

    def chains(self) -> list[dict[str, object]]:
        """All chains of the namespace as nft describes them, other tools' too."""
        try:
            found = self._library().query("list chains")
        except NftablesError as error:
            _log.debug("cannot list the chains of the firewall: %s", error.text)
            return []
        return [dict(entry["chain"]) for entry in found if "chain" in entry]

    def run_foreign(self, commands: str) -> None:
        """Applies commands to another tool's table; raises NftablesError."""
        self._library().run(commands)

    def rules_of(self, family: str, table: str, chain: str) -> list[dict[str, object]]:
        """The rules of another tool's chain as nft describes them; raises NftablesError."""
        found = self._library().query(f"list chain {family} {table} {chain}")
        return [dict(entry["rule"]) for entry in found if "rule" in entry]

    def _apply(self, commands: str) -> None:
        """Runs commands; if the table is not as it was left, makes it anew instead."""
        try:
            self._library().run(commands)
        except NftablesError as error:
            if not (error.missing_object or error.exists):
                raise self._unavailable(error) from None
            self.repair(damaged=True)

    def _run(self, commands: str) -> None:
        try:
            self._library().run(commands)
        except NftablesError as error:
            raise self._unavailable(error) from None

    def _library(self) -> Nftables:
        if self._nftables is None:
            try:
                self._nftables = self._connect()
            except NftablesError as error:
                raise self._unavailable(error) from None
            except NftablesMissing as error:
                raise NetworkUnavailable(
                    f"bridge networks need nftables: {error.message}; containers with --network "
                    "none or host still run, and so do all with the daemon's --iptables=false"
                ) from None
        return self._nftables

    def _unavailable(self, error: NftablesError) -> NetworkUnavailable:
        if error.not_permitted:
            reason = "the daemon has no right to change nftables (CAP_NET_ADMIN)"
        else:
            reason = f"the kernel refused nftables table {self._table}: {error.text}"
        return NetworkUnavailable(
            f"bridge networks need nftables with NAT: {reason}; containers with --network none "
            "or host still run"
        )
