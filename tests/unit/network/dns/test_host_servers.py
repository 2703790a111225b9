"""The host's name servers are followed when its resolv.conf changes."""

from pathlib import Path

from wherry.network.dns.host_servers import HostServers
from wherry.network.files import FALLBACK_SERVERS


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_a_changed_file_is_read_again_and_said(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver 127.0.0.53\nnameserver 192.0.2.1\n")
    changes: list[int] = []
    servers = HostServers(on_change=lambda: changes.append(1), path=path, clock=Clock())
    assert servers() == ("127.0.0.53", "192.0.2.1")
    assert servers() == ("127.0.0.53", "192.0.2.1")
    replaced = tmp_path / "new"
    replaced.write_text("nameserver 192.0.2.2\n")
    replaced.rename(path)
    assert servers() == ("192.0.2.2",)
    assert len(changes) == 2


def test_what_is_no_address_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver dns.example\nnameserver fe80::1%eth0\nnameserver ::1\n")
    servers = HostServers(on_change=lambda: None, path=path, clock=Clock())
    assert servers() == ("fe80::1%eth0", "::1")


def test_without_any_the_public_ones_are_asked_as_dockerd_does(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    servers = HostServers(on_change=lambda: None, path=path, clock=Clock())
    assert servers() == FALLBACK_SERVERS
    path.write_text("search example\n")
    assert servers() == FALLBACK_SERVERS
