"""Options of networks and endpoints: read under Docker's names, refused where they cannot be."""

import pytest

from wherry.base.errors import InvalidParameter
from wherry.network import driver_options as opt


@pytest.mark.parametrize(("driver", "options", "internal"), [
    ("bridge", {opt.GATEWAY_MODES[4]: "odd"}, False),
    ("bridge", {opt.GATEWAY_MODES[6]: "isolated"}, False),
    ("bridge", {opt.HOST_BINDING: "::1"}, False),
    ("bridge", {opt.SOURCE_ADDRESSES[6]: "10.0.0.1"}, False),
    ("bridge", {opt.TRUSTED_INTERFACES: "eth0:a b"}, False),
    ("bridge", {opt.INTERFACE_PREFIX: "a/b"}, False),
    ("bridge", {opt.INHIBIT_IPV4: "maybe"}, False),
    ("macvlan", {opt.MACVLAN_MODE: "l2"}, False),
    ("ipvlan", {opt.IPVLAN_MODE: "bridge"}, False),
    ("ipvlan", {opt.PARENT: "much-too-long-a-name"}, False),
])  # fmt: skip
def test_values_that_cannot_be_are_refused(
    driver: str, options: dict[str, str], internal: bool
) -> None:
    with pytest.raises(InvalidParameter):
        opt.check_options(driver, options, internal=internal)


def test_what_may_be_passes_and_so_do_options_of_others() -> None:
    opt.check_options("bridge", {opt.GATEWAY_MODES[4]: "isolated", "x.y": "z"}, internal=True)
    opt.check_options("bridge", {opt.GATEWAY_MODES[6]: "routed", opt.HOST_BINDING: "127.0.0.1"})
    opt.check_options("macvlan", {opt.PARENT: "eth0.5", opt.MACVLAN_MODE: "passthru"})
    opt.check_options("ipvlan", {opt.PARENT: "eth0", opt.IPVLAN_MODE: "l3s"})


def test_an_endpoint_names_its_interface_and_its_sysctls() -> None:
    found = opt.endpoint_options({
        opt.ENDPOINT_NAME: "up0",
        opt.ENDPOINT_SYSCTLS: "net.ipv4.conf.IFNAME.forwarding=1,net.ipv6.conf.IFNAME.mtu=1400",
    })  # fmt: skip
    assert found.interface == "up0"
    assert found.sysctls["net.ipv6.conf.IFNAME.mtu"] == "1400"


@pytest.mark.parametrize("bad", [
    "kernel.shmmax=1", "net.ipv4.conf.eth0.forwarding=1", "net.ipv4.conf.IFNAME.forwarding",
    "net.ipv4.conf.IFNAME.../../kernel=1",
])  # fmt: skip
def test_sysctls_that_are_not_of_the_interface_are_refused(bad: str) -> None:
    with pytest.raises(InvalidParameter):
        opt.endpoint_options({opt.ENDPOINT_SYSCTLS: bad})
