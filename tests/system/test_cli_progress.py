"""Long work shows how far it has come on a terminal, and says nothing of it elsewhere."""

import subprocess
import sys
from pathlib import Path

from tests.support.engine import Engine
from tests.support.terminal import Terminal

WHERRY = [sys.executable, str(Path(__file__).resolve().parents[2] / "bin" / "wherry")]


def shown(engine: Engine, *words: str) -> str:
    with Terminal([*WHERRY, *words], engine.environment(), columns=160) as terminal:
        assert terminal.wait() == 0, terminal.seen
        return terminal.seen


def test_copies_in_and_out_count_their_bytes(engine: Engine, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(b"x" * 20_000_000)
    engine.docker("create", "--name", "box", "busybox", "true")
    into = shown(engine, "cp", str(big), "box:/tmp/big")
    assert "Copying to container - " in into
    assert into.endswith("Successfully copied 20MB to box:/tmp/big\r\n")
    out = shown(engine, "cp", "box:/tmp/big", str(tmp_path / "back"))
    assert "Copying from container - " in out
    assert (tmp_path / "back").read_bytes() == big.read_bytes()
    assert "Copying" not in shown(engine, "cp", "-q", "box:/tmp/big", str(tmp_path / "again"))
    engine.docker("rm", "box")


def test_archives_show_how_much_of_them_is_there(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    assert f"Writing {path} - " in shown(engine, "save", "-o", str(path), "busybox")
    loaded = shown(engine, "load", "-i", str(path))
    assert "Sending archive - [" in loaded
    assert "Loaded image: busybox:latest" in loaded
    assert "Sending" not in shown(engine, "load", "-q", "-i", str(path))


def test_nothing_is_drawn_where_nobody_looks(engine: Engine, tmp_path: Path) -> None:
    done = subprocess.run(
        [*WHERRY, "save", "-o", str(tmp_path / "x.tar"), "busybox"], env=engine.environment(),
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("", "")
