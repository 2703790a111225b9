"""`wherry` and `docker` side by side: the same engine, the same words, the same answers.

Each command runs through both; `{}` becomes a mark of its own for each, so that both may create
things, and is taken out again before the answers are compared.
"""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import tarfile
import threading
import time
from pathlib import Path

import pytest

from tests.support.engine import Engine
from tests.support.wherry_cli import WarmWherry

DOCKERD = shutil.which("dockerd") or "/usr/sbin/dockerd"
BUSYBOX = Path("/bin/busybox")

needs_docker = pytest.mark.skipif(not shutil.which("docker"), reason="there is no docker CLI")
needs_dockerd = pytest.mark.skipif(
    os.geteuid() != 0 or not Path(DOCKERD).exists() or not BUSYBOX.exists(),
    reason="needs root, dockerd and a static busybox",
)

ERRORS = """
run --foo
run
run -Z busybox
run --memory
run --memory=abc busybox
run --privileged=foo busybox
ps foo
start
nope
container nope
rename a
run --cpus=x busybox
run --ulimit=foo busybox
run --mount type=foo,bar busybox
run --mount type=foo busybox
run --mount type=bind,volume-nocopy busybox
run --network name=,alias=x busybox
run -p 99999:80 busybox
run -p 80:8000-9000 busybox
run --health-interval=5 busybox
run --pull foo busybox
run -e '' busybox
run -a foo busybox
run -d -a stdout busybox
create --rm --restart=always busybox
run --no-healthcheck --health-cmd x busybox
run --env-file /nope busybox
run --expose 80-70 busybox
run --label =x busybox
run --shm-size 1x busybox
run --gpus foo busybox
run --security-opt foo busybox
run --dns 1.2.3 busybox
run --mac-address xx busybox
run --userns foo busybox
ps -n
ps -f x
cp a b
cp a:/x b:/y
update nope
network create
load -i /nope
import /nope
events --since x
tag
tag a BAD
rmi BAD
pull BAD
"""

ANSWERS = """
run -d --name box{} -p 127.0.0.1::80 -l a=b -l c=d -v vol{}:/data busybox sleep 1000
run -d --name box{} busybox true
ps -f name=box{}
ps -a --no-trunc -f name=box{}
ps -s -f name=box{} --format '{{.Names}} {{.Size}}'
ps -f name=box{} --format 'table {{.ID}}\\t{{.Names}}\\t{{.Label "a"}}'
ps -f name=box{} --format '{{.Nope}}'
ps --format '{{.ID'
ps -qf name=box{}
images
images --digests
images -q --no-trunc
images --format '{{.Repository}}:{{.Tag}}'
history busybox
history -q busybox
inspect box{}
inspect -f '{{.Name}} {{.State.Running}}' box{}
inspect -f '{{json .Config.Labels}}' box{}
inspect -f '{{range .Mounts}}{{.Name}}={{.Destination}} {{end}}' box{}
inspect -f '{{if .State.Running}}up{{else}}down{{end}}' box{}
inspect nosuch
inspect --type foo busybox
image inspect busybox
volume inspect vol{}
volume ls -f name=vol{}
volume create
volume rm nosuch
network ls
network ls -q --no-trunc
network inspect bridge
network create net{}
network connect --alias al net{} box{}
network disconnect net{} box{}
network rm net{} nosuch
exec box{} echo hi
exec -i box{} cat
exec box{} sh -c 'echo err >&2; exit 3'
exec -e A=b -w /tmp -u 1:1 box{} sh -c 'echo $A; pwd; id'
exec box{} nosuch
exec -d box{} true
exec nosuch true
top box{} -o pid,comm
port box{} 99
diff box{}
stats --no-stream --format '{{.Name}}' box{}
pause box{}
pause box{}
unpause box{}
update --memory 64m --memory-swap 128m box{}
rename box{} other{}
rename other{} box{}
tag busybox foo/bar{}:1
rmi foo/bar{}:1
rmi nosuch
commit -m msg -a me -c 'ENV A=b' box{} new{}:img
rmi new{}:img
run --name log{} busybox sh -c 'echo out; echo last'
logs log{}
logs -n 1 log{}
logs --since x log{}
rm log{}
rm log{}
rm box{}
stop -t 1 box{}
wait box{}
start box{}
start -a nosuch
restart -t 0 box{}
cp box{}:/nosuch -
cp /etc/hostname box{}:/tmp/host
cp /etc/hostname box{}:/nosuch/host
exec box{} test -f /tmp/host
kill -s FOO box{}
kill box{} nosuch
rm -fv box{} nosuch
volume rm vol{}
inspect -f '{{.Mounts}} {{.HostConfig.RestartPolicy}} {{.HostConfig.Binds}}' box{}
inspect -f '{{json .Config}}' box{}
inspect -f '{{json .NetworkSettings.Ports}} {{json .HostConfig.LogConfig}}' box{}
inspect -f '{{if .State.Health}}health{{else}}none{{end}} {{.Config.Healthcheck}}' box{}
inspect -f '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{$v.IPPrefixLen}}{{end}}' box{}
inspect -f '{{json .Mounts}}' box{}
network inspect -f '{{.IPAM.Driver}} {{len .IPAM.Config}} {{json .Options}}' bridge
network inspect -f '{{range .IPAM.Config}}{{.Subnet}}{{end}}' bridge
events --since 1 --until 2
ps -a -f name=box{} --format '{{json .}}'
ps -a -f name=box{} --format raw
volume ls -f name=vol{} --format '{{json .}}'
network ls --format '{{json .}}' -f name=bridge
images --format '{{.ID}} {{.Size}} {{.VirtualSize}} {{.Digest}}' busybox
history --no-trunc --format '{{.CreatedBy}}|{{.Comment}}' busybox
system df
swarm leave
swarm unlock
node ls
node inspect self
service ls
service ps x
stack ls
stack ps x
secret ls
secret create s{} -
config ls
plugin ls
plugin inspect nosuch
plugin rm nosuch
checkpoint ls box{}
context show
context ls -q
info --format '{{.Driver}} {{.NCPU}}'
version --format '{{.Server.Version}}'
run --rm -e A=b -h hst --read-only --tmpfs /x busybox sh -c 'echo $A; hostname; mount | grep /x'
run --rm -i busybox cat
run --rm -a stderr busybox sh -c 'echo out; echo err >&2'
run --rm busybox sh -c 'exit 7'
run --rm busybox sh -c 'kill -9 $$'
run --rm busybox nosuch
run --rm busybox /etc
run --rm -w rel busybox true
run --rm -u nosuch busybox true
run --rm -it busybox true
run --rm --network nosuch busybox true
run --rm --pull never nosuch true
run --rm --mount type=bind,src=/nosuch,dst=/x busybox true
run --rm --cidfile /nosuch/x busybox true
save nosuch
export nosuch
wait nosuch
kill nosuch
network rm nosuch
system df --format '{{.Type}}'
"""

ON_OUR_OWN = """
images --tree
secret create secret{} -
secret ls --format '{{.Name}} {{.Labels}}'
secret inspect --pretty secret{}
secret rm secret{} nosuch
config create config{} -
config ls -q -f name=config{}
config inspect -f '{{.Spec.Data}}' config{}
config rm config{}
volume update nosuch
run -d --name box{} --network none --label k=v busybox sleep 1000
network create --label x=y --internal net{}
network connect --alias al net{} box{}
network inspect -f '{{json .Labels}} {{.Internal}} {{len .Containers}}' net{}
inspect -f '{{json .NetworkSettings.Networks}}' box{}
network disconnect net{} box{}
network rm net{}
update --restart always --memory 64m --memory-swap 64m box{}
container ls -f label=k=v -f name=box{} --format 'table {{.Names}}\\t{{.State}}'
system df -v --format '{{json .Images}}'
container prune -f --filter label=nosuch
image prune -f
network prune -f
service create busybox
plugin install x
rm -f box{}
"""

BODIES = """
-it busybox sh
--name x -p 8080:80 -p 127.0.0.1:53:53/udp -P --expose 90-92 busybox
-m 64m --memory-swap -1 --memory-reservation 32m --cpus 1.5 -c 512 --pids-limit 10 busybox true
--cpuset-cpus 0-1 --cpu-period 1000 --cpu-quota 500 --blkio-weight 100 busybox
--device /dev/null:/dev/x:r --device-cgroup-rule 'c 1:3 rwm' --ulimit nofile=10:20 busybox
--device-read-bps /dev/sda:1mb --device-write-iops /dev/sda:5 busybox
-v /a:/b:ro -v data:/d -v /anon --tmpfs /t:size=1m --volumes-from x --volume-driver local busybox
--mount type=bind,src=/a,dst=/b,ro,bind-propagation=rslave busybox
--mount type=volume,src=v,dst=/b,volume-opt=a=b,volume-driver=local busybox
--mount type=tmpfs,dst=/b,tmpfs-size=1m,tmpfs-mode=700 busybox
--network net --network-alias al --ip 10.0.0.5 --link a:b busybox
--network name=net,alias=al,ip=10.0.0.5 --network other busybox
--network host --uts host --pid host --ipc host --userns host --cgroupns host busybox
--cap-add ALL --cap-drop NET_RAW --security-opt no-new-privileges --privileged busybox
--security-opt seccomp=unconfined --security-opt systempaths=unconfined busybox
--health-cmd true --health-interval 1s --health-retries 3 --health-start-period 1m busybox
--no-healthcheck --init --read-only --rm --entrypoint /bin/sh busybox -c true
-e A=b -e HOME --label x=y -l z --annotation a=b -u 1:2 -w /w -h host --domainname dom busybox
--restart on-failure:3 --stop-signal INT --stop-timeout 5 --log-driver local --log-opt a=b busybox
--dns 1.1.1.1 --dns-search example.com --dns-opt ndots:2 --add-host h:1.2.3.4 busybox
--sysctl net.ipv4.ip_forward=1 --shm-size 1g --oom-kill-disable --oom-score-adj 5 busybox
--gpus all --runtime x --isolation default --group-add 5 --storage-opt size=1g busybox
-a stdin -a stderr -i busybox
--entrypoint= --mac-address 92:d0:c6:0a:29:33 busybox
--stop-timeout 0 --init=false --memory-swappiness 10 --kernel-memory 0 busybox
"""


def lines_of(text, but=()):
    return [line for line in text.strip().splitlines() if line and line not in but]


@pytest.fixture(scope="module")
def wherry():
    with WarmWherry() as running:
        yield running


def environment(host, directory):
    return {**os.environ, "DOCKER_HOST": host, "HOME": str(directory), "COLUMNS": "80"}


def docker(words, host, directory, stdin=b"from stdin\n"):
    done = subprocess.run(
        ["docker", *words],
        env=environment(host, directory),
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
        cwd=directory,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def settled(text, mark):
    """An answer without what differs from run to run."""
    text = text.replace("wherry", "docker").replace(mark, "")
    text = re.sub(r"[0-9a-f]{64}", "<id>", text)
    text = re.sub(r"\b[0-9a-f]{12}\b", "<short>", text)
    text = re.sub(r"\b[a-z]+_[a-z]+\b", "<name>", text)
    text = re.sub(r"(\d+|About an?|Less than a) (second|minute|hour)s?( ago)?", "<time>", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<when>", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "<port>", text)
    text = re.sub(r'"HostPort": "\d+"', '"HostPort": "<port>"', text)
    text = re.sub(r'("(?:Pid|IPAddress|MacAddress|Gateway)": ).*', r"\1<it>", text)
    text = re.sub(r"\d+\.\d+\.0\.\d+", "<address>", text)
    text = re.sub(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", "<mac>", text)
    text = re.sub(r"\b\d{3,}\b", "<number>", text)
    return re.sub(r" +", " ", text)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """A dockerd of its own, in a network namespace of its own, with busybox in it."""
    root = tmp_path_factory.mktemp("dockerd")
    name = f"cli{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    host = f"unix://{root}/d.sock"
    command = ["nsenter", f"--net=/run/netns/{name}", DOCKERD, "-H", host]
    command += ["--data-root", f"{root}/data", "--exec-root", f"{root}/exec"]
    command += ["--pidfile", f"{root}/d.pid"]
    with open(root / "log", "wb") as log:
        daemon = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while docker(["version"], host, root)[0] != 0:
            assert daemon.poll() is None, (root / "log").read_text()[-2000:]
            assert time.monotonic() < deadline
        import_busybox(root, host)
        yield host
    finally:
        daemon.terminate()
        daemon.wait(60)
        subprocess.run(["ip", "netns", "del", name], check=True)


def import_busybox(root, host):
    archive = root / "busybox.tar"
    applets = subprocess.run(
        [str(BUSYBOX), "--list"], capture_output=True, check=True, text=True
    ).stdout.split()
    with tarfile.open(archive, "w") as tar:
        tar.add(BUSYBOX, "bin/busybox")
        for applet in set(applets) - {"busybox"}:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        for directory in ("etc", "tmp", "proc", "dev", "sys"):
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
    assert docker(["import", str(archive), "busybox"], host, root)[0] == 0


def compare(line, wherry, host, directory):
    answers = []
    for mark in ("-dk-", "-wh-"):
        words = [word.replace("{}", mark) for word in shlex.split(line)]
        if mark == "-dk-":
            code, out, err = docker(words, host, directory)
        else:
            variables = environment(host, directory)
            code, out, err = wherry.run(words, variables, directory, b"from stdin\n")
        answers.append((code, settled(out, mark), settled(err, mark)))
    assert answers[1] == answers[0], line


@needs_docker
@pytest.mark.parametrize("line", lines_of(ERRORS))
def test_mistakes_are_told_as_docker_tells_them(line, wherry, recorder, tmp_path):
    compare(line, wherry, recorder.host, tmp_path)


def compare_all(lines, wherry, host, directory):
    failures = []
    for line in lines:
        try:
            compare(line, wherry, host, directory)
        except AssertionError as failure:
            failures.append(str(failure))
    assert not failures, "\n\n".join(failures)


@needs_docker
@needs_dockerd
@pytest.mark.timeout(300)
def test_answers_are_those_of_docker(engine, wherry, tmp_path):
    compare_all(lines_of(ANSWERS), wherry, engine, tmp_path)


@needs_docker
@needs_dockerd
@pytest.mark.timeout(300)
def test_answers_are_those_of_docker_on_our_own_engine(wherry, tmp_path):
    with Engine() as running:
        running.import_busybox()
        lines = lines_of(ANSWERS + ON_OUR_OWN, but=("network inspect bridge",))
        compare_all(lines, wherry, f"unix://{running.socket}", tmp_path)


class Recorder:
    """Takes requests as an engine would, keeps their bodies, and refuses them."""

    def __init__(self, path):
        self.host = f"unix://{path}"
        self.bodies = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(32)
        self._path = str(path)
        self._stopped = False
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self):
        while not self._stopped:
            connection, _ = self._listener.accept()
            with connection, connection.makefile("rb") as file:
                while self._answer(connection, file):
                    pass

    def _answer(self, connection, file):
        first = file.readline()
        if not first:
            return False
        length = 0
        while line := file.readline().strip().lower():
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = file.read(length)
        if b"_ping" in first:
            head = b"HTTP/1.1 200 OK\r\nApi-Version: 1.50\r\nOstype: linux\r\n"
            connection.sendall(head + b"Content-Length: 0\r\n\r\n")
            return True
        if b"/containers/create" in first:
            self.bodies.append(json.loads(body))
        text = b'{"message":"recorded"}'
        head = b"HTTP/1.1 500 No\r\nContent-Type: application/json\r\nConnection: close\r\n"
        connection.sendall(head + b"Content-Length: %d\r\n\r\n%b" % (len(text), text))
        return False

    def close(self):
        self._stopped = True
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(self._path)
        self._thread.join()
        self._listener.close()


@pytest.fixture(scope="module")
def recorder(tmp_path_factory):
    running = Recorder(tmp_path_factory.mktemp("recorder") / "engine.sock")
    yield running
    running.close()


def without_nothing(value):
    """A request without its zeros, which mean the same as their absence."""
    if isinstance(value, dict):
        kept = {name: without_nothing(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item not in (None, "", 0, [], {})}
    if isinstance(value, list):
        return [without_nothing(item) for item in value]
    return value


@needs_docker
@pytest.mark.parametrize("line", lines_of(BODIES))
def test_the_create_request_is_dockers(line, wherry, recorder, tmp_path):
    recorder.bodies.clear()
    words = ["create", *shlex.split(line)]
    code, _, err = docker(words, recorder.host, tmp_path)
    assert code == 1, err
    code, _, err = wherry.run(words, environment(recorder.host, tmp_path), tmp_path)
    assert code == 1, err
    theirs, ours = (without_nothing(body) for body in recorder.bodies)
    for body in (theirs, ours):
        body["HostConfig"]["Binds"] = sorted(body["HostConfig"].get("Binds", []))
        body["Env"] = sorted(body.get("Env", []))  # docker sends them in any order
    assert ours == theirs
