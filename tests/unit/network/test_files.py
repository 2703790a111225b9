"""hosts, hostname and resolv.conf of containers."""

from pathlib import Path

import pytest

from wherry.base.errors import InvalidParameter
from wherry.network.endpoint import Endpoint
from wherry.network.files import (
    ResolverSettings,
    host_hosts_file,
    host_resolv_conf,
    hostname_file,
    hosts_file,
    read_host_resolv_conf,
    resolv_conf,
)

ENDPOINT = Endpoint(
    network="n", network_name="bridge", endpoint_id="e", container_id="c", container_name="web",
    interface="eth0", ipv4="172.17.0.2",
)  # fmt: skip


def test_hosts_is_dockers_with_the_containers_own_name() -> None:
    text = hosts_file("web", "", [ENDPOINT]).decode()
    assert text.splitlines()[0] == "127.0.0.1\tlocalhost"
    assert text.endswith("172.17.0.2\tweb\n")
    for host, domain in (("web", "lan"), ("web.lan", "")):
        text = hosts_file(host, domain, [ENDPOINT]).decode()
        assert text.endswith("172.17.0.2\tweb.lan web\n")


def test_extra_hosts_come_before_the_own_name_and_know_the_host_gateway() -> None:
    extra = ["db:10.0.0.5", "six=[fd00::5]", "host.docker.internal:host-gateway"]
    lines = hosts_file("web", "", [ENDPOINT], extra, ["172.17.0.1"]).decode().splitlines()
    assert lines[-4:] == [
        "10.0.0.5\tdb",
        "fd00::5\tsix",
        "172.17.0.1\thost.docker.internal",
        "172.17.0.2\tweb",
    ]


@pytest.mark.parametrize("bad", ["db", "db:nowhere", ":10.0.0.1"])
def test_a_bad_extra_host_is_named(bad: str) -> None:
    with pytest.raises(InvalidParameter, match="add-host"):
        hosts_file("web", "", [], [bad])


def test_host_gateway_without_a_gateway_says_what_to_do() -> None:
    with pytest.raises(InvalidParameter, match="--host-gateway-ip"):
        hosts_file("web", "", [], ["h:host-gateway"])


def test_a_container_in_the_hosts_network_has_the_hosts_file_and_the_extras() -> None:
    assert host_hosts_file(b"127.0.0.1 me", ["db:10.0.0.5"]) == b"127.0.0.1 me\n10.0.0.5\tdb\n"
    assert host_hosts_file(b"127.0.0.1 me") == b"127.0.0.1 me"


def test_hostname_ends_in_a_newline() -> None:
    assert hostname_file("web") == b"web\n"


def test_servers_that_a_container_can_reach_are_kept_with_search_and_options() -> None:
    host = "# c\nnameserver 10.0.0.53\nnameserver fd00::53\nsearch a.example b\noptions ndots:2\n"
    assert resolv_conf(host, ResolverSettings()) == (
        b"nameserver 10.0.0.53\nsearch a.example b\noptions ndots:2\n"
    )
    assert b"fd00::53" in resolv_conf(host, ResolverSettings(), ipv6=True)


def test_loopback_servers_alone_are_replaced_by_public_ones() -> None:
    host = "nameserver 127.0.0.1\nnameserver ::1\n"
    assert resolv_conf(host, ResolverSettings()) == (b"nameserver 8.8.8.8\nnameserver 8.8.4.4\n")


def test_options_of_the_user_replace_the_hosts() -> None:
    settings = ResolverSettings(("1.1.1.1",), (".",), ("timeout:1",))
    assert resolv_conf("nameserver 10.0.0.53\nsearch lan\n", settings) == (
        b"nameserver 1.1.1.1\noptions timeout:1\n"
    )


def test_a_container_in_the_hosts_network_keeps_loopback_servers() -> None:
    host = "nameserver 127.0.0.53\n"
    assert host_resolv_conf(host, ResolverSettings()) == host.encode()
    assert host_resolv_conf(host, ResolverSettings(search=("lan",))) == (
        b"nameserver 127.0.0.53\nsearch lan\n"
    )


def test_the_stub_of_systemd_resolved_is_replaced_by_its_real_file(tmp_path: Path) -> None:
    stub, real = tmp_path / "stub", tmp_path / "real"
    stub.write_text("nameserver 127.0.0.53\n")
    assert read_host_resolv_conf(stub, real) == "nameserver 127.0.0.53\n"
    real.write_text("nameserver 10.0.0.53\n")
    assert read_host_resolv_conf(stub, real) == "nameserver 10.0.0.53\n"
    assert read_host_resolv_conf(tmp_path / "absent", real) == ""
