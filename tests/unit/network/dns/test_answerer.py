"""Who answers a question: the names of the container's networks, its name servers, or nobody."""

from tests.unit.network.dns.test_message import ask
from wherry.network.dns import message as m
from wherry.network.dns.answerer import Answerer
from wherry.network.dns.forwarder import Forwarder
from wherry.network.dns.messages import Member, Place
from wherry.network.dns.namespaces import Namespace
from wherry.network.dns.upstream import Upstream, open_here
from wherry.network.dns.zones import Zones

HERE = Namespace(-1)
"""The asker's namespace."""


def answerer(**settings: object) -> Answerer:
    """One that knows `web` with an address of each family, asked by `app`."""
    zones = Zones()
    web = Place("n", "front", ("web",), ("10.0.0.2", "fd00::2"), ("10.0.0.0/24",))
    app = Place("n", "front", ("app",), ("10.0.0.3",), ("10.0.0.0/24",))
    zones.set(Member("web", "1:1", (web,)))
    zones.set(Member("app", "1:1", (app,), **settings))  # type: ignore[arg-type]
    return Answerer(zones, Forwarder(open_here), lambda: ("192.0.2.53",))


def codes(there: Answerer, data: bytes) -> tuple[int, list[int]]:
    """Response code and types of the records of an answer given at once."""
    found = there.at_once("app", data, HERE)
    assert isinstance(found, bytes)
    return m.rcode(found), [item.type for item in m.records(found) if item.type != m.OPT]


def forwarded(there: Answerer, data: bytes) -> bool:
    return isinstance(there.at_once("app", data, HERE), m.Query)


def test_each_type_of_a_containers_name_has_its_answer() -> None:
    there = answerer()
    assert codes(there, ask("web")) == (m.NOERROR, [m.A])
    assert codes(there, ask("web", m.AAAA)) == (m.NOERROR, [m.AAAA])
    assert codes(there, ask("web", m.ANY)) == (m.NOERROR, [m.A, m.AAAA])
    assert codes(there, ask("app", m.AAAA)) == (m.NOERROR, [])
    mail, text = 15, 16
    for kind in (mail, text):
        assert codes(there, ask("web", kind)) == (m.NOERROR, [])
    assert codes(there, ask("2.0.0.10.in-addr.arpa", m.PTR)) == (m.NOERROR, [m.PTR])


def test_names_of_one_label_stay_here_and_others_go() -> None:
    there = answerer()
    assert codes(there, ask("intranet")) == (m.NXDOMAIN, [])
    assert codes(there, ask("77.0.0.10.in-addr.arpa", m.PTR)) == (m.NXDOMAIN, [])
    assert forwarded(there, ask("intranet.example"))
    assert forwarded(there, ask("1.2.0.192.in-addr.arpa", m.PTR))
    assert forwarded(there, ask("com", m.NS))
    assert forwarded(there, ask("", m.NS))


def test_own_servers_are_asked_from_inside_and_the_hosts_from_outside() -> None:
    there = answerer()
    own = Member("app", "1:1", servers=("127.0.0.1",), host_servers=("192.0.2.1",), external=False)
    assert there.upstreams(own, HERE) == (Upstream("127.0.0.1", namespace=HERE),)
    told = Member("app", "1:1", host_servers=("192.0.2.1",))
    assert there.upstreams(told, HERE) == (Upstream("192.0.2.1"),)
    assert there.upstreams(Member("app", "1:1"), HERE) == (Upstream("192.0.2.53"),)


def test_internal_networks_have_nobody_to_ask() -> None:
    there = answerer(external=False, host_servers=("192.0.2.1",))
    assert codes(there, ask("web")) == (m.NOERROR, [m.A])
    assert codes(there, ask("secret.attacker.example")) == (m.SERVFAIL, [])


def test_what_is_no_question_is_told_so_or_passed_over() -> None:
    there = answerer()
    assert codes(there, ask("web")[:-1])[0] == m.FORMERR
    assert codes(there, ask("web", flags=0x2000))[0] == m.NOTIMP
    assert there.at_once("app", b"junk", HERE) is None
    assert there.at_once("app", ask("web", flags=m.QR), HERE) is None
