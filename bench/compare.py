"""`make bench`: Wherry and the peers that this machine has, side by side in one run.

Prints a table; `--json FILE` keeps the numbers, `--quick` takes a tenth of the time.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import cases, fillings, memory
from bench.engines import Connection, Dockerd, Podman, Wherry
from bench.measure import Case, measure
from bench.report import Row, as_json, table
from bench.runtimes import Runtimes

IDLE = 100
IDLE_QUICK = 10


def main() -> None:
    """Reads the options, measures, prints."""
    options = _options()
    if os.geteuid() != 0:
        sys.exit("containers are run: start it as root")
    if not shutil.which("docker"):
        sys.exit("the docker command line is not installed")
    rows = list(_rows(options))
    print(table(rows))
    if options.json:
        Path(options.json).write_text(as_json(rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds and few containers")
    parser.add_argument("--rounds", type=int, default=0, help="rounds of each case")
    parser.add_argument("--only", default="", metavar="WORD", help="cases whose name has this word")
    parser.add_argument("--json", default="", metavar="FILE", help="write the numbers here")
    parser.add_argument(
        "--dockerd", action="append", metavar="PATH", help="dockerd to compare with (repeatable)"
    )
    return parser.parse_args()


def _rows(options: argparse.Namespace) -> Iterator[Row]:
    rounds = options.rounds or (4 if options.quick else 40)
    programs = options.dockerd or [path for path in (_dockerd(),) if path]
    with ExitStack() as stack:
        wherry = stack.enter_context(Wherry())
        dockerds = [
            stack.enter_context(Dockerd(program, "dockerd" if len(programs) == 1 else program))
            for program in programs
        ]
        podman = stack.enter_context(Podman()) if shutil.which("podman") else None
        runtimes = stack.enter_context(Runtimes())
        engines: list[Wherry | Dockerd] = [wherry, *dockerds]
        found = cases.clients(wherry, dockerds, podman)
        stages: list[Callable[[], Iterator[Row]]] = [
            lambda: _measured([runtimes.case(rounds)], options.only),
            lambda: _commands(found, rounds, options.only),
            lambda: _lists(engines, rounds, options.only),
            lambda: _memory(engines, IDLE_QUICK if options.quick else IDLE, options.only),
        ]
        for stage in stages:
            yield from stage()


def _dockerd() -> str | None:
    return shutil.which("dockerd") or shutil.which("dockerd", path="/usr/sbin:/usr/local/sbin")


def _measured(wanted: Sequence[Case], only: str) -> Iterator[Row]:
    for case in wanted:
        if only in case.name:
            print(f"measuring: {case.name}", file=sys.stderr)
            for one in measure(case):
                yield Row(case.name, one.contender, one.median, one.best, one.ratio, "ms",
                          case.aim)  # fmt: skip


def _commands(found: cases.Clients, rounds: int, only: str) -> Iterator[Row]:
    cases.start_exec_targets(found)
    yield from _measured(cases.command_cases(found, rounds), only)


def _lists(engines: Sequence[Wherry | Dockerd], rounds: int, only: str) -> Iterator[Row]:
    connections = {engine.name: Connection(engine.socket) for engine in engines}
    wanted = [case for case in cases.list_cases(connections, rounds) if only in case.name]
    if not wanted:
        return
    for engine in engines:
        fillings.add_images(engine.docker)
        fillings.add_containers(connections[engine.name])
    yield from _measured(wanted, only)
    for connection in connections.values():
        fillings.remove_containers(connection)
        connection.close()


def _memory(engines: Sequence[Wherry | Dockerd], count: int, only: str) -> Iterator[Row]:
    name = f"memory of an idle container, {count} of them"
    if only not in name:
        return
    print(f"measuring: {name}", file=sys.stderr)
    found: dict[str, float] = {}
    for engine in engines:
        memory.start_idle(engine, count)
        found[engine.name] = memory.megabytes_per_container(engine)
        if isinstance(engine, Wherry):
            engine.restart()
            after = f"{engine.name}, after its daemon's restart"
            found[after] = memory.megabytes_per_container(engine)
    ours = found[engines[0].name]
    for contender, value in found.items():
        yield Row(name, contender, value, value, value / ours, "MB", "ours under 2 MB")


if __name__ == "__main__":
    main()
