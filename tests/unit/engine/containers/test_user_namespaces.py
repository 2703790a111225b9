"""Which ids a container's user namespace has."""

from pathlib import Path

import msgspec
import pytest

from wherry.base.errors import InvalidParameter, ResourceExhausted
from wherry.engine.containers.container import Container, IdRange, Record
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.user_namespaces import (
    DEFAULT_POOL,
    RANGE_SIZE,
    UserNamespaces,
    read_pool,
)
from wherry.model.docker.container import ContainerConfig, HostConfig

AUTO = HostConfig(userns_mode="auto")
THREE = ((100_000, 3 * RANGE_SIZE + 10),)


class Containers(ContainerIndex):
    """An index without a database."""

    def __init__(self, *containers: Container) -> None:
        self._by_id = {container.id: container for container in containers}
        self._names = {container.name: container.id for container in containers}


def make(name: str, host: HostConfig = AUTO, ids: IdRange | None = None) -> Container:
    return Container(
        Record(
            id=name * 64, name=name, created="2026-01-02T03:04:05.6Z", image_id="", image="x",
            config=ContainerConfig(), host=host, path="sleep", args=(), id_range=ids,
        )
    )  # fmt: skip


def test_a_container_that_does_not_ask_has_no_range() -> None:
    assert UserNamespaces(Containers(), THREE, THREE).take("x", HostConfig()) is None


def test_ranges_never_overlap_with_a_records_or_a_promised_one() -> None:
    # Given from another pool, it cuts two of this one.
    old = make("a", ids=IdRange(100_000 + RANGE_SIZE // 2, 7 * RANGE_SIZE, RANGE_SIZE))
    namespaces = UserNamespaces(Containers(old), THREE, THREE)
    third = IdRange(100_000 + 2 * RANGE_SIZE, 100_000 + 2 * RANGE_SIZE, RANGE_SIZE)
    assert namespaces.take("x", AUTO) == third
    with pytest.raises(ResourceExhausted, match="/etc/subuid and /etc/subgid"):
        namespaces.take("y", AUTO)
    namespaces.settle("x")  # it was not made
    assert namespaces.take("y", AUTO) == third


def test_who_joins_a_namespace_has_the_range_of_its_owner() -> None:
    ids = IdRange(1 << 20, 1 << 20, RANGE_SIZE)
    owner = make("a", ids=ids)
    plain = make("b", HostConfig())
    joins = HostConfig(network_mode="container:a", pid_mode="container:a")
    containers = Containers(owner, plain, make("c", joins), make("d", ids=IdRange(9, 9, 9)))
    namespaces = UserNamespaces(containers, THREE, THREE)
    assert namespaces.of(containers.get("c")) == (ids, owner)
    stays = msgspec.structs.replace(joins, userns_mode="host")
    assert namespaces.of(make("e", stays)) == (None, None)
    assert namespaces.take("x", msgspec.structs.replace(joins, userns_mode="auto")) is None
    with pytest.raises(InvalidParameter, match="runs in the host's user namespace"):
        namespaces.take("x", HostConfig(userns_mode="auto", ipc_mode="container:b"))
    with pytest.raises(InvalidParameter, match="different user namespaces"):
        namespaces.of(make("e", HostConfig(network_mode="container:a", pid_mode="container:d")))


@pytest.mark.parametrize(
    ("text", "pool"),
    [
        ("", DEFAULT_POOL),
        ("joe:100000:65536\n", DEFAULT_POOL),
        ("dockremap:1:2\nwherry:3:4\n# note\nwherry:5:6\n", [(3, 4), (5, 6)]),
        ("dockremap:1:2\nwherry:x:4\n", [(1, 2)]),
    ],
)
def test_the_pool_is_the_engines_lines_of_subuid(tmp_path: Path, text: str, pool: object) -> None:
    (tmp_path / "subuid").write_text(text)
    assert read_pool(tmp_path / "subuid") == pool
    assert read_pool(tmp_path / "missing") == DEFAULT_POOL
