"""The text of the instance's table: constant rules, elements for all that varies."""

from wherry.network.rules import (
    RUN_LENGTH,
    NetworkRules,
    OpenPort,
    PortRule,
    add_network,
    add_open_ports,
    add_ports,
    create_table,
    remove_network,
    remove_open_ports,
    remove_ports,
    split_runs,
)


def test_a_port_is_one_element_by_family_and_binding() -> None:
    text = add_ports(
        "wherry",
        [
            PortRule("tcp", "", 8080, "172.17.0.2", 80),
            PortRule("udp", "127.0.0.1", 53, "172.17.0.2", 5353),
            PortRule("tcp", "", 8080, "fd00::2", 80),
        ],
    )
    assert "add element inet wherry ports4 { tcp . 8080 : 172.17.0.2 . 80 }\n" in text
    assert "bound4 { 127.0.0.1 . udp . 53 : 172.17.0.2 . 5353 }" in text
    assert "ports6 { tcp . 8080 : fd00::2 . 80 }" in text


def test_a_long_run_of_equal_ports_is_one_interval() -> None:
    ports = [PortRule("tcp", "", n, "172.17.0.2", n) for n in range(8000, 18000)]
    assert add_ports("wherry", ports) == (
        "add element inet wherry runs4 { tcp . 8000-17999 : 172.17.0.2 }\n"
    )


def test_shifted_bound_and_short_runs_stay_single() -> None:
    shifted = [PortRule("tcp", "", n, "10.0.0.2", n + 1) for n in range(100)]
    bound = [PortRule("tcp", "10.0.0.1", n, "10.0.0.2", n) for n in range(100)]
    short = [PortRule("udp", "", n, "10.0.0.2", n) for n in range(RUN_LENGTH - 1)]
    single, runs = split_runs([*shifted, *bound, *short])
    assert (len(single), runs) == (200 + RUN_LENGTH - 1, [])


def test_removal_names_exactly_what_was_added() -> None:
    ports = [PortRule("tcp", "", n, "172.17.0.2", n) for n in range(8000, 8100)]
    network = NetworkRules("wherry0", ("172.17.0.0/16", "fd00::/64"))
    assert remove_ports("w", ports) == add_ports("w", ports).replace("add", "delete")
    added = [line for line in add_network("w", network).splitlines() if "element" in line]
    removed = [line for line in remove_network("w", network).splitlines() if "element" in line]
    assert [line.replace("add", "delete", 1) for line in added] == removed


def test_a_network_without_icc_or_masquerade_or_outside_gets_no_such_element() -> None:
    plain = add_network("w", NetworkRules("br0", ("10.0.0.0/24",)))
    assert "within" in plain and "sources4" in plain and "internal" not in plain
    closed = add_network("w", NetworkRules("br0", ("10.0.0.0/24",), icc=False, masquerade=False))
    assert "within" not in closed and "sources4" not in closed
    inner = add_network("w", NetworkRules("br0", ("10.0.0.0/24",), internal=True))
    assert "internal" in inner and "sources4" not in inner


def test_a_new_table_replaces_its_old_self_in_the_same_transaction() -> None:
    lines = create_table("wherry-12ab").strip().splitlines()
    assert lines[:2] == ["add table inet wherry-12ab", "delete table inet wherry-12ab"]


def test_modes_sources_and_trusted_links_are_elements_too() -> None:
    network = NetworkRules(
        "br0", ("10.0.0.0/24", "fd00::/64"), modes=("nat-unprotected", "routed"),
        sources=("192.0.2.7", ""), trusted=("eth1",),
    )  # fmt: skip
    text = add_network("w", network)
    assert 'unprotected4 { "br0" }' in text and 'routed6 { "br0" }' in text
    assert "snat4 { 10.0.0.0/24 : 192.0.2.7 }" in text
    assert "sources4" not in text and "sources6" not in text
    assert 'within { "eth1" . "br0" }' in text


def test_open_ports_are_closed_as_they_were_opened() -> None:
    ports = [OpenPort("tcp", "10.0.0.2", 80), OpenPort("udp", "fd00::2", 53)]
    text = add_open_ports("w", ports)
    assert "open4 { 10.0.0.2 . tcp . 80 }" in text and "open6 { fd00::2 . udp . 53 }" in text
    assert remove_open_ports("w", ports) == text.replace("add element", "delete element")
