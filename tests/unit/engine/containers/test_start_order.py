"""The order of containers that come up with the daemon, from compose's labels."""

import asyncio
from typing import cast

import msgspec

from wherry.engine.containers import start_order
from wherry.engine.containers.container import Container, Health, Record, State
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.start_order import Dependency, StartOrder, dependencies, is_ready
from wherry.model.docker.container import ContainerConfig, HostConfig, RestartPolicy


class Project:
    """The containers of one compose project, as an index."""

    def __init__(self) -> None:
        self.containers: list[Container] = []

    def add(self, service: str, depends_on: str = "", policy: str = "always") -> Container:
        labels = {start_order.PROJECT: "shop", start_order.SERVICE: service,
                  start_order.DEPENDS_ON: depends_on}  # fmt: skip
        record = Record(
            id=service * 4, name=service, created="2026-01-01T00:00:00Z", image_id="", image="",
            config=ContainerConfig(labels=labels),
            host=HostConfig(restart_policy=RestartPolicy(policy)), path="", args=(),
            state=State("exited"),
        )  # fmt: skip
        self.containers.append(Container(record))
        return self.containers[-1]

    def all(self) -> list[Container]:
        return self.containers

    @property
    def order(self) -> StartOrder:
        return StartOrder(cast(ContainerIndex, self))


def become(container: Container, status: str, *, exit_code: int = 0, health: str = "") -> None:
    state = msgspec.structs.replace(container.state, status=status, exit_code=exit_code)
    container.record = msgspec.structs.replace(container.record, state=state)
    if health:
        container.health = Health()
        container.health.status = health


def test_labels_say_services_and_conditions() -> None:
    label = {start_order.DEPENDS_ON: "db:service_healthy:true,cache:service_started:false, log"}
    assert dependencies(label) == [
        Dependency("db", "service_healthy"), Dependency("cache", "service_started"),
        Dependency("log", "service_started"),
    ]  # fmt: skip
    assert dependencies(None) == []


def test_a_condition_is_fulfilled_by_what_it_names_only() -> None:
    project = Project()
    database = project.add("db")
    become(database, "running", health="starting")
    assert is_ready(database, "service_started")
    assert not is_ready(database, "service_healthy")
    become(database, "running", health="healthy")
    assert is_ready(database, "service_healthy")
    become(database, "exited", exit_code=1)
    assert not is_ready(database, "service_completed_successfully")
    become(database, "exited")
    assert is_ready(database, "service_completed_successfully")


def test_a_container_waits_for_health_and_then_comes_at_once() -> None:
    async def scenario() -> None:
        project = Project()
        database, web = project.add("db"), project.add("web", "db:service_healthy:false")
        turn = asyncio.ensure_future(project.order.turn_of(web))
        become(database, "running", health="starting")
        await database.notify()
        await asyncio.sleep(0)
        assert not turn.done()
        become(database, "running", health="healthy")
        await database.notify()
        await asyncio.wait_for(turn, 5)

    asyncio.run(scenario())


def test_nobody_waits_for_what_will_not_come() -> None:
    async def scenario() -> None:
        project = Project()
        project.add("db", policy="no")
        web = project.add("web", "db:service_healthy:false,nosuch:service_started:false")
        await asyncio.wait_for(project.order.turn_of(web), 5)

    asyncio.run(scenario())
