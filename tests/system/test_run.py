"""`docker run`, in the foreground and detached."""

import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.support.engine import Engine
from tests.support.patience import patience


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_output_goes_to_the_stream_it_came_from_and_the_exit_code_is_the_containers(
    engine: Engine,
) -> None:
    done = engine.docker(
        "run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7", check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")


def test_standard_input_reaches_the_container_and_its_end_does_too(engine: Engine) -> None:
    data = b"x" * 3_000_000
    done = engine.docker("run", "--rm", "-i", "busybox", "wc", "-c", stdin=data)
    assert done.stdout.strip() == str(len(data))


def test_a_missing_program_exits_127_and_a_directory_126(engine: Engine) -> None:
    assert engine.docker("run", "--rm", "busybox", "nosuch", check=False).returncode == 127
    assert engine.docker("run", "--rm", "busybox", "/etc/passwd", check=False).returncode == 126
    directory = engine.docker("run", "--rm", "busybox", "/etc", check=False)
    assert (directory.returncode, "is a directory" in directory.stderr) == (126, True)


def test_a_container_is_pid_1_with_dockers_capabilities_and_no_host_descriptor(
    engine: Engine,
) -> None:
    status = engine.docker("run", "--rm", "busybox", "cat", "/proc/self/status").stdout
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Pid"] == "1"
    assert fields["CapEff"] == "00000000a80425fb"
    assert fields["CapInh"] == "0000000000000000"
    assert fields["SigIgn"] == "0000000000000000"
    assert fields["Seccomp"] == "2"
    listed = engine.docker("run", "--rm", "busybox", "ls", "/proc/self/fd").stdout.split()
    assert listed == ["0", "1", "2", "3"]


def test_a_published_port_serves_what_lies_in_a_volume(engine: Engine) -> None:
    engine.docker("run", "--rm", "-v", "pages:/www", "busybox", "sh", "-c", "echo hi > /www/a")
    port = free_port()
    engine.docker(
        "run", "-d", "--name", "web", "-v", "pages:/www:ro", "-p", f"{port}:80", "busybox",
        "httpd", "-f", "-p", "80", "-h", "/www",
    )  # fmt: skip
    engine.docker(
        "exec",
        "web",
        "sh",
        "-c",
        "until wget -q -O- http://127.0.0.1/a >/dev/null 2>&1; do :; done",
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/a", timeout=10) as response:
        assert response.read() == b"hi\n"
    engine.docker("rm", "-f", "web")
    engine.docker("volume", "rm", "pages")


def test_limits_are_in_the_control_group(engine: Engine) -> None:
    engine.docker(
        "run", "-d", "--name", "small", "-m", "64m", "--pids-limit", "20", "busybox", "sleep", "99"
    )
    pid = engine.docker("inspect", "-f", "{{.State.Pid}}", "small").stdout.strip()
    with open(f"/proc/{pid}/cgroup") as file:
        groups = dict(line.rstrip().split(":", 2)[1:] for line in file)
    root = "/sys/fs/cgroup"
    if "memory" in groups:
        name, path = "memory.limit_in_bytes", f"{root}/memory{groups['memory']}"
    else:
        name, path = "memory.max", f"{root}{groups['']}"
    with open(f"{path}/{name}") as file:
        assert int(file.read()) == 64 << 20
    engine.docker("rm", "-f", "small")


def test_exec_runs_beside_and_tells_its_own_exit_code(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "host", "busybox", "sleep", "99")
    done = engine.docker("exec", "-e", "A=b", "host", "sh", "-c", "echo $A; exit 5", check=False)
    assert (done.returncode, done.stdout) == (5, "b\n")
    engine.docker("rm", "-f", "host")


def test_a_committed_and_saved_image_is_loaded_again(engine: Engine) -> None:
    engine.docker(
        "run", "--name", "maker", "busybox", "sh", "-c", "echo made > /made; rm /etc/group"
    )
    engine.docker("commit", "maker", "made:1")
    archive = engine.root / "made.tar"
    engine.docker("save", "-o", str(archive), "made:1")
    engine.docker("rm", "maker")
    engine.docker("rmi", "made:1")
    assert "Loaded image: made:1" in engine.docker("load", "-i", str(archive)).stdout
    shown = engine.docker("run", "--rm", "made:1", "sh", "-c", "cat /made; ls /etc").stdout
    assert shown == "made\nhostname\nhosts\nmtab\npasswd\nresolv.conf\n"
    engine.docker("rmi", "made:1")


def test_containers_run_on_while_the_daemon_is_killed(engine: Engine) -> None:
    script = "for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.2; done; exit 4"
    container = engine.docker("run", "-d", "busybox", "sh", "-c", script).stdout.strip()
    engine.kill()
    engine.start()
    assert engine.docker("wait", container).stdout.strip() == "4"
    lines = engine.docker("logs", container).stdout.splitlines()
    assert lines == [f"line {number}" for number in range(1, 9)]
    engine.docker("rm", container)


def test_no_output_of_a_short_program_is_lost_by_a_fast_client(engine: Engine) -> None:
    wherry = [sys.executable, str(Path(__file__).parents[2] / "bin" / "wherry")]
    for _ in range(15):
        done = subprocess.run(
            [*wherry, "run", "--rm", "busybox", "echo", "heard"], env=engine.environment(),
            capture_output=True, text=True, check=True, timeout=patience(60),
        )  # fmt: skip
        assert done.stdout == "heard\n"


def test_an_exec_that_closes_its_output_early_keeps_its_exit_code(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "closer", "busybox", "sleep", "1000")
    script = "exec >&- 2>&-; sleep 0.3; exit 3"
    assert engine.docker("exec", "closer", "sh", "-c", script, check=False).returncode == 3
    assert engine.docker("inspect", "-f", "{{json .ExecIDs}}", "closer").stdout == "null\n"
    engine.docker("rm", "-f", "closer")


def test_a_process_has_its_own_group_among_its_groups(engine: Engine) -> None:
    done = engine.docker("run", "--rm", "-u", "joe", "--group-add", "77", "busybox", "id", "-G")
    assert done.stdout.split() == ["1000", "77"]


def test_an_exec_makes_no_working_directory(engine: Engine) -> None:
    engine.docker("run", "-d", "--name", "place", "busybox", "sleep", "100")
    refused = engine.docker("exec", "-w", "/nosuch", "place", "true", check=False)
    assert refused.returncode == 127
    assert 'chdir to cwd ("/nosuch") set in config.json failed: no such file' in refused.stdout
    assert engine.docker("exec", "place", "ls", "/nosuch", check=False).returncode == 1
    engine.docker("rm", "-f", "place")
