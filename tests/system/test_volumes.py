"""Volumes carried out, carried in and copied; images and subdirectories as mounts."""

import subprocess
import sys
import tarfile
from io import BytesIO

import pytest

from tests.support.engine import Engine
from tests.support.patience import patience

WHERRY = [sys.executable, "-c", "import sys; from wherry.cli.main import main; sys.exit(main())"]


def wherry(engine: Engine, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Our own command line, which has what docker's has not."""
    return subprocess.run(
        [*WHERRY, *words], input=stdin, capture_output=True, env=engine.environment(),
        timeout=patience(60), check=False,
    )  # fmt: skip


def in_volume(engine: Engine, name: str, script: str) -> str:
    """What a script prints that runs with the volume at /v."""
    return engine.docker("run", "--rm", "-v", f"{name}:/v", "busybox", "sh", "-c", script).stdout


@pytest.fixture(scope="module")
def source(engine: Engine) -> str:
    engine.docker("volume", "create", "--label", "tier=db", "source")
    in_volume(engine, "source", "cd /v; mkdir -p a/b; echo one >a/b/f; ln a/b/f hard; ln -s a l;"
              "chown 7:8 a/b/f; chmod 4711 a/b/f; touch -d @1000 a/b; mknod n c 1 3")  # fmt: skip
    return "source"


LISTING = "cd /v; find . | sort; stat -c '%n %u:%g %a %h %F' a/b/f l n; stat -c %Y a/b; cat hard"


def test_an_exported_volume_imports_as_it_was(engine: Engine, source: str) -> None:
    archive = wherry(engine, "volume", "export", source)
    assert archive.returncode == 0, archive.stderr
    done = wherry(engine, "volume", "import", "restored", stdin=archive.stdout)
    assert (done.stdout, done.returncode) == (b"restored\n", 0), done.stderr
    assert in_volume(engine, "restored", LISTING) == in_volume(engine, source, LISTING)


def test_a_clone_has_files_and_labels_and_a_life_of_its_own(engine: Engine, source: str) -> None:
    assert wherry(engine, "volume", "clone", source, "copy").stdout == b"copy\n"
    assert in_volume(engine, "copy", LISTING) == in_volume(engine, source, LISTING)
    label = engine.docker("volume", "inspect", "-f", '{{index .Labels "tier"}}', "copy").stdout
    assert label == "db\n"
    in_volume(engine, "copy", "echo two >/v/a/b/f")
    assert in_volume(engine, source, "cat /v/a/b/f") == "one\n"


def test_an_import_that_fails_leaves_no_volume(engine: Engine, source: str) -> None:
    archive = wherry(engine, "volume", "export", source).stdout
    for content in (b"no archive at all" * 100, archive[: len(archive) // 2]):
        done = wherry(engine, "volume", "import", "broken", stdin=content)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert "broken" not in engine.docker("volume", "ls", "-q").stdout.split()
    assert not [entry.name for entry in (engine.data / "volumes").iterdir()
                if entry.name.startswith(".")]  # fmt: skip


def test_an_archive_is_not_mixed_with_what_a_volume_holds(engine: Engine, source: str) -> None:
    archive = wherry(engine, "volume", "export", source).stdout
    done = wherry(engine, "volume", "import", source, stdin=archive)
    assert done.returncode == 1
    assert b"volume source is not empty" in done.stderr


def test_an_imported_archive_cannot_reach_out_of_its_volume(engine: Engine) -> None:
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        link = tarfile.TarInfo("out")
        link.type, link.linkname = tarfile.SYMTYPE, str(engine.root)
        archive.addfile(link)
        entry = tarfile.TarInfo("out/escaped")
        archive.addfile(entry)
    wherry(engine, "volume", "import", "hostile", stdin=buffer.getvalue())
    assert not (engine.root / "escaped").exists()


def test_a_clone_of_what_is_not_there_and_onto_what_is_there_is_refused(
    engine: Engine, source: str
) -> None:
    missing = wherry(engine, "volume", "clone", "nosuch", "x1")
    assert (missing.returncode, b"no such volume" in missing.stderr) == (1, True)
    present = wherry(engine, "volume", "clone", source, source)
    assert (present.returncode, b"exists already" in present.stderr) == (1, True)


def test_a_subdirectory_of_a_volume_is_mounted(engine: Engine, source: str) -> None:
    run = ("run", "--rm", "--mount", f"type=volume,src={source},dst=/v,volume-subpath=a/b")
    assert engine.docker(*run, "busybox", "ls", "/v").stdout == "f\n"
    missing = f"type=volume,src={source},dst=/v,volume-subpath=nosuch"
    done = engine.docker("run", "--rm", "--mount", missing, "busybox", "true", check=False)
    assert done.returncode == 125
    assert "nosuch" in done.stderr


def test_a_subpath_cannot_lead_out_of_its_volume(engine: Engine) -> None:
    in_volume(engine, "crooked", f"ln -s {engine.root} /v/out; ln -s ../.. /v/up; mkdir /v/d")
    for path in ("out", "up/../../etc"):
        mount = f"type=volume,src=crooked,dst=/x,volume-subpath={path}"
        done = engine.docker("run", "--rm", "--mount", mount, "busybox", "ls", "/x", check=False)
        assert done.returncode == 125 or set(done.stdout.split()) <= {"out", "up", "d"}, path


def test_a_subpath_that_names_a_place_outside_is_refused_at_once(engine: Engine) -> None:
    for path in ("../..", "/etc", "d/../../x"):
        mount = f"type=volume,src=crooked,dst=/x,volume-subpath={path}"
        done = engine.docker("create", "--mount", mount, "busybox", check=False)
        assert "subpath must be a relative path within the volume" in done.stderr, path
    nameless = ("create", "--mount", "type=volume,dst=/x,volume-subpath=d", "busybox")
    assert (
        "must not set Subpath when using anonymous volumes"
        in engine.docker(*nameless, check=False).stderr
    )


def test_containers_with_a_tmpfs_volume_begin_one_after_the_other(engine: Engine) -> None:
    for name in (f"fast{number}" for number in range(8)):
        engine.docker("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", name)
        for _ in range(2):
            run = ("run", "--rm", "-v", f"{name}:/fast", "busybox", "grep", " /fast ")
            assert "tmpfs" in engine.docker(*run, "/proc/mounts").stdout
        engine.docker("volume", "rm", name)


def test_an_image_is_mounted_read_only_in_another_ones_container(engine: Engine) -> None:
    mount = "type=image,src=busybox,dst=/img"
    run = ("run", "--rm", "--mount", mount, "busybox", "sh", "-c")
    assert engine.docker(*run, "cat /img/etc/passwd").stdout.startswith("root:x:0:0")
    done = engine.docker(*run, "touch /img/new", check=False)
    assert (done.returncode, "Read-only file system" in done.stderr) == (1, True)


def test_a_part_of_an_image_is_mounted(engine: Engine) -> None:
    mount = "type=image,src=busybox,dst=/img,image-subpath=etc"
    assert (
        "passwd" in engine.docker("run", "--rm", "--mount", mount, "busybox", "ls", "/img").stdout
    )


def test_an_image_that_is_mounted_is_in_use(engine: Engine) -> None:
    engine.docker("tag", "busybox", "other")
    engine.docker("commit", engine.docker("create", "busybox").stdout.strip(), "mounted")
    mount = "type=image,src=mounted,dst=/img"
    engine.docker("create", "--name", "mounter", "--mount", mount, "busybox")
    done = engine.docker("rmi", "mounted", check=False)
    assert (done.returncode, "is using its referenced image" in done.stderr) == (1, True)
    shown = engine.docker("inspect", "-f", "{{json .Mounts}}", "mounter").stdout
    assert '"Type":"image"' in shown
    assert '"RW":false' in shown
    engine.docker("rm", "mounter")
    engine.docker("rmi", "mounted")


def test_an_image_that_is_not_there_cannot_be_mounted(engine: Engine) -> None:
    mount = "type=image,src=nosuch,dst=/img"
    done = engine.docker("create", "--pull", "never", "--mount", mount, "busybox",
                         check=False)  # fmt: skip
    assert done.returncode == 1
    assert "No such image: nosuch" in done.stderr
