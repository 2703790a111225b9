"""Who is called what on which network, as each container may see it."""

from wherry.network.dns.messages import Member, Place
from wherry.network.dns.zones import Zones


def place(
    network: str, *names: str, v4: str = "", v6: str = "", links: dict[str, str] | None = None
) -> Place:
    subnets = [f"{v4.rpartition('.')[0]}.0/24"] if v4 else []
    subnets += [f"{v6.rpartition(':')[0]}:/64"] if v6 else []
    addresses = tuple(filter(None, (v4, v6)))
    return Place(network, f"{network}-net", names, addresses, tuple(subnets), links or {})


def zones(**members: list[Place]) -> Zones:
    found = Zones()
    for key, places in members.items():
        found.set(Member(key, "1:1", tuple(places)))
    return found


def test_a_name_is_its_containers_addresses_of_the_family() -> None:
    there = zones(app=[place("n", "app")], web=[place("n", "Web", v4="10.0.0.2", v6="fd00::2")])
    assert there.addresses("app", (b"web",), 4) == ["10.0.0.2"]
    assert there.addresses("app", (b"web",), 6) == ["fd00::2"]


def test_a_name_without_the_family_exists_all_the_same() -> None:
    there = zones(app=[place("n", "app")], web=[place("n", "web", v4="10.0.0.2")])
    assert there.addresses("app", (b"web",), 6) == []
    assert there.addresses("app", (b"nobody",), 6) is None


def test_names_of_other_networks_do_not_exist() -> None:
    there = zones(app=[place("n", "app")], web=[place("other", "web", v4="10.0.0.2")])
    assert there.addresses("app", (b"web",), 4) is None
    assert there.addresses("stranger", (b"web",), 4) is None


def test_all_with_the_same_alias_are_answered_in_turns() -> None:
    there = zones(
        app=[place("n", "app")],
        one=[place("n", "one", "web", v4="10.0.0.2")],
        two=[place("n", "two", "web", v4="10.0.0.3")],
    )
    first, second = (there.addresses("app", (b"web",), 4) for _ in range(2))
    assert first is not None and second is not None
    assert first != second
    assert sorted(first) == sorted(second) == ["10.0.0.2", "10.0.0.3"]


def test_a_name_may_say_its_network() -> None:
    there = zones(
        app=[place("a", "app"), place("b", "app")],
        web=[place("a", "web", v4="10.0.0.2"), place("b", "web", v4="10.0.1.2")],
    )
    assert there.addresses("app", (b"web", b"b-net"), 4) == ["10.0.1.2"]
    assert there.addresses("app", (b"web", b"c-net"), 4) is None


def test_names_may_have_dots_and_labels_may_not() -> None:
    there = zones(app=[place("n", "app")], web=[place("n", "db.internal", v4="10.0.0.2")])
    assert there.addresses("app", (b"db", b"internal"), 4) == ["10.0.0.2"]
    assert there.addresses("app", (b"db.internal",), 4) is None
    assert there.addresses("app", (b"\xff",), 4) is None


def test_links_are_names_for_one_container_alone() -> None:
    there = zones(
        app=[place("n", "app", links={"database": "db"})],
        other=[place("n", "other")],
        db=[place("n", "db", v4="10.0.0.2")],
    )
    assert there.addresses("app", (b"database",), 4) == ["10.0.0.2"]
    assert there.addresses("other", (b"database",), 4) is None


def test_an_address_has_the_name_of_its_container_and_network() -> None:
    there = zones(app=[place("n", "app", v4="10.0.0.9")], web=[place("n", "web", v4="10.0.0.2")])
    assert there.name("app", "10.0.0.2") == "web.n-net"
    assert there.name("app", "10.0.0.77") == ""
    assert there.name("app", "10.9.0.2") is None


def test_what_changes_is_known_at_once_and_what_ends_is_forgotten() -> None:
    there = zones(app=[place("n", "app")], web=[place("n", "web", v4="10.0.0.2")])
    there.set(Member("web", "1:1", (place("n", "shop", v4="10.0.0.2"),)))
    assert there.addresses("app", (b"web",), 4) is None
    assert there.addresses("app", (b"shop",), 4) == ["10.0.0.2"]
    there.remove("web")
    there.remove("web")
    assert there.addresses("app", (b"shop",), 4) is None
    assert there.ids() == ["app"]
