"""docker cp, diff and export: files of running and of stopped containers."""

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.docker_cli import docker_release
from tests.support.engine import Engine

SCRIPT = (
    "echo hi >/data/x; mkdir -p /d/e; echo 1 >/d/e/f; ln -s /d/e /l; echo q >/t/q; "
    "rm /etc/group; chmod 700 /home; ln -s ../../../../../etc /away; "
    "echo up; exec sleep 1000"
)


@pytest.fixture(scope="module")
def container(engine: Engine) -> Iterator[str]:
    """A running container with a volume, a tmpfs and changed files."""
    engine.docker("run", "-d", "--name", "files", "-v", "files-data:/data", "--tmpfs", "/t",
                  "busybox", "sh", "-c", SCRIPT)  # fmt: skip
    wait_for_line(engine, "files", "up")
    yield "files"
    engine.docker("rm", "-f", "files")
    engine.docker("volume", "rm", "files-data")


def wait_for_line(engine: Engine, name: str, line: str) -> None:
    follow = engine.spawn("logs", "-f", name)
    try:
        assert follow.stdout
        for data in follow.stdout:
            if data.decode().strip() == line:
                return
    finally:
        end(follow)
    raise AssertionError(f"{name} never printed {line}")


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def archive(engine: Engine, *words: str) -> tarfile.TarFile:
    data = engine.docker_bytes(*words)
    return tarfile.open(fileobj=io.BytesIO(data))


def test_a_file_of_a_volume_and_one_of_a_tmpfs_are_copied_out(
    engine: Engine, container: str, tmp_path: Path
) -> None:
    engine.docker("cp", f"{container}:/data/x", str(tmp_path / "x"))
    engine.docker("cp", f"{container}:/t/q", str(tmp_path / "q"))
    assert (tmp_path / "x").read_text() == "hi\n"
    assert (tmp_path / "q").read_text() == "q\n"


def test_a_directory_is_copied_as_a_whole_and_a_link_as_a_link(
    engine: Engine, container: str, tmp_path: Path
) -> None:
    engine.docker("cp", f"{container}:/d", str(tmp_path / "copy"))
    assert (tmp_path / "copy/e/f").read_text() == "1\n"
    engine.docker("cp", f"{container}:/l", str(tmp_path / "link"))
    assert os.readlink(tmp_path / "link") == "/d/e"
    engine.docker("cp", "-L", f"{container}:/l", str(tmp_path / "followed"))
    assert (tmp_path / "followed/f").read_text() == "1\n"


def test_the_whole_root_is_copied_without_what_the_kernel_shows(
    engine: Engine, container: str
) -> None:
    with archive(engine, "cp", f"{container}:/", "-") as found:
        names = found.getnames()
    assert "/d/e/f" in names
    assert not [name for name in names if name.startswith(("/proc/", "/sys/"))]


def test_a_link_to_the_hosts_files_leads_to_the_containers_own(
    engine: Engine, container: str
) -> None:
    with archive(engine, "cp", f"{container}:/away/passwd", "-") as found:
        member = found.extractfile("passwd")
        assert member
        assert b"joe:x:1000" in member.read()


def test_files_copied_in_are_there_at_once_also_below_a_volume(
    engine: Engine, container: str, tmp_path: Path
) -> None:
    (tmp_path / "dir/sub").mkdir(parents=True)
    (tmp_path / "dir/sub/file").write_text("content")
    engine.docker("cp", str(tmp_path / "dir"), f"{container}:/data/")
    shown = engine.docker("exec", container, "cat", "/data/dir/sub/file").stdout
    assert shown == "content"


def test_an_archive_from_standard_input_is_unpacked(engine: Engine, container: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        entry = tarfile.TarInfo("../../outside")
        entry.size, entry.uid = 3, 1000
        made.addfile(entry, io.BytesIO(b"abc"))
    engine.docker("cp", "-", f"{container}:/d", stdin=buffer.getvalue())
    listed = engine.docker("exec", container, "stat", "-c", "%u %s", "/d/outside").stdout
    assert listed == "1000 3\n"


def test_an_archive_of_no_byte_holds_no_files(engine: Engine, container: str) -> None:
    before = engine.docker("exec", container, "ls", "/d").stdout
    engine.docker("cp", "-", f"{container}:/d", stdin=b"")
    assert engine.docker("exec", container, "ls", "/d").stdout == before
    assert "/nosuch" in engine.docker("cp", "-", f"{container}:/nosuch", check=False).stderr


def test_a_path_that_is_not_there_is_named(engine: Engine, container: str) -> None:
    done = engine.docker("cp", f"{container}:/nosuch", "-", check=False)
    assert done.returncode == 1
    words = "Could not find the file /nosuch in container files"
    if docker_release() < (23,):
        words = "No such container:path: files:/nosuch"
    assert words in done.stderr


def test_a_directory_does_not_take_the_place_of_a_file(
    engine: Engine, container: str, tmp_path: Path
) -> None:
    (tmp_path / "passwd").mkdir()
    done = engine.docker("cp", str(tmp_path / "passwd"), f"{container}:/etc", check=False)
    assert done.returncode == 1
    assert 'cannot overwrite non-directory "/etc/passwd" with directory' in done.stderr
    assert "joe" in engine.docker("exec", container, "cat", "/etc/passwd").stdout


def test_diff_tells_what_was_added_changed_and_deleted(engine: Engine, container: str) -> None:
    changes = engine.docker("diff", container).stdout.splitlines()
    assert {"A /d", "A /d/e", "A /d/e/f", "A /l", "C /etc", "D /etc/group", "C /home"} <= {*changes}
    assert not [line for line in changes if line.endswith(("/tmp", "/bin"))]
    assert [line[2:] for line in changes] == sorted(line[2:] for line in changes)


def test_export_holds_the_root_without_the_volumes_content(engine: Engine, container: str) -> None:
    with archive(engine, "export", container) as found:
        names = found.getnames()
        assert found.getmember("l").linkname == "/d/e"
    assert {"bin/busybox", "d/e/f", "data", "t"} <= {*names}
    assert not {"data/x", "t/q", "etc/group"} & {*names}


def test_files_of_a_stopped_container_are_read_and_written_with_its_volumes(
    engine: Engine, tmp_path: Path
) -> None:
    engine.docker("create", "--name", "still", "-v", "still-data:/data", "busybox",
                  "cat", "/data/in", "/tmp/in")  # fmt: skip
    try:
        (tmp_path / "in").write_text("word\n")
        engine.docker("cp", str(tmp_path / "in"), "still:/data/in")
        engine.docker("cp", str(tmp_path / "in"), "still:/tmp/in")
        assert engine.docker("start", "-a", "still").stdout == "word\nword\n"
        with archive(engine, "cp", "still:/data", "-") as found:
            assert "data/in" in found.getnames()
        with archive(engine, "export", "still") as found:
            assert "tmp/in" in found.getnames()
            assert "data/in" not in found.getnames()
    finally:
        engine.docker("rm", "still")
        engine.docker("volume", "rm", "still-data")


def test_nothing_is_copied_to_where_the_container_may_not_write(
    engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "in").write_text("x")
    engine.docker("create", "--name", "fixed", "--read-only", "-v", f"{tmp_path}:/ro:ro",
                  "-v", f"{tmp_path}:/rw", "busybox")  # fmt: skip
    try:
        root = engine.docker("cp", str(tmp_path / "in"), "fixed:/etc/", check=False)
        mount = engine.docker("cp", str(tmp_path / "in"), "fixed:/ro/new", check=False)
        assert "container rootfs is marked read-only" in root.stderr
        assert "mounted volume is marked read-only" in mount.stderr
        engine.docker("cp", str(tmp_path / "in"), "fixed:/rw/new")
        assert (tmp_path / "new").read_text() == "x"
    finally:
        engine.docker("rm", "fixed")


def test_a_truncated_archive_is_refused_and_no_scratch_stays(
    engine: Engine, container: str
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        entry = tarfile.TarInfo("whole")
        entry.size = 4096
        made.addfile(entry, io.BytesIO(bytes(4096)))
    done = engine.docker("cp", "-", f"{container}:/d", stdin=buffer.getvalue()[:1024], check=False)
    assert done.returncode == 1
    assert os.listdir(engine.root / "data/tmp") == []


def test_events_name_what_was_copied(engine: Engine, container: str) -> None:
    engine.docker("cp", f"{container}:/etc/passwd", "-")
    wanted = {"archive-path", "extract-to-dir", "export"}
    listening = engine.spawn("events", "--since", "1h", "--filter", f"container={container}",
                             "--format", "{{json .}}")  # fmt: skip
    try:
        assert listening.stdout
        for line in listening.stdout:
            wanted.discard(json.loads(line)["Action"])
            if not wanted:
                return
    finally:
        end(listening)
