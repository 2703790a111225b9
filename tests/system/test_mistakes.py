"""Mistakes: each is told in one line that names the object, with Docker's exit code and status.

Nothing is left of them, on disk, in the kernel or in the records; and Debian's dockerd says the
same, but for a literal list of differences.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.support.api import Api, ApiError
from tests.support.docker_engine import DockerEngine, needs_dockerd, running_dockerd
from tests.support.engine import Engine, busybox_archive
from tests.support.holdings import holdings, settled
from tests.support.layers import docker_archive, entry, layer, squeeze
from tests.support.netns import NetworkNamespace


class Mistake(NamedTuple):
    """Words for docker, the exit code, and what is said after `docker: `; `stdin` by name."""

    words: str
    code: int
    said: str
    stdin: str = ""


RUN = "run --rm --network none"

MISTAKES: dict[str, Mistake] = {
    "unknown image": Mistake("run --pull never nosuch:1", 125, "No such image: nosuch:1"),
    "unknown image to remove": Mistake("rmi nosuch:1", 1, "No such image: nosuch:1"),
    "unknown container": Mistake("start nosuch", 1, "No such container: nosuch"),
    "unknown network": Mistake(
        "run --rm --network nosuch busybox true", 125, "network nosuch not found"),
    "unknown volume": Mistake("volume rm nosuch", 1, "get nosuch: no such volume"),
    "bad reference": Mistake(
        "tag busybox UPPER:1", 1, "repository name (library/UPPER) must be lowercase"),
    "bad container name": Mistake(
        "create --name -bad! busybox true", 1,
        "Invalid container name (-bad!), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"),
    "bad volume name": Mistake(
        f"{RUN} -v a!:/x busybox true", 125,
        'create a!: "a!" includes invalid characters for a local volume name'),
    "relative target": Mistake(f"{RUN} -v /tmp:x busybox true", 125,
                               "invalid mount path: 'x' mount path must be absolute"),
    "two mounts at one place": Mistake(
        f"{RUN} -v /tmp:/x -v /etc:/x busybox true", 125, "Duplicate mount point: /x"),
    "restart policy": Mistake(
        "create --restart sometimes busybox true", 1, "invalid restart policy"),
    "pid mode": Mistake(f"{RUN} --pid nosuch busybox true", 125, "invalid PID mode"),
    "ipc mode": Mistake(f"{RUN} --ipc nosuch busybox true", 125, "invalid IPC mode: nosuch"),
    "container to join": Mistake(
        "run --rm --network container:nosuch busybox true", 125, "No such container: nosuch"),
    "container to inherit from": Mistake(
        f"{RUN} --volumes-from nosuch busybox true", 125, "No such container: nosuch"),
    "container whose processes to see": Mistake(
        f"{RUN} --pid container:nosuch busybox true", 125, "No such container: nosuch"),
    "container that has ended": Mistake(
        "run --rm --network container:idle busybox true", 125,
        "cannot join network of a non running container: <id>"),
    "log driver": Mistake(f"{RUN} --log-driver nosuch busybox true", 125,
                          'logging plugin nosuch: plugin "nosuch" not found'),
    "log option": Mistake(f"{RUN} --log-opt nosuch=1 busybox true", 125,
                          "unknown log opt 'nosuch' for json-file log driver"),
    "log size": Mistake(f"{RUN} --log-opt max-size=many busybox true", 125,
                        "failed to initialize logging driver: invalid size: 'many'"),
    "log files": Mistake(f"{RUN} --log-opt max-file=0 busybox true", 125,
                         "failed to initialize logging driver: max-file cannot be less than 1"),
    "log mode": Mistake(f"{RUN} --log-opt mode=nosuch busybox true", 125,
                        "logger: logging mode not supported: nosuch"),
    "log buffer": Mistake(f"{RUN} --log-opt max-buffer-size=1m busybox true", 125,
                          "max-buffer-size option is only supported with 'mode=non-blocking'"),
    "log tag": Mistake(f"{RUN} --log-opt tag={{{{.Odd}}}} busybox true", 125,
                       "{{.Odd}} is none of .ID, .FullID"),
    "unclosed log tag": Mistake(f"{RUN} --log-opt tag={{{{.ID busybox true", 125,
                                "unclosed action"),
    "compressing one file": Mistake(
        f"{RUN} --log-opt compress=true --log-opt max-file=1 busybox true", 125,
        "compress cannot be true when max-file is less than 2 or max-size is not set"),
    "capability": Mistake(f"{RUN} --cap-add NOSUCH busybox true", 125,
                          'invalid CapAdd: unknown capability: "CAP_NOSUCH"'),
    "security option": Mistake(f"{RUN} --security-opt nosuch=1 busybox true", 125,
                               'invalid --security-opt 2: "nosuch=1"'),
    "stop signal": Mistake(f"{RUN} --stop-signal NOSUCH busybox true", 125,
                           "invalid signal: NOSUCH"),
    "runtime": Mistake(f"{RUN} --runtime nosuch busybox true", 125, "runtime name: nosuch"),
    "sysctl": Mistake(f"{RUN} --sysctl kernel.nosuch=1 busybox true", 125, "kernel.nosuch"),
    "sysctl that the kernel lacks": Mistake(
        f"{RUN} --sysctl net.ipv4.nosuch=1 busybox true", 127,
        "open sysctl net.ipv4.nosuch file: no such file or directory"),
    "device": Mistake(f"{RUN} --device /dev/nosuch busybox true", 127,
                      'error gathering device information while adding custom device "/dev/nosuch":'
                      " no such file or directory"),
    "directory without devices": Mistake(
        f"{RUN} --device /etc busybox true", 125,
        'error gathering device information while adding custom device "/etc": not a device node'),
    "the host's sysctl": Mistake(
        f"{RUN} --ipc host --sysctl kernel.shmmax=18446744073692774399 busybox true", 125,
        "sysctl 'kernel.shmmax' not allowed in host IPC namespace"),
    "memory nodes that are not there": Mistake(
        f"{RUN} --cpuset-mems 4000 busybox true", 125,
        "Requested memory nodes are not available - requested 4000, available: 0"),
    "user": Mistake(f"{RUN} --user nosuch busybox true", 125,
                    "unable to find user nosuch: no matching entries in passwd file"),
    "group": Mistake(f"{RUN} --group-add nosuch busybox true", 125, "unable to find group nosuch"),
    "working directory": Mistake(f"{RUN} -w relative busybox true", 125,
                                 "the working directory 'relative' is invalid, it needs to be an "
                                 "absolute path"),
    "no command": Mistake(f"{RUN} empty", 125, "no command specified"),
    "missing program": Mistake(f"{RUN} busybox nosuch", 127,
                               'exec: "nosuch": executable file not found in $PATH'),
    "missing program by path": Mistake(f"{RUN} busybox /bin/nosuch", 127,
                                       'exec: "/bin/nosuch": stat /bin/nosuch: no such file or '
                                       "directory"),
    "file that is no program": Mistake(f"{RUN} busybox /etc/passwd", 126,
                                       'exec: "/etc/passwd": permission denied'),
    "directory for a program": Mistake(f"{RUN} busybox /etc", 126,
                                       'exec: "/etc": is a directory'),
    "missing bind source": Mistake(
        f"{RUN} --mount type=bind,source=/nosuch,target=/x busybox true", 125,
        'invalid mount config for type "bind": bind source path does not exist: /nosuch'),
    "file over a directory": Mistake(f"{RUN} -v /etc/passwd:/etc busybox true", 125,
                                     "not a directory"),
    "name in use": Mistake(
        "create --name taken busybox true", 1,
        'Conflict. The container name "/taken" is already in use by container "<id>". You have to '
        "remove (or rename) that container to be able to reuse that name."),
    "port in use": Mistake("run --rm -p 127.0.0.1:8080:80 busybox true", 125,
                           "Bind for 127.0.0.1:8080 failed: port is already allocated"),
    "too little memory": Mistake(f"{RUN} -m 1m busybox true", 125,
                                 "Minimum memory limit allowed is 6MB"),
    "swap below memory": Mistake(f"{RUN} -m 64m --memory-swap 32m busybox true", 125,
                                 "Minimum memoryswap limit should be larger than memory limit"),
    "too many processors": Mistake(f"{RUN} --cpus 4000 busybox true", 125,
                                   "range of CPUs is from 0.01 to"),
    "processors that are not there": Mistake(f"{RUN} --cpuset-cpus 4000 busybox true", 125,
                                             "Requested CPUs are not available"),
    "short period": Mistake(f"{RUN} --cpu-period 1 busybox true", 125,
                            "CPU cfs period can not be less than 1ms"),
    "OOM score": Mistake(f"{RUN} --oom-score-adj 2000 busybox true", 125,
                         "Invalid value 2000, range for oom score adj is [-1000, 1000]"),
    "health interval": Mistake(
        f"{RUN} --health-cmd true --health-interval 1us busybox true", 125,
        "Interval in Healthcheck cannot be less than 1ms"),
    "quota of the layer": Mistake(f"{RUN} --storage-opt size=1G busybox true", 125,
                                  "--storage-opt is supported only for overlay over xfs with "
                                  "'pquota' mount option"),
    "relative tmpfs": Mistake(f"{RUN} --tmpfs rel busybox true", 125,
                              "invalid mount path: 'rel' mount path must be absolute"),
    "tmpfs for the root": Mistake(f"{RUN} --tmpfs / busybox true", 125,
                                  "invalid specification: destination can't be '/'"),
    "option of a tmpfs": Mistake(f"{RUN} --tmpfs /x:nosuch=1 busybox true", 125,
                                 'invalid tmpfs option ["nosuch" "1"]'),
    "real time that the kernel lacks": Mistake(
        f"{RUN} --cpu-rt-runtime 1000 busybox true", 125,
        'failed to write "1000" to /sys/fs/cgroup'),
    "a GPU": Mistake(f"{RUN} --gpus all busybox true", 125,
                     'could not select device driver "" with capabilities: [[gpu]]'),
    "remove what runs": Mistake(
        "rm taken", 1, 'cannot remove container "taken": container is running'),
    "exec in what is stopped": Mistake("exec idle true", 1, "<id> is not running"),
    "exec of a missing program": Mistake("exec taken nosuch", 127,
                                         'exec: "nosuch": executable file not found in $PATH'),
    "exec as nobody known": Mistake(
        "exec -u nosuch taken true", 126,
        "unable to find user nosuch: no matching entries in passwd file"),
    "kill what is stopped": Mistake("kill idle", 1, "is not running"),
    "pause what is stopped": Mistake("pause idle", 1, "is not running"),
    "unpause what runs": Mistake("unpause taken", 1, "is not paused"),
    "unknown signal": Mistake("kill -s NOSUCH taken", 1, "invalid signal: NOSUCH"),
    "rename to a taken name": Mistake(
        "rename idle taken", 1,
        'Error when allocating new name: Conflict. The container name "/taken" is already'),
    "update to too little": Mistake("update -m 1m taken", 1, "Minimum memory limit allowed is 6MB"),
    "copy from nowhere": Mistake(
        "cp taken:/nosuch -", 1, "Could not find the file /nosuch in container taken"),
    "copy to nowhere": Mistake(
        "cp /etc/passwd taken:/nosuch/x", 1, "Could not find the file /nosuch in container"),
    "image in use": Mistake("rmi busybox", 1, "conflict: unable to remove repository reference"),
    "volume in use": Mistake("volume rm held", 1, "volume is in use"),
    "predefined network": Mistake(
        "network rm bridge", 1, "bridge is a pre-defined network and cannot be removed"),
    "network name in use": Mistake(
        "network create bridge", 1, "bridge"),
    "bad subnet": Mistake("network create --subnet 10.1.2.3.4/24 net", 1, "10.1.2.3.4/24"),
    "garbage to load": Mistake("load", 1, "the archive is no image archive", "garbage"),
    "truncated archive": Mistake("load", 1, "unexpected end of data", "truncated"),
    "wrong digest": Mistake(
        "load", 1, "layer sha256:<id> has the wrong content: its digest is sha256:<id>", "false"),
    "path traversal": Mistake(
        "load", 1, 'the layer\'s "../../escaped" leads outside of the root', "traversal"),
    "garbage to import": Mistake(
        "import - bad:1", 1, "the archive is no whole archive: invalid header", "garbage"),
    "truncated layer": Mistake(
        "import - bad:1", 1, "no whole archive: Compressed file ended", "short layer"),
}  # fmt: skip


OLDER = "Debian's dockerd has its release's words; these are those of the newest"
STRICTER = "dockerd takes it"
DIFFERENCES: dict[str, str] = {
    "restart policy": OLDER, "ipc mode": OLDER, "stop signal": OLDER,
    "runtime": OLDER, "sysctl that the kernel lacks": OLDER, "group": OLDER, "no command": OLDER,
    "container to join": OLDER, "container whose processes to see": OLDER,
    "missing program": OLDER, "missing program by path": OLDER, "file that is no program": OLDER,
    "directory for a program": OLDER, "file over a directory": OLDER, "too many processors": OLDER,
    "remove what runs": OLDER, "exec in what is stopped": OLDER,
    "exec of a missing program": "the exit code was 126 in its release",
    "kill what is stopped": OLDER, "pause what is stopped": OLDER,
    "real time that the kernel lacks": "it names the system call, too",
    "unknown signal": OLDER, "bad subnet": OLDER,
    "the host's sysctl": "runc says it there, at the start",
    "log tag": "its words are those of a Go package",
    "unclosed log tag": "its words are those of a Go package",
    "garbage to load": "its words are those of a Go package",
    "truncated archive": "its words are those of a Go package",
    "wrong digest": "it names the number of the layer",
    "path traversal": "it unpacks such an entry inside of the root; here the layer is refused",
    "garbage to import": "its words are those of a Go package",
    "truncated layer": "its words are those of a Go package",
}  # fmt: skip
"""Mistakes of which dockerd tells otherwise, and why that is accepted."""


def standard_input() -> dict[str, bytes]:
    layers = [layer(entry("etc")), layer(entry("a", b"x" * 50_000))]
    whole = docker_archive(layers, ["bad:1"])
    other, escaping = layer(entry("b", b"y")), layer(entry("../../escaped", b"x"))
    return {
        "": b"",
        "garbage": b"this is no archive at all" * 100,
        "truncated": whole[: len(whole) // 2],
        "false": docker_archive(layers, ["bad:1"], **{"1.tar": other}),
        "traversal": docker_archive([layers[0], escaping], ["bad:1"]),
        "short layer": squeeze(busybox_archive())[:100_000],
    }


INPUT = standard_input()


def prepare(engine: Engine) -> None:
    engine.docker("import", "-", "empty", stdin=layer(entry("x", b"x")))
    engine.docker("run", "-d", "--name", "taken", "-v", "held:/held", "-p", "127.0.0.1:8080:80",
                  "busybox", "sleep", "1000")  # fmt: skip
    engine.docker("create", "--name", "idle", "busybox", "true")


class Place(NamedTuple):
    """An engine on a network of its own."""

    engine: Engine
    namespace: NetworkNamespace


@pytest.fixture(scope="module")
def place(engine_ready: None) -> Iterator[Place]:
    with NetworkNamespace() as namespace, Engine(namespace=namespace) as engine:
        engine.import_busybox()
        prepare(engine)
        yield Place(engine, namespace)
    assert engine.leftovers() == []


@pytest.fixture(scope="module")
def dockerd() -> Iterator[DockerEngine]:
    for engine in running_dockerd():
        prepare(engine)
        yield engine


def told(engine: Engine, mistake: Mistake) -> tuple[int, list[str]]:
    """The exit code and the lines of what is said, without what is random or of the client."""
    done = engine.docker(*mistake.words.split(), stdin=INPUT[mistake.stdin], check=False)
    text = re.sub(r"[0-9a-f]{64}|\b[0-9a-f]{12}\b", "<id>", f"{done.stdout}\n{done.stderr}")
    text = re.sub(r"endpoint [a-z_]+", "endpoint <name>", text)
    # How the newest release wraps what Debian's says.
    text = text.replace("failed to create task for container: ", "")
    text = text.replace("failed to set up container networking: ", "")
    lines = [line.strip() for line in text.splitlines()]
    hints = ("Run 'docker", "See 'docker", "Usage:", "Error: failed to", "exit status")
    return done.returncode, [line for line in lines if line and not line.startswith(hints)]


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_in_one_line_and_leaves_nothing(place: Place, name: str) -> None:
    mistake = MISTAKES[name]
    before = holdings(*place)
    code, lines = told(place.engine, mistake)
    assert (code, len(lines)) == (mistake.code, 1), lines
    assert mistake.said in lines[0]
    assert settled(place.engine, before, place.namespace) == (set(), set())


@needs_dockerd
@pytest.mark.parametrize("name", MISTAKES)
def test_dockerd_tells_the_same(place: Place, dockerd: DockerEngine, name: str) -> None:
    same = told(dockerd, MISTAKES[name]) == told(place.engine, MISTAKES[name])
    assert same == (name not in DIFFERENCES), (
        f"{told(dockerd, MISTAKES[name])} and {told(place.engine, MISTAKES[name])}"
    )


class Request(NamedTuple):
    """A request that is refused, with its status and a part of the message."""

    method: str
    path: str
    body: object
    status: int
    said: str


REQUESTS: dict[str, Request] = {
    "no such page": Request("GET", "/nosuch", None, 404, "page not found"),
    "no image": Request("POST", "/containers/create", {"Image": "nosuch:1"}, 404,
                        "No such image: nosuch:1"),
    "no image's name": Request("POST", "/containers/create", {}, 400, "mage"),
    "bad reference": Request("POST", "/images/busybox/tag?repo=UPPER&tag=1", None, 400,
                             "invalid reference format"),
    "wrong type": Request("POST", "/containers/create", {"Image": 1}, 400, "Image"),
    "no command": Request("POST", "/containers/create", {"Image": "empty"}, 400,
                          "no command specified"),
    "name in use": Request("POST", "/containers/create?name=taken", {"Image": "busybox"}, 409,
                           'The container name "/taken" is already in use by container'),
    "too little memory": Request(
        "POST", "/containers/create", {"Image": "busybox", "HostConfig": {"Memory": 1}}, 400,
        "Minimum memory limit allowed is 6MB"),
    "missing bind source": Request(
        "POST", "/containers/create",
        {"Image": "busybox", "HostConfig": {"Mounts": [
            {"Type": "bind", "Source": "/nosuch", "Target": "/x"}]}}, 400,
        "bind source path does not exist: /nosuch"),
    "no container": Request("POST", "/containers/nosuch/start", None, 404,
                            "No such container: nosuch"),
    "not running": Request("POST", "/containers/idle/kill", None, 409, "is not running"),
    "running": Request("DELETE", "/containers/taken", None, 409, "container is running"),
    "wait for what is not": Request("POST", "/containers/taken/wait?condition=nosuch", None, 400,
                                    'invalid condition: "nosuch"'),
    "no stream": Request("GET", "/containers/taken/logs", None, 400,
                         "Bad parameters: you must choose at least one stream"),
    "bad filter": Request("GET", "/containers/json?filters={%22nosuch%22:[%22x%22]}", None, 400,
                          "invalid filter 'nosuch'"),
    "no exec": Request("GET", "/exec/nosuch/json", None, 404, "No such exec instance: nosuch"),
    "no program for an exec": Request("POST", "/containers/taken/exec", {"Cmd": []}, 400,
                                      "No exec command specified"),
    "bad volume": Request("POST", "/volumes/create", {"Name": "a/b"}, 400,
                          "includes invalid characters for a local volume name"),
    "volume in use": Request("DELETE", "/volumes/held", None, 409, "volume is in use"),
    "no network": Request("GET", "/networks/nosuch", None, 404, "network nosuch not found"),
    "network in use": Request("DELETE", "/networks/bridge", None, 403,
                              "is a pre-defined network and cannot be removed"),
    "no such driver": Request("POST", "/networks/create", {"Name": "n", "Driver": "nosuch"}, 404,
                              "nosuch"),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
def test_a_bad_request_has_dockers_status_and_leaves_nothing(place: Place, name: str) -> None:
    request = REQUESTS[name]
    before = holdings(*place)
    with pytest.raises(ApiError) as refused:
        Api(place.engine.socket).call(request.method, request.path, request.body)
    assert refused.value.status == request.status, refused.value.message
    assert request.said in refused.value.message
    assert len(refused.value.message.splitlines()) == 1
    assert settled(place.engine, before, place.namespace) == (set(), set())


OLDER_STATUS = {"bad reference", "wrong type", "wait for what is not"}
"""Requests that Debian's dockerd, but not the newest, answers with 500 or takes."""


@needs_dockerd
@pytest.mark.parametrize("name", [name for name in REQUESTS if name not in OLDER_STATUS])
def test_dockerd_has_the_same_status(dockerd: DockerEngine, name: str) -> None:
    request = REQUESTS[name]
    with pytest.raises(ApiError) as refused:
        Api(dockerd.socket, "v1.41").call(request.method, request.path, request.body)
    assert refused.value.status == request.status, refused.value.message
