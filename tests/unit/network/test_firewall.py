"""The firewall keeps one table as it should be, and says in one line why it cannot."""

from typing import Any

import pytest

from wherry.linux.nftables import Nftables, NftablesError, NftablesMissing
from wherry.network.errors import NetworkUnavailable
from wherry.network.firewall import Firewall
from wherry.network.foreign import ForeignFirewalls
from wherry.network.rules import NetworkRules, PortRule

NETWORK = NetworkRules("wherry0", ("172.17.0.0/16",))
PORT = PortRule("tcp", "", 8080, "172.17.0.2", 80)


class FakeNftables(Nftables):
    """Records what is run, and refuses it when told to."""

    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.chains: list[dict[str, Any]] = []
        self.ran: list[str] = []

    def run(self, commands: str) -> None:
        """Keeps the commands."""
        if self.refusal:
            raise NftablesError(self.refusal, commands)
        self.ran.append(commands)

    def query(self, command: str) -> list[dict[str, Any]]:
        """The chains that the test made up."""
        return [{"chain": chain} for chain in self.chains]

    def close(self) -> None:
        """Nothing to free."""


def make(nftables: FakeNftables) -> Firewall:
    return Firewall("wherry", connect=lambda: nftables)


def test_the_table_is_made_with_the_first_network_and_goes_with_the_last() -> None:
    nftables = FakeNftables()
    firewall = make(nftables)
    firewall.add_network(NETWORK)
    assert "table inet wherry {" in nftables.ran[0]
    firewall.remove_network("wherry0")
    assert nftables.ran[-1] == "add table inet wherry\ndelete table inet wherry\n"


def test_a_running_containers_network_and_ports_come_back_in_one_transaction() -> None:
    nftables = FakeNftables()
    make(nftables).restore([NETWORK], [PORT])
    assert len(nftables.ran) == 1
    assert "bridges" in nftables.ran[0] and "tcp . 8080" in nftables.ran[0]


def test_what_is_there_already_is_not_added_again() -> None:
    nftables = FakeNftables()
    firewall = make(nftables)
    firewall.restore([NETWORK], [PORT])
    firewall.restore([NETWORK], [PORT])
    assert len(nftables.ran) == 1


def test_withdrawing_an_unknown_port_changes_nothing() -> None:
    nftables = FakeNftables()
    firewall = make(nftables)
    firewall.add_network(NETWORK)
    firewall.withdraw([PORT])
    assert len(nftables.ran) == 1


def test_a_table_that_others_flushed_is_made_anew_with_all_that_belongs_in_it() -> None:
    nftables = FakeNftables()
    firewall = make(nftables)
    firewall.restore([NETWORK], [PORT])

    class Flushed(FakeNftables):
        """Misses the table until it is made."""

        def run(self, commands: str) -> None:
            if "table inet wherry {" not in commands:
                raise NftablesError("No such file or directory", commands)
            super().run(commands)

    flushed = Flushed()
    firewall.close()
    firewall._connect = lambda: flushed
    firewall.publish([PortRule("udp", "", 53, "172.17.0.2", 53)])
    assert "tcp . 8080" in flushed.ran[0] and "udp . 53" in flushed.ran[0]


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        ("Could not process rule: Operation not permitted", "no right"),
        ("Could not process rule: Operation not supported", "refused nftables table"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_still_works(refusal: str, reason: str) -> None:
    firewall = make(FakeNftables(refusal))
    fault = firewall.check()
    assert fault is not None and reason in fault and "--network none" in fault
    assert "\n" not in fault
    with pytest.raises(NetworkUnavailable):
        firewall.add_network(NETWORK)


def test_a_missing_library_is_one_line_with_the_package() -> None:
    def connect() -> Nftables:
        raise NftablesMissing("libnftables.so.1 cannot be used: install the package libnftables1")

    fault = Firewall("wherry", connect=connect).check()
    assert fault is not None and "libnftables1" in fault and "--network none" in fault


def test_without_iptables_nothing_is_written() -> None:
    def connect() -> Nftables:
        raise AssertionError("nftables must not be opened")

    firewall = Firewall("wherry", enabled=False, connect=connect)
    firewall.restore([NETWORK], [PORT])
    firewall.withdraw([PORT])
    firewall.remove_network("wherry0")
    assert firewall.check() is None


def test_a_dropping_chain_of_firewalld_is_named_with_its_own_remedy_once() -> None:
    nftables = FakeNftables()
    nftables.chains = [
        {
            "family": "inet", "table": "firewalld", "name": "filter_FORWARD",
            "hook": "forward", "policy": "drop",
        }
    ]  # fmt: skip
    foreign = ForeignFirewalls(make(nftables), "wherry")
    lines = foreign.open_for("wherry0")
    assert len(lines) == 1 and "firewall-cmd" in lines[0] and "wherry0" in lines[0]
    assert foreign.open_for("wherry0") == []
