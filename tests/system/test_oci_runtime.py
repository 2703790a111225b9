"""`wherry-runtime` by its command line, on bundles, as the OCI specification and runc have it."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bundle import LAUNCH, Runtime, receive_master
from tests.support.needs import needs_program, needs_root
from tests.support.patience import patience

pytestmark = needs_root


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime() as found:
        yield found


def await_end(pid: int) -> None:
    """Waits for a process that is somebody else's child."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([pidfd], [], [], 20)[0], f"process {pid} does not end"
    os.close(pidfd)


def test_run_returns_output_and_exit_code_and_leaves_nothing(runtime: Runtime) -> None:
    runtime.write("sh", "-c", "echo out; echo err >&2; exit 7")
    done = runtime("run", "c", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")
    assert os.listdir(runtime.root) == []
    assert not list(Path("/sys/fs/cgroup").glob("*/c"))


def test_a_created_container_waits_for_its_start(runtime: Runtime) -> None:
    runtime.write("sh", "-c", "echo ran > /ran; sleep 100")
    pid_file = runtime.directory / "pid"
    runtime("create", "--pid-file", str(pid_file), "c")
    state = runtime.state("c")
    assert state["status"] == "created"
    assert state["pid"] == int(pid_file.read_text())
    assert state["bundle"] == str(runtime.bundle)
    assert state["ociVersion"] == runtime.config["ociVersion"]
    assert not (runtime.bundle / "rootfs/ran").exists()
    runtime("start", "c")
    assert runtime.state("c")["status"] == "running"
    assert os.readlink(f"/proc/{state['pid']}/exe") == "/bin/busybox"
    again = runtime("start", "c", check=False)
    assert again.returncode == 1
    assert again.stderr == "cannot start an already running container\n"
    runtime("kill", "c", "KILL")
    await_end(state["pid"])
    assert runtime.state("c") | {"created": ""} == state | {
        "status": "stopped", "pid": 0, "created": "",
    }  # fmt: skip
    runtime("delete", "c")
    assert runtime("state", "c", check=False).stderr == "container does not exist\n"


def test_every_wrong_step_is_refused_with_the_words_of_runc(runtime: Runtime) -> None:
    runtime.write("sleep", "100")
    runtime("run", "--detach", "c")
    refused = {
        ("create", "c"): "container with given ID already exists",
        ("create", "a/b"): "invalid container ID format",
        ("delete", "c"): "cannot delete container c that is not stopped: running",
        ("delete", "none"): "container does not exist",
        ("resume", "c"): "container not paused",
        ("kill", "c", "NOPE"): 'unknown signal "NOPE"',
        ("start", "none"): "container does not exist",
        ("state",): 'wherry-runtime: "state" requires exactly 1 argument(s)',
        ("state", "--nope", "c"): "flag provided but not defined: -nope",
        ("--systemd-cgroup", "start", "c"): "--systemd-cgroup is not supported: use the cgroupfs "
        "cgroup manager",
    }
    for words, text in refused.items():
        done = runtime(*words, check=False)
        assert (done.returncode, done.stderr) == (1, f"{text}\n"), words
        assert runtime.logged()[-1]["msg"] == text
        assert runtime.logged()[-1]["level"] == "error"
    assert runtime.state("c")["status"] == "running"
    runtime("delete", "--force", "none")
    runtime("delete", "--force", "c")
    assert json.loads(runtime("list", "--format", "json").stdout) == []
    stopped = runtime("kill", "c", check=False)
    assert stopped.stderr == "container does not exist\n"


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["nosuch"], 'exec: "nosuch": executable file not found in $PATH'),
        (["/nosuch"], 'exec: "/nosuch": stat /nosuch: no such file or directory'),
        (["/etc"], 'exec: "/etc": is a directory'),
        (["/etc/passwd"], 'exec: "/etc/passwd": permission denied'),
    ],
)
def test_a_program_that_cannot_run_fails_create_and_leaves_nothing(
    runtime: Runtime, args: list[str], text: str
) -> None:
    runtime.write(*args)
    done = runtime("create", "c", check=False)
    assert done.stderr == f"create failed: unable to start container process: {text}\n"
    assert done.returncode == 1
    assert os.listdir(runtime.root) == []
    assert not list(Path("/sys/fs/cgroup").glob("*/c"))


def test_without_a_log_file_the_failure_is_one_line_of_runcs_log_on_stderr() -> None:
    words = [sys.executable, "-c", LAUNCH, "--root", "/nonexistent", "state", "c"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.endswith(' level=error msg="container does not exist"\n')
    assert done.stderr.count("\n") == 1


HOOK = '#!/bin/sh\n{ printf \'%s \' "$1"; cat; echo; } >> "$OUT"\n'


def test_hooks_run_in_order_and_are_told_the_state(runtime: Runtime) -> None:
    script, out = runtime.directory / "hook", runtime.directory / "hooks"
    script.write_text(HOOK)
    script.chmod(0o755)
    inside = runtime.bundle / "rootfs/hook"
    inside.write_text(HOOK.replace("#!/bin/sh", "#!/bin/sh"))
    inside.chmod(0o755)
    kinds = ("prestart", "createRuntime", "createContainer", "poststart", "poststop")
    runtime.config["hooks"] = {
        kind: [{"path": str(script), "args": ["hook", kind], "env": [f"OUT={out}"]}]
        for kind in kinds
    }
    runtime.config["hooks"]["startContainer"] = [
        {"path": "/hook", "args": ["hook", "startContainer"], "env": ["OUT=/hooks"]}
    ]
    runtime.config["annotations"] = {"org.example": "x"}
    runtime.write("sh", "-c", "cp /hooks /seen; sleep 100")
    runtime("create", "c")
    pid = runtime.state("c")["pid"]
    runtime("start", "c")
    runtime("delete", "--force", "c")
    found = [line.split(" ", 1) for line in out.read_text().splitlines()]
    assert [kind for kind, _ in found] == list(kinds)
    states = {kind: json.loads(text) for kind, text in found}
    assert [states[kind]["status"] for kind in kinds] == [
        "creating", "creating", "creating", "running", "stopped",
    ]  # fmt: skip
    assert states["prestart"]["pid"] == states["createRuntime"]["pid"] == pid
    assert states["createContainer"]["annotations"] == {"org.example": "x"}
    kind, text = (runtime.bundle / "rootfs/hooks").read_text().split(" ", 1)
    assert (kind, json.loads(text)["status"], json.loads(text)["pid"]) == (
        "startContainer", "created", 1,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer"])
def test_a_failing_hook_fails_create_with_its_output(runtime: Runtime, kind: str) -> None:
    runtime.config["hooks"] = {
        kind: [{"path": "/bin/sh", "args": ["sh", "-c", "echo sorry; exit 3"]}]
    }
    runtime.write("true")
    done = runtime("create", "c", check=False)
    assert done.returncode == 1
    assert f"error running {kind} hook #0: exit status 3, output: sorry" in done.stderr
    assert os.listdir(runtime.root) == []


def test_a_hook_that_takes_too_long_is_killed(runtime: Runtime) -> None:
    runtime.config["hooks"] = {
        "createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "100"], "timeout": 1}]
    }
    runtime.write("true")
    assert "hook ran past specified timeout of 1.0s" in runtime("create", "c", check=False).stderr


def test_the_terminals_master_goes_to_the_console_socket(runtime: Runtime) -> None:
    runtime.write("sh", "-c", "tty; read line; echo got $line", terminal=True)
    path = runtime.directory / "console"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        runtime("create", "--console-socket", str(path), "c")
        master = receive_master(listener)
    runtime("start", "c")
    os.write(master, b"hello\n")
    text = b""
    while b"got hello" not in text:
        text += os.read(master, 1024)
    assert b"/dev/pts/0" in text
    os.close(master)


def test_a_terminal_without_a_console_socket_is_refused(runtime: Runtime) -> None:
    runtime.write("sh", terminal=True)
    done = runtime("create", "c", check=False)
    assert "without setting console socket" in done.stderr


def test_exec_runs_beside_the_first_process(runtime: Runtime) -> None:
    runtime.config["process"]["env"] = ["PATH=/bin", "A=1"]
    runtime.write("sleep", "100")
    runtime("run", "--detach", "c")
    words = ("exec", "--cwd", "/tmp", "--env", "B=2", "--user", "1000:7", "c", "sh", "-c",
             "pwd; echo $A$B; id -u; id -g; cat /proc/1/comm; exit 4")  # fmt: skip
    done = runtime(*words, check=False)
    assert done.stdout.split() == ["/tmp", "12", "1000", "7", "sleep"]
    assert done.returncode == 4
    missing = runtime("exec", "c", "nosuch", check=False)
    assert missing.returncode == 255
    assert missing.stderr == (
        'exec failed: unable to start container process: exec: "nosuch": executable file not '
        "found in $PATH\n"
    )
    process = runtime.directory / "process.json"
    process.write_text(json.dumps({
        "args": ["sh", "-c", "id -u > /out; ulimit -n >> /out; sleep 100"], "cwd": "/",
        "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0},
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 77}],
    }))  # fmt: skip
    pid_file = runtime.directory / "pid"
    runtime("exec", "--process", str(process), "--detach", "--pid-file", str(pid_file), "c")
    pid = int(pid_file.read_text())
    assert pid in json.loads(runtime("ps", "--format", "json", "c").stdout)
    assert "sleep 100" in runtime("ps", "c").stdout
    runtime("exec", "c", "sh", "-c", "while ! grep -q 77 /out; do :; done")
    runtime("delete", "--force", "c")
    await_end(pid)


def test_exec_with_a_terminal_relays_it(runtime: Runtime) -> None:
    runtime.write("sleep", "100")
    runtime("run", "--detach", "c")
    done = runtime("exec", "--tty", "c", "sh", "-c", "tty; exit 3", check=False)
    assert (done.stdout, done.returncode) == ("/dev/pts/0\r\n", 3)


def test_a_paused_container_neither_runs_nor_takes_processes(runtime: Runtime) -> None:
    runtime.write("sleep", "100")
    runtime("run", "--detach", "c")
    runtime("pause", "c")
    assert runtime.state("c")["status"] == "paused"
    done = runtime("exec", "c", "true", check=False)
    assert "cannot exec in a paused container" in done.stderr
    runtime("resume", "c")
    assert runtime.state("c")["status"] == "running"
    runtime("exec", "c", "true")


def test_kill_all_reaches_every_process(runtime: Runtime) -> None:
    runtime.config["linux"]["namespaces"] = [{"type": "mount"}, {"type": "uts"}]
    runtime.write("sh", "-c", "sleep 100 & sleep 100 & wait")
    runtime("run", "--detach", "c")
    pids: list[int] = []
    deadline = time.monotonic() + patience(20)
    while len(pids) < 3:
        pids = json.loads(runtime("ps", "--format", "json", "c").stdout)
        assert time.monotonic() < deadline
    runtime("kill", "--all", "c", "9")
    for pid in pids:
        await_end(pid)
    assert runtime.state("c")["status"] == "stopped"


def test_descriptors_are_passed_on_as_asked_and_no_other(runtime: Runtime) -> None:
    runtime.write("sh", "-c", "ls /proc/self/fd; cat <&4")
    with open(runtime.directory / "given", "w+") as given, open("/dev/null") as other:
        given.write("passed on\n")
        given.flush()
        given.seek(0)
        os.dup2(other.fileno(), 3 + 100)
        script = f'exec 3</dev/null 4<{given.name} 9</dev/null; exec "$@"'
        words = ["sh", "-c", script, "sh", sys.executable, "-c", LAUNCH, "--root",
                 str(runtime.root), "run", "--bundle", str(runtime.bundle), "--preserve-fds", "2",
                 "c"]  # fmt: skip
        done = subprocess.run(words, capture_output=True, text=True, check=False, pass_fds=(103,))
        os.close(103)
    assert done.stderr == ""
    # 5 is the directory that ls reads.
    assert done.stdout.split("\n")[:-1] == ["0", "1", "2", "3", "4", "5", "passed on"]


def test_without_pivot_root_the_host_is_out_of_reach_all_the_same(runtime: Runtime) -> None:
    runtime.write("sh", "-c", "ls /; ls -d /proc/1/root/work /usr/sbin/runc; echo end")
    done = runtime("run", "--no-pivot", "c", check=False)
    assert done.stdout.split() == [
        "bin", "dev", "etc", "home", "proc", "root", "sys", "tmp", "end",
    ]  # fmt: skip


def test_a_container_in_a_user_namespace_is_joined_by_another(runtime: Runtime) -> None:
    subprocess.run(["chown", "-R", "-h", "200000:200000", runtime.bundle / "rootfs"], check=True)
    mapping = [{"containerID": 0, "hostID": 200000, "size": 1000}]
    kinds = ("pid", "network", "ipc", "uts", "mount", "cgroup", "user")
    runtime.config["linux"] |= {
        "namespaces": [{"type": kind} for kind in kinds],
        "uidMappings": mapping, "gidMappings": mapping,
    }  # fmt: skip
    runtime.write("sh", "-c", "id -u; touch /x; sleep 100")
    runtime("run", "--detach", "c")
    pid = runtime.state("c")["pid"]
    status = Path(f"/proc/{pid}/status").read_text()
    assert "Uid:\t200000\t200000\t200000\t200000" in status
    assert runtime("exec", "c", "cat", "/proc/self/uid_map").stdout.split() == [
        "0", "200000", "1000",
    ]  # fmt: skip
    runtime.config["linux"]["namespaces"] = [
        {"type": "mount"}, {"type": "pid"},
        {"type": "user", "path": f"/proc/{pid}/ns/user"},
        {"type": "network", "path": f"/proc/{pid}/ns/net"},
        {"type": "uts", "path": f"/proc/{pid}/ns/uts"},
        {"type": "ipc", "path": f"/proc/{pid}/ns/ipc"},
    ]  # fmt: skip
    del runtime.config["hostname"]
    runtime.write("sh", "-c", "id -u; hostname; ls -ld /x; echo > /dev/null && echo null")
    done = runtime("run", "d")
    assert done.stdout.split()[:2] == ["0", "wherry"]
    assert "null" in done.stdout


def test_what_the_specification_asks_and_is_not_done_is_refused(runtime: Runtime) -> None:
    runtime.config["linux"]["intelRdt"] = {"closID": "x"}
    runtime.write("true")
    assert runtime("create", "c", check=False).stderr == "linux.intelRdt is not supported\n"
    assert not runtime.root.exists()


def test_limits_are_updated(runtime: Runtime) -> None:
    runtime.write("sleep", "100")
    runtime("run", "--detach", "c")
    limits = runtime.directory / "limits"
    limits.write_text(json.dumps({"pids": {"limit": 33}}))
    runtime("update", "--resources", str(limits), "c")
    found = [path.read_text() for path in Path("/sys/fs/cgroup").glob("**/c/pids.max")]
    assert found == ["33\n"]


def test_features_and_version_name_the_specification(runtime: Runtime) -> None:
    found = json.loads(runtime("features").stdout)
    assert found["ociVersionMax"] == "1.2.0"
    assert "createContainer" in found["hooks"]
    assert "SCMP_ACT_ERRNO" in found["linux"]["seccomp"]["actions"]
    assert "spec: 1.2.0" in runtime("--version").stdout


def test_the_foreground_runtime_forwards_signals(runtime: Runtime) -> None:
    runtime.write("sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done")
    words = [sys.executable, "-c", LAUNCH, "--root", str(runtime.root), "run", "--bundle",
             str(runtime.bundle), "c"]  # fmt: skip
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 9


def test_what_is_executed_in_a_container_finds_no_interpreter_of_the_host(
    runtime: Runtime,
) -> None:
    # CVE-2019-5736: a script whose interpreter is /proc/self/exe runs what executed it.
    evil = runtime.bundle / "rootfs/evil"
    evil.write_text("#!/proc/self/exe\n")
    evil.chmod(0o755)
    script = "print(1)\nopen('/proc/self/exe','r+b').write(b'owned')\n"
    evil.write_text(f"#!/proc/self/exe\n{script}")
    runtime.write("sleep", "100")
    runtime("run", "--detach", "c")
    done = runtime("exec", "c", "/evil", check=False)
    assert done.returncode != 0
    link = runtime("exec", "c", "sh", "-c", "readlink /proc/1/exe").stdout
    assert link == "/bin/busybox\n"
    created = Runtime()
    with created:
        created.write("true")
        created("create", "w")
        pid = created.state("w")["pid"]
        assert os.readlink(f"/proc/{pid}/exe").startswith("/memfd:wherry-runtime")
        with pytest.raises(OSError, match=r"busy|permitted"):
            os.close(os.open(f"/proc/{pid}/exe", os.O_RDWR))


@needs_program("runc")
def test_runc_takes_the_specification_that_spec_writes(runtime: Runtime) -> None:
    runtime.write("echo", "by runc")
    done = subprocess.run(
        ["runc", "--root", runtime.directory / "runc", "run", "--bundle", runtime.bundle,
         f"wherry-spec-{os.getpid()}"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("by runc\n", 0), done.stderr
