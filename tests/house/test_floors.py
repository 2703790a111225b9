"""The house's rules: calls go down, doors have signs, files and functions stay small."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "wherry"

MAY_IMPORT: dict[str, set[str]] = {
    "base": set(),
    "model": {"base"},
    "linux": {"base"},
    "wire": {"base"},
    "store.content": {"base", "model", "linux"},
    "store.snapshot": {"base", "model", "linux"},
    "store.layer": {"base", "model", "linux"},
    "store.volume": {"base", "model", "linux"},
    "store.logs": {"base", "model", "linux"},
    "store.records": {"base", "model", "linux"},
    "store.secrets": {"base"},
    "runtime": {"base", "model", "linux"},
    "network": {"base", "model", "linux"},
    "remote": {"base", "model", "wire"},
    "supervisor": {"base", "model", "linux", "runtime", "store.logs"},
    "images": {"base", "model", "linux", "store.content", "store.snapshot", "store.layer",
               "store.records", "remote"},
    "engine": {"base", "model", "linux", "store", "runtime", "network", "supervisor", "images",
               "remote"},
    "api": {"base", "model", "wire", "engine"},
    "client": {"base", "model", "wire"},
    "cli": {"base", "client"},
    "oci_cli": {"base", "model", "linux", "runtime", "supervisor"},
}  # fmt: skip
"""What each room may import beside itself; `daemon` wires everything and may import all."""

FILES = sorted(ROOT.rglob("*.py"))


def room_of(module: str) -> str:
    parts = module.split(".")[1:]
    if not parts:
        return ""
    return ".".join(parts[:2]) if parts[0] == "store" and len(parts) > 1 else parts[0]


def module_of(path: Path) -> str:
    return ".".join(("wherry", *path.relative_to(ROOT).with_suffix("").parts))


def imported_modules(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith("wherry")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_rooms_on_lower_floors(path: Path) -> None:
    room = room_of(module_of(path))
    if room in ("", "daemon") or path.name == "__init__.py":
        return
    allowed = MAY_IMPORT[room]
    for name in imported_modules(path):
        target = room_of(name)
        if target in ("", room, "__version__") or target.split(".")[0] in allowed:
            continue
        if (room, target) == ("cli", "daemon"):
            continue  # `wherry daemon` hands over to the daemon's own main function
        assert target in allowed, f"{room} may not import {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package_has_a_sign_on_its_door_and_nothing_else(path: Path) -> None:
    if path.name != "__init__.py" or path.parent == ROOT:
        return
    body = ast.parse(path.read_text()).body
    assert len(body) == 1
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_under_six_hundred_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 600


def test_only_the_kernel_room_touches_ctypes_and_fcntl() -> None:
    offenders = []
    for path in FILES:
        if room_of(module_of(path)) == "linux":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if {"ctypes", "fcntl"} & set(names):
                offenders.append(str(path.relative_to(ROOT)))
    assert offenders == []
