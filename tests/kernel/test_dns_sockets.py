"""The sockets of the embedded DNS server in real namespaces: port 53 arrives, and stays free."""

import errno
import socket
from collections.abc import Iterator

import pytest

from tests.support.lan import nft
from tests.support.needs import needs_root
from tests.support.netns import NetworkNamespace
from wherry.linux.netlink.nftables import redirect_output
from wherry.linux.syscall import SyscallError
from wherry.runtime.resolver import open_sockets

pytestmark = needs_root


@pytest.fixture
def namespace() -> Iterator[NetworkNamespace]:
    with NetworkNamespace() as made:
        yield made


def say(kind: int, words: bytes) -> socket.socket:
    """A client that has sent words to 127.0.0.11:53."""
    client = socket.socket(socket.AF_INET, kind)
    client.settimeout(5)
    client.connect(("127.0.0.11", 53))
    client.send(words)
    return client


def test_what_is_sent_to_port_53_arrives_and_is_answered_from_there(
    namespace: NetworkNamespace,
) -> None:
    udp, tcp = namespace.run(open_sockets)
    with udp, tcp, namespace.run(say, socket.SOCK_DGRAM, b"udp") as client:
        udp.settimeout(5)
        data, peer = udp.recvfrom(100)
        udp.sendto(data.upper(), peer)
        assert client.recv(100) == b"UDP"  # a connected socket takes nothing from another port
        with namespace.run(say, socket.SOCK_STREAM, b"tcp") as stream:
            connection, _ = tcp.accept()
            with connection:
                connection.sendall(connection.recv(100).upper())
            assert stream.recv(100) == b"TCP"


def test_port_53_stays_free_for_a_server_on_all_addresses(namespace: NetworkNamespace) -> None:
    udp, tcp = namespace.run(open_sockets)
    with udp, tcp:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket_in(namespace, kind) as server:
                server.bind(("0.0.0.0", 53))
        with namespace.run(say, socket.SOCK_DGRAM, b"still ours"):
            udp.settimeout(5)
            assert udp.recv(100) == b"still ours"


def socket_in(namespace: NetworkNamespace, kind: int) -> socket.socket:
    return namespace.run(socket.socket, socket.AF_INET, kind)


def test_the_rules_are_what_nft_would_write(namespace: NetworkNamespace) -> None:
    ports = {socket.IPPROTO_UDP: 4000, socket.IPPROTO_TCP: 4001}
    namespace.run(redirect_output, "t", "127.0.0.11", 53, ports)
    found = namespace.run(nft, "list table ip t")
    chain = next(item["chain"] for item in found if "chain" in item)
    assert (chain["type"], chain["hook"], chain["prio"]) == ("nat", "output", -100)
    rules = [item["rule"]["expr"] for item in found if "rule" in item]
    for expressions, port in zip(rules, (4000, 4001), strict=True):
        assert {"dnat": {"addr": "127.0.0.11", "port": port}} in expressions  # type: ignore[operator]


def test_a_batch_that_is_refused_changes_nothing(namespace: NetworkNamespace) -> None:
    ports = {socket.IPPROTO_UDP: 4000}
    with pytest.raises(SyscallError, match="nf_tables"):
        namespace.run(redirect_output, "t" * 300, "127.0.0.11", 53, ports)
    assert namespace.run(nft, "list ruleset") == []


def test_without_nat_in_the_kernel_the_sockets_are_on_port_53(
    namespace: NetworkNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise SyscallError(errno.EOPNOTSUPP, "nf_tables")

    monkeypatch.setattr("wherry.runtime.resolver.redirect_output", refuse)
    udp, tcp = namespace.run(open_sockets)
    with udp, tcp, namespace.run(say, socket.SOCK_DGRAM, b"plain"):
        assert udp.recv(100) == b"plain"
        assert tcp.getsockname() == ("127.0.0.11", 53)
