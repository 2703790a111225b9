"""What an idle container costs in memory: the PSS of the processes that exist because of it.

Those are the parent of its first process (our monitor, dockerd's shim) and the engine's share in
processes between them (our zygote with the monitor that it keeps ready, dockerd's containerd). PSS
counts a shared page by its share (proc_pid_smaps_rollup(5)).
"""

from pathlib import Path

from bench.engines import Connection, Dockerd, Wherry

MEGABYTE = 1 << 20


def start_idle(engine: Wherry | Dockerd, count: int) -> None:
    """Starts containers that sleep, without a network."""
    connection = Connection(engine.socket)
    body = {"Image": "busybox", "Cmd": ["sleep", "100000"], "HostConfig": {"NetworkMode": "none"}}
    for number in range(count):
        name = f"bench-idle-{number}"
        connection.call("POST", f"/containers/create?name={name}", body)
        connection.call("POST", f"/containers/{name}/start")
    connection.close()


def megabytes_per_container(engine: Wherry | Dockerd) -> float:
    """PSS of monitors or shims and of what they come from, by the number of running containers."""
    connection = Connection(engine.socket)
    running = connection.call("GET", "/containers/json")
    keepers = {
        _parent(connection.call("GET", f"/containers/{item['Id']}/json")["State"]["Pid"])
        for item in running
    }
    connection.close()
    shared = _children(engine.pid, ("wherry-zygote", "containerd"))
    for process in tuple(shared):
        shared |= _children(process, ("wherry-spare",))
    return sum(map(_pss, keepers | shared)) / len(running) / MEGABYTE


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])


def _stat(pid: int) -> list[str]:
    """Fields of proc_pid_stat(5) from the state on: 1 is the parent."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _children(parent: int, names: tuple[str, ...]) -> set[int]:
    """Children of a process that have one of these names."""
    children: list[str] = []
    for thread in Path(f"/proc/{parent}/task").iterdir():
        children += (thread / "children").read_text().split()
    return {int(pid) for pid in children
            if Path(f"/proc/{pid}/comm").read_text().strip() in names}  # fmt: skip


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
