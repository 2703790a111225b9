"""Beside other tools' firewalls: theirs is left alone, ours is repaired, what drops is opened."""

from collections.abc import Iterator

import pytest

from tests.support.docker_engine import DockerEngine, needs_dockerd
from tests.support.engine import Engine
from tests.support.lan import HOST, OUTSIDE, Lan, again, ask, nft, running, tables
from wherry.linux.netlink.route import Netlink


@pytest.fixture
def lan(engine_ready: None) -> Iterator[Lan]:
    with Lan() as made:
        yield made


@pytest.fixture
def box(lan: Lan) -> Iterator[Engine]:
    with running(lan) as engine:
        engine.docker("run", "-d", "--name", "web", "-p", "8080:80", "busybox", "sleep", "600")
        lan.serve(lan.inside(engine, "web"), 80)
        lan.serve(lan.outside, 7000)
        yield engine


DOCKERS = (
    "add table ip filter",
    "add chain ip filter DOCKER-USER",
    "add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }",
    "add rule ip filter FORWARD jump DOCKER-USER",
)


def apply(lan: Lan, *commands: str) -> None:
    """Changes the machine's rules as another tool would, in one transaction for each command."""
    for command in commands:
        lan.host.run(nft, command)


def test_a_flushed_rule_set_is_repaired_without_anybody_asking(lan: Lan, box: Engine) -> None:
    [table] = lan.host.run(tables)
    apply(lan, "add table ip theirs", "flush ruleset")
    box.wait_for_log(f"nftables table {table} was removed by others")
    again(lambda: lan.outside.run(ask, HOST, 8080) == OUTSIDE)
    assert lan.host.run(tables) == [table]


def test_rules_that_others_took_from_our_table_are_put_back(lan: Lan, box: Engine) -> None:
    [table] = lan.host.run(tables)
    apply(lan, f"flush chain inet {table} published")
    box.wait_for_log(f"nftables table {table} was changed by others")
    again(lambda: lan.outside.run(ask, HOST, 8080) == OUTSIDE)


def test_a_dockerd_that_starts_later_and_drops_is_opened_in_its_user_chain(
    lan: Lan, box: Engine
) -> None:
    apply(lan, *DOCKERS)
    again(lambda: lan.outside.run(ask, HOST, 8080) == OUTSIDE)
    assert box.docker("exec", "web", "nc", OUTSIDE, "7000").stdout == HOST
    box.docker("network", "create", "blue")
    done = box.docker("run", "--rm", "--network", "blue", "busybox", "nc", OUTSIDE, "7000")
    assert done.stdout == HOST
    box.docker("network", "rm", "blue")
    apply(lan, "flush chain ip filter DOCKER-USER")  # as a restart of it does
    again(lambda: lan.outside.run(ask, HOST, 8080) == OUTSIDE)
    rules = [entry["rule"] for entry in lan.host.run(nft, "list chain ip filter DOCKER-USER")
             if "rule" in entry]  # fmt: skip
    assert len(rules) == 2 and all("wherry" in str(rule["comment"]) for rule in rules)
    box.docker("rm", "-f", "web")
    box.stop()
    left = lan.host.run(nft, "list chain ip filter DOCKER-USER")
    assert not [entry for entry in left if "rule" in entry]
    apply(lan, "delete table ip filter")
    box.start()


@needs_dockerd
def test_a_real_dockerd_on_the_same_machine_and_we_leave_each_other_alone(
    lan: Lan, box: Engine
) -> None:
    with DockerEngine(namespace=lan.host) as docker:
        docker.import_busybox()
        docker.docker("run", "-d", "--name", "theirs", "-p", "8081:80", "busybox", "sleep", "600")
        lan.serve(lan.inside(docker, "theirs"), 80)
        again(lambda: lan.outside.run(ask, HOST, 8080) == OUTSIDE)
        assert lan.outside.run(ask, HOST, 8081) == OUTSIDE
        for engine, name in ((box, "web"), (docker, "theirs")):
            assert engine.docker("exec", name, "nc", OUTSIDE, "7000").stdout == HOST
        assert lan.inside(box, "web").run(ask, HOST, 8081) != "TimeoutError"
        taken = box.docker("run", "-p", "8081:80", "busybox", check=False)
        assert "address already in use" in taken.stderr
        box.kill()
        box.start()
        assert lan.outside.run(ask, HOST, 8080) == OUTSIDE
        assert lan.outside.run(ask, HOST, 8081) == OUTSIDE
        docker.docker("rm", "-f", "theirs")
    assert lan.outside.run(ask, HOST, 8080) == OUTSIDE
    box.docker("rm", "-f", "web")
    box.stop()
    assert "wherry" not in str(lan.host.run(nft, "list ruleset"))
    lan.host.run(clear)
    box.start()


def clear() -> None:
    """Takes away what dockerd leaves on a machine: its rules and its bridge."""
    nft("flush ruleset")
    with Netlink() as netlink:
        bridge = netlink.link("docker0")
        if bridge is not None:
            netlink.delete_link(bridge.ifindex)


def test_a_firewall_that_offers_no_place_is_named_with_the_remedy(lan: Lan, box: Engine) -> None:
    apply(
        lan, "add table ip filter", "add chain ip filter ufw-before-forward",
        "add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }",
    )  # fmt: skip
    box.wait_for_log("ufw route allow in on")
    shown = box.docker("info").stderr
    assert "chain ip filter FORWARD drops forwarded packets" in shown
    apply(lan, "delete table ip filter")
