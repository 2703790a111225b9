"""Layers: what they unpack to, compared with umoci; what hostile ones get."""

import io
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine import Engine, busybox_archive
from tests.support.layers import (
    Layout,
    digest,
    docker_archive,
    entry,
    layer,
    link,
    squeeze,
)
from tests.support.needs import needs_program
from tests.support.trees import describe

CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")
"""cap_net_raw+ep as the kernel keeps it (linux/capability.h, vfs_cap_data)."""

MADE_BY_A_START = frozenset({
    ".dockerenv", "dev", "proc", "sys", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab",
})  # fmt: skip


def rich_layers() -> list[bytes]:
    """Three layers with everything that a layer can do."""
    with tarfile.open(fileobj=io.BytesIO(busybox_archive())) as archive:
        program = archive.extractfile("bin/busybox")
        assert program
        busybox = program.read()
    first = layer(
        entry("bin/"), entry("bin/busybox", busybox, mode=0o755), link("bin/sh", "busybox"),
        entry("dev/"), entry("proc/"), entry("sys/"), entry("etc/"),
        entry("a/", mode=0o750, uid=1000, gid=1001, mtime="1500000000.000000001"),
        entry("a/b/", mode=0o2775), entry("a/b/kept", b"kept"), entry("a/b/gone", b"gone"),
        entry("tmp/", mode=0o1777), entry("./dotted", b"dotted"), entry("/absolute", b"absolute"),
        entry("setuid", b"#!", mode=0o4755, uid=33), entry("setgid", b"#!", mode=0o2755, gid=33),
        entry("capable", b"x", mode=0o755, xattrs={"security.capability": CAPABILITY}),
        entry("noted", b"x", xattrs={"user.note": b"\xff\x00=binary\n"}),
        entry("noted.d/", xattrs={"user.note": b"directory"}),
        entry("original", b"linked"), link("second", "original", hard=True),
        link("a/third", "original", hard=True), link("dangling", "nowhere/at/all"),
        link("to-a", "a"), link("absolute-link", "/a/b"),
        entry("pipe", type=tarfile.FIFOTYPE, mode=0o640),
        entry("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666),
        entry("loop", type=tarfile.BLKTYPE, devmajor=7, devminor=9, mode=0o660, gid=6),
        entry("n" * 200, b"long"),
        *(entry("deep/" + "d/" * depth, mode=0o711) for depth in range(140)),
        entry("gr\u00fc\u00dfe \u65e5\u672c", b"unicode"), entry("far", b"", uid=4_000_000_000 - 7),
        entry("old", b"", mtime="1.5"), entry("empty", b""), entry("big", bytes(300_000)),
        entry("opaque/"), entry("opaque/hidden", b"x"), entry("opaque/inner/"),
        entry("opaque/inner/hidden", b"x"),
        entry("was-file", b"x"), entry("was-directory/"), entry("was-directory/x", b"x"),
        entry("was-link/"), entry("again/"), entry("again/lost", b"x"), entry("again/found", b"x"),
        entry("whole/"), entry("whole/of/"), entry("whole/of/it", b"x"),
    )  # fmt: skip
    second = layer(
        entry("a/b/.wh.gone", b""), entry("a/b/new", b"without its directories"),
        entry("to-a/through", b"through a link"), entry(".wh.whole", b""),
        entry(".wh.nothing", b""),
        entry("opaque/"), entry("opaque/shown", b"x"), entry("opaque/.wh..wh..opq", b""),
        entry("was-file/"), entry("was-file/y", b"y"), entry("was-directory", b"now a file"),
        entry(".wh.was-link", b""), link("again-link", "again"),
        link("fourth", "was-directory", hard=True), entry("capable", b"y", mode=0o700),
        entry("tmp/", mode=0o1777, mtime="1400000000"),
    )  # fmt: skip
    third = layer(
        entry(".wh.again", b""), entry("again/", mode=0o700), entry("again/found", b"another"),
        link("was-link", "a"), entry("original", b"alone now"), entry("a/b/new", b"newer"),
    )  # fmt: skip
    return [first, second, third]


def unpacked_by_umoci(layout: Layout, directory: Path) -> dict[str, dict[str, Any]]:
    source = layout.write(directory / "layout")
    bundle = directory / "bundle"
    subprocess.run(["umoci", "unpack", "--image", f"{source}:made", str(bundle)], check=True,
                   capture_output=True)  # fmt: skip
    return describe(bundle / "rootfs", without=MADE_BY_A_START)


@pytest.fixture(params=["overlay2", "vfs"])
def engine_of(request: pytest.FixtureRequest, engine_ready: None) -> Iterator[Engine]:
    """An engine with each storage driver."""
    with Engine("--storage-driver", request.param) as running:
        yield running
    assert running.leftovers() == []


@needs_program("umoci")
def test_the_tree_of_layers_is_the_one_that_umoci_unpacks(
    engine_of: Engine, tmp_path: Path
) -> None:
    layout = Layout()
    layout.name(layout.image(rich_layers()), "made")
    expected = unpacked_by_umoci(layout, tmp_path)
    engine_of.docker("load", stdin=layout.archive())
    engine_of.docker("run", "-d", "--name", "tree", "--network", "none", "made:latest",
                     "/bin/busybox", "sleep", "1000")  # fmt: skip
    pid = engine_of.docker("inspect", "-f", "{{.State.Pid}}", "tree").stdout.strip()
    shown = describe(Path(f"/proc/{pid}/root"), without=MADE_BY_A_START)
    assert sorted(shown) == sorted(expected)
    assert {path: item for path, item in shown.items() if item != expected[path]} == {}
    # And the test means something.
    assert shown["setuid"]["mode"] == "0o104755"
    assert shown["capable"]["xattrs"] == {}
    assert shown["noted"]["xattrs"]["user.note"] == b"\xff\x00=binary\n"
    assert shown["a"]["mtime"] == 1_500_000_000_000_000_001
    assert "again/lost" not in shown
    engine_of.docker("rm", "-f", "tree")


def test_a_commit_of_everything_that_can_change_shows_the_same_tree(engine_of: Engine) -> None:
    layout = Layout()
    layout.name(layout.image(rich_layers()), "made")
    engine_of.docker("load", stdin=layout.archive())
    script = (
        "cd /; export PATH=/bin; b=busybox; $b rm -r opaque was-file; $b mkdir opaque;"
        "$b touch -d @1000000000 opaque/only; $b chmod 4711 original; $b ln original newlink;"
        "$b mv a moved; $b mknod null2 c 1 3; $b mkfifo pipe2; $b chown 5:6 tmp; $b rm capable"
    )
    engine_of.docker("run", "--name", "changer", "--network", "none", "made:latest",
                     "/bin/busybox", "sh", "-c", script)  # fmt: skip
    engine_of.docker("commit", "changer", "changed:1")
    trees = []
    for name, image in (("before", ""), ("after", "changed:1")):
        if image:
            engine_of.docker("run", "-d", "--name", name, "--network", "none", image,
                             "/bin/busybox", "sleep", "1000")  # fmt: skip
        else:
            engine_of.docker("commit", "-c", 'CMD ["/bin/busybox", "sleep", "1000"]', "changer",
                             "other:1")  # fmt: skip
            engine_of.docker("run", "-d", "--name", name, "--network", "none", "other:1")
        pid = engine_of.docker("inspect", "-f", "{{.State.Pid}}", name).stdout.strip()
        trees.append(describe(Path(f"/proc/{pid}/root"), without=MADE_BY_A_START))
        engine_of.docker("rm", "-f", name)
    assert trees[0] == trees[1]
    tree = trees[0]
    assert [path for path in tree if path.startswith("opaque")] == ["opaque", "opaque/only"]
    assert tree["opaque/only"]["mtime"] == 1_000_000_000 * 10**9
    assert tree["original"]["mode"] == "0o104711"
    assert tree["newlink"]["link"] == tree["original"]["link"]
    assert "moved/b/kept" in tree and "a" not in tree and "capable" not in tree
    assert tree["null2"]["device"] == tree["null"]["device"]
    assert tree["tmp"]["owner"] == (5, 6)
    engine_of.docker("rm", "changer")


def test_an_image_of_130_layers_runs(engine: Engine) -> None:
    layers = [busybox_archive()]
    layers += [layer(entry(f"file-{number}", b"x")) for number in range(129)]
    engine.docker("load", stdin=docker_archive(layers, ["tall:1"]))
    done = engine.docker("run", "--rm", "--network", "none", "tall:1", "sh", "-c",
                         "ls -d /file-* | wc -l")  # fmt: skip
    assert done.stdout.strip() == "129"
    engine.docker("rmi", "tall:1")


HOSTILE = {
    "a name that climbs": (layer(entry("../../escaped", b"x")), "leads outside of the root"),
    "a whiteout that climbs": (layer(entry("a/"), entry("a/.wh...", b"")), "hides no name"),
    "a hard link that climbs": (
        layer(entry("a", b"x"), link("b", "../../etc/passwd", hard=True)),
        "leads outside of the root",
    ),
    "a hard link to nothing": (layer(link("b", "/etc/passwd", hard=True)), "no such file"),
    "a file below a file": (layer(entry("a", b"x"), entry("a/b", b"x")), "file exists"),
    "an overlay's whiteout": (
        layer(entry("w", type=tarfile.CHRTYPE, devmajor=0, devminor=0)),
        "is an overlay's whiteout",
    ),
    "a file far below a file": (layer(entry("a", b"x"), entry("a/b/c/d", b"x")), "not a directory"),
    "a loop of links": (layer(link("a", "b"), link("b", "a"), entry("a/x", b"x")), "file exists"),
    "a name too long": (layer(entry("n" * 300, b"x")), "file name too long"),
    "an owner too large": (layer(entry("a", b"x", uid=2**40)), "no file system takes"),
    "a truncated archive": (layer(entry("a", bytes(100_000)))[:50_000], "no whole archive"),
    "a name of no bytes": (layer(entry("a\0b", b"x", pax_headers={"path": "a\0b"})), "whole"),
    "a truncated gzip": (squeeze(busybox_archive())[:100_000], "no whole archive"),
    "no archive": (b"this is no archive at all" * 100, "no whole archive"),
    "an endless header": (
        layer(entry("x", b"", type=tarfile.XHDTYPE, pax_headers={})).replace(
            b"00000000000\0", b"77777777777\0", 1
        ),
        "no whole archive",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_in_one_line_and_leaves_nothing(
    engine: Engine, name: str
) -> None:
    archive, words = HOSTILE[name]
    before = state_of(engine)
    done = engine.docker("import", "-", "hostile:1", stdin=archive, check=False)
    assert done.returncode == 1
    assert words in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert engine.docker("images", "-aq", "hostile").stdout == ""
    assert state_of(engine) == before


def test_a_link_in_a_layer_leads_nowhere_outside_of_it(engine: Engine, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    archive = layer(
        link("out", str(target)), link("up", "../../../../../../.." + str(target)),
        entry("out/written", b"x"), entry("up/written", b"x"),
        entry("device", type=tarfile.BLKTYPE, devmajor=7, devminor=0), entry("device", b"y"),
    )  # fmt: skip
    engine.docker("import", "-", "links:1", stdin=archive)
    assert list(target.iterdir()) == []
    engine.docker("rmi", "links:1")


def test_marks_of_an_overlay_in_a_layer_mean_nothing(engine: Engine) -> None:
    base = busybox_archive()
    marks = {"trusted.overlay.redirect": b"/bin", "trusted.overlay.opaque": b"y",
             "user.overlay.opaque": b"y"}  # fmt: skip
    above = layer(entry("etc/", xattrs=marks), entry("other/", xattrs=marks))
    engine.docker("load", stdin=docker_archive([base, above], ["marked:1"]))
    done = engine.docker("run", "--rm", "--network", "none", "marked:1", "ls", "/etc", "/other")
    assert "passwd" in done.stdout
    assert "busybox" not in done.stdout
    engine.docker("rmi", "marked:1")


@pytest.mark.parametrize(
    ("replaced", "words"),
    [
        ({"0.tar": layer(entry("another", b"x"))}, "has the wrong content"),
        ({"config.json": b"{"}, "is no image archive"),
        ({"config.json": b"[]"}, "is no image archive"),
        ({"manifest.json": b'[{"Config":"../../etc/passwd","Layers":[]}]'}, "lacks"),
        ({"manifest.json": b'[{"Config":"config.json","Layers":[]}]'}, "layers length mismatch"),
        ({"manifest.json": b'{"Config":1}'}, "is no image archive"),
        ({"manifest.json": b"[]"}, "holds no image"),
        ({"manifest.json": b"[" * 200_000}, "is no image archive"),
        ({"manifest.json": b"null"}, "neither manifest.json nor index.json"),
    ],
)
def test_a_false_image_archive_is_refused_in_one_line_and_leaves_nothing(
    engine: Engine, replaced: dict[str, bytes], words: str
) -> None:
    before = state_of(engine)
    archive = docker_archive([layer(entry("a", b"x"))], ["false:1"], **replaced)
    done = engine.docker("load", stdin=archive, check=False)
    assert done.returncode == 1
    assert words in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert state_of(engine) == before


def test_blobs_of_a_layout_are_verified(engine: Engine) -> None:
    before = state_of(engine)
    layout = Layout()
    described = layout.image([layer(entry("a", b"x"))])
    layout.name(described, "made")
    layout.blobs[described["digest"]] += b" "
    done = engine.docker("load", stdin=layout.archive(), check=False)
    assert done.returncode == 1
    assert "has the wrong content" in done.stderr
    assert state_of(engine) == before


def test_a_bomb_ends_before_the_disk_is_full(engine_ready: None, tmp_path: Path) -> None:
    """A gzip of zeros, and a sparse file of which the archive holds nothing, on a small disk."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(disk)], check=True)
    try:
        with Engine("--storage-driver", "overlay2", data=disk) as engine:
            zeros = squeeze(layer(entry("zeros", bytes(256 << 20))))
            done = engine.docker("import", "-", "bomb:1", stdin=zeros, check=False)
            assert done.returncode == 1
            assert "no space left on device: the layer unpacks to more than" in done.stderr
            sparse = tmp_path / "sparse"
            with sparse.open("wb") as file:
                file.truncate(1 << 40)
            made = subprocess.run(["tar", "-C", str(tmp_path), "--sparse", "-c", "sparse"],
                                  capture_output=True, check=True).stdout  # fmt: skip
            assert len(made) < 100_000
            done = engine.docker("import", "-", "bomb:2", stdin=made, check=False)
            assert done.returncode == 1
            assert "no space left on device: the layer unpacks to more than" in done.stderr
            engine.import_busybox()
            assert engine.docker("run", "--rm", "busybox", "echo", "well").stdout == "well\n"
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def state_of(engine: Engine) -> set[str]:
    """Names of layers, archives, scratch files and images."""
    data = engine.root / "data"
    places = ("overlay2/layers/*", "overlay2/layers/.*", "archives/*", "tmp/*", "partial/*")
    names = {str(path.relative_to(data)) for place in places for path in data.glob(place)}
    return names | set(engine.docker("images", "-aq", "--no-trunc").stdout.split())


def test_the_digest_of_an_imported_archive_is_its_diff_id(engine: Engine) -> None:
    archive = layer(entry("only", b"x"))
    engine.docker("import", "-", "small:1", stdin=squeeze(archive))
    found = engine.docker("inspect", "-f", "{{index .RootFS.Layers 0}}", "small:1").stdout.strip()
    assert found == digest(archive)
    engine.docker("rmi", "small:1")
