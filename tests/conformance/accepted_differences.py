"""Where Wherry is meant to differ from dockerd 20.10, each with the reason.

A difference that is listed and does not occur fails the test, so that the list stays true.
"""

_WORDS = "the words of today's dockerd, where 20.10 has a capital, less detail or another order"
_START = "today's dockerd says which part of a start failed"
_DETAIL = "says which object stands in the way"
_NOT_MOUNTED = "an image is no mount here, so it has no directories of one to show"
_NO_CONTAINER = "ContainerConfig of images went with API 1.45, and is empty before"
_NO_CONTAINERD = "there is no containerd whose shims would be runtimes"

OUTPUT: dict[tuple[str, str], str] = {
    ("run in every manner", "run --rm busybox nosuch"): _START,
    ("run in every manner", "run --rm busybox /etc"): _START,
    ("run in every manner", "run --rm busybox /etc/passwd"): _START,
    ("run in every manner", "run --rm --entrypoint '' busybox"): _WORDS,
    ("run in every manner", "run --rm --network nosuch busybox true"): _START,
    ("run in every manner", "run --rm --cpus 1000 busybox true"): _WORDS,
    ("run in every manner", "run --rm --dns 192.0.2.8 --dns-search example.test "
     "--dns-option ndots:2 busybox cat /etc/resolv.conf"): "today's dockerd begins with servers",
    ("run in every manner", "run --rm --stop-signal NOSUCH busybox true"): _WORDS,
    ("a running container", "exec r1 nosuch"): "127, as for run, in today's dockerd",
    ("a running container", "pause r1"): _WORDS,
    ("a running container", "exec -w /nosuch r1 true"): "127, as for a missing program, in today's "
    "dockerd",
    ("a running container", "rm r1"): _WORDS,
    ("a running container", "kill -s NOSUCH r1"): _WORDS,
    ("a running container", "kill r1"): _WORDS,
    ("a running container", "exec r1 true"): _WORDS,
    ("files", "commit -c 'NOSUCH x' f1 made:2"): _WORDS,
    ("images", "image inspect nosuch"): _WORDS,
    ("images", "images -f nosuch=1"): _WORDS,
    ("images", "rmi BAD"): _WORDS,
    ("volumes", "volume ls -f nosuch=1"): _WORDS,
    ("networks", "network create --subnet 10.77.0.0/24 n3"): _DETAIL,
    ("networks", "network create --subnet bad n3"): _WORDS,
    ("networks", "network ls -f nosuch=1"): _WORDS,
    ("networks", "run --rm --network n1 --ip 10.77.0.3 busybox true"): _START,
    ("networks", "run --rm --network n2 --ip 10.78.0.3 busybox true"): _START,
    ("networks", "run --rm --network n2 --ip 10.77.0.200 busybox true"): _START,
    ("networks", "network rm n2"): _DETAIL,
    ("the system", "info --format '{{json .Plugins.Log}}'"): "drivers that send logs away are not "
    "offered",
    ("sharing", "run --rm --network container:nosuch busybox true"): _START,
    ("sharing", "run --rm --ipc container:s1 busybox true"): _WORDS,
    ("sharing", "run --rm -p 127.0.0.1:18081:80 -p 127.0.0.1:18081:81 busybox true"): _START,
    ("sharing", "run --rm -p 127.0.0.1:18082:80 busybox true"): _START,
    ("restarts and health", "run -d --name h4 --log-opt max-size=bad busybox true"): _START,
}  # fmt: skip
"""Exit codes or output, by scenario and line."""

KEYS: dict[tuple[str, str], str] = {
    ("container", "+[].GraphDriver.Data.ID: str"): "today's dockerd has it",
    ("network", "+[].IPAM.Config[].Gateway: str"): "today's dockerd shows the bridge's gateway",
    ("image", "+[].ContainerConfig.Cmd: NoneType"): _NO_CONTAINER,
    ("image", "-[].ContainerConfig.Cmd: list"): _NO_CONTAINER,
    ("image", "-[].ContainerConfig.Cmd[]: str"): _NO_CONTAINER,
    ("image", "+[].ContainerConfig.Labels: NoneType"): _NO_CONTAINER,
    ("image", "-[].ContainerConfig.Labels: dict"): _NO_CONTAINER,
    ("image", "+[].GraphDriver.Data: NoneType"): _NOT_MOUNTED,
    ("image", "-[].GraphDriver.Data: dict"): _NOT_MOUNTED,
    ("image", "-[].GraphDriver.Data.LowerDir: str"): _NOT_MOUNTED,
    ("image", "-[].GraphDriver.Data.MergedDir: str"): _NOT_MOUNTED,
    ("image", "-[].GraphDriver.Data.UpperDir: str"): _NOT_MOUNTED,
    ("image", "-[].GraphDriver.Data.WorkDir: str"): _NOT_MOUNTED,
    ("version", "-BuildTime: str"): "nothing is built",
    ("info", "+InitCommit.Expected: str"): "20.10 of Debian has no version of tini to expect",
    ("info", "-KernelMemory: bool"): "kernel memory has no limit of its own; false is left out",
    ("info", "-KernelMemoryTCP: bool"): "kernel memory has no limit of its own; false is left out",
    ("info", "-Runtimes.io.containerd.runc.v2: dict"): _NO_CONTAINERD,
    ("info", "-Runtimes.io.containerd.runc.v2.path: str"): _NO_CONTAINERD,
    ("info", "-Runtimes.io.containerd.runtime.v1.linux: dict"): _NO_CONTAINERD,
    ("info", "-Runtimes.io.containerd.runtime.v1.linux.path: str"): _NO_CONTAINERD,
}
"""Keys of what is inspected, by noun and `+path: type` (only Wherry's) or `-path: type`."""

_NEVER_EXISTED = "what was refused never existed"
_NEVER_BEGAN = "what could not be started is not said to have been"

EVENTS: dict[tuple[str, str], str] = {
    ("run in every manner", "-2 container destroy (image,name)"): _NEVER_EXISTED,
    ("a running container", "-1 container exec_start: nosuch  (execID,image,name,tier)"):
    _NEVER_BEGAN,
    ("a running container", "-2 container exec_start: true  (execID,image,name,tier)"):
    _NEVER_BEGAN,
    ("volumes", "-5 volume create (driver)"): "as today's dockerd: only when one is made",
    ("sharing", "-2 container destroy (image,name)"): _NEVER_EXISTED,
    ("sharing", "-2 network disconnect (container,name,type)"): "who could not join does not leave",
    ("sharing", "-1 volume create (driver)"): "as today's dockerd: only when one is made",
    ("networks", "-2 container attach (image,name)"): _NEVER_EXISTED,
    ("networks", "-2 container create (image,name)"): _NEVER_EXISTED,
    ("networks", "-2 container destroy (image,name)"): _NEVER_EXISTED,
    ("networks", "-1 network disconnect (container,name,type)"): "20.10 tells one leave twice",
}  # fmt: skip
"""Events, by scenario and `+count event` or `-count event`."""

NEWER_ATTRIBUTES = frozenset({"execDuration"})
"""Attributes of events that dockerd has since version 25."""
