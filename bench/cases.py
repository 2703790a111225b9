"""What is measured through command lines and the API: a case for each kind of work."""

from functools import partial

from bench.engines import CommandLine, Connection, Dockerd, Podman, Wherry
from bench.measure import Case, Step

OURS = "wherry"
RUN = ("run", "--rm", "busybox", "true")
RUN_WITHOUT_NETWORK = ("run", "--rm", "--network", "none", "busybox", "true")
PARALLEL = 20

Clients = dict[str, CommandLine]


def clients(wherry: Wherry, dockerds: list[Dockerd], podman: Podman | None) -> Clients:
    """Every command line by the name that it has in the table; ours through docker's is first."""
    found = {f"{OURS}, docker's CLI": wherry.docker, f"{OURS}, its own CLI": wherry.own}
    found |= {engine.name: engine.docker for engine in dockerds}
    if podman:
        found["podman"] = podman.own
    return found


def command_cases(found: Clients, rounds: int) -> list[Case]:
    """Runs, execs and the command lines' own start. Containers for exec must be running."""

    def steps(*words: str) -> dict[str, Step]:
        return {name: partial(client, *words) for name, client in found.items()}

    def parallel(*words: str) -> dict[str, Step]:
        return {
            name: partial(client.all_at_once, PARALLEL, *words) for name, client in found.items()
        }

    versions = steps("version")
    docker, own, *peers = versions
    versions = {name: versions[name] for name in (own, docker, *peers[-1:])}
    return [
        Case("run --rm busybox true, bridge", steps(*RUN), rounds, "dockerd 4 or more"),
        Case("run --rm busybox true, no network", steps(*RUN_WITHOUT_NETWORK), rounds,
             "dockerd 4 or more"),
        Case("exec true in a running container", steps("exec", EXEC_TARGET, "true"), rounds,
             "dockerd 2 or more"),
        Case(f"{PARALLEL} runs at once, bridge", parallel(*RUN), max(rounds // 8, 2)),
        Case("version of the command line", versions, rounds, "docker's 0.5 or more"),
    ]  # fmt: skip


EXEC_TARGET = "bench-exec"


def start_exec_targets(found: Clients) -> None:
    """A running container in each engine, for exec."""
    for client in {id(client): client for client in found.values()}.values():
        if client is not found.get(f"{OURS}, its own CLI"):
            client("run", "-d", "--name", EXEC_TARGET, "busybox", "sleep", "100000")


def list_cases(connections: dict[str, Connection], rounds: int) -> list[Case]:
    """The two lists that clients ask for most, on a kept connection."""

    def steps(path: str) -> dict[str, Step]:
        return {name: partial(item.fetch, path) for name, item in connections.items()}

    return [
        Case("GET /images/json, 100 images", steps("/images/json"), rounds, "ours under 5 ms"),
        Case("GET /containers/json, 200 containers", steps("/containers/json?all=1"), rounds,
             "ours under 10 ms"),
    ]  # fmt: skip
