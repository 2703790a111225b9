"""The house's rules: calls go down, doors have signs, files and functions stay small."""

import ast
from pathlib import Path

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

FILES = {path: path.read_text() for path in sorted(ROOT.rglob("*.py"))}
TREES = {path: ast.parse(text) for path, text in FILES.items()}


def room_of(module: str) -> str:
    parts = module.split(".")[1:]
    if not parts:
        return ""
    return ".".join(parts[:2]) if parts[0] == "store" and len(parts) > 1 else parts[0]


def module_of(path: Path) -> str:
    return ".".join(("wherry", *path.relative_to(ROOT).with_suffix("").parts))


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported_modules(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def may_import(room: str, target: str) -> bool:
    # `wherry daemon` hands over to the daemon's own main function.
    if target in ("", room, "__version__") or (room, target) == ("cli", "daemon"):
        return True
    return bool({target, target.split(".")[0]} & MAY_IMPORT[room])


def test_a_room_imports_only_rooms_on_lower_floors() -> None:
    offenders = []
    for path, tree in TREES.items():
        room = room_of(module_of(path))
        if room in ("", "daemon") or path.name == "__init__.py":
            continue
        offenders += [
            f"{shown(path)} may not import {name}"
            for name in imported_modules(tree)
            if name.startswith("wherry") and not may_import(room, room_of(name))
        ]
    assert offenders == []


def test_a_package_has_a_sign_on_its_door_and_nothing_else() -> None:
    doors = {path: tree for path, tree in TREES.items() if path.name == "__init__.py"}
    del doors[ROOT / "__init__.py"]
    assert doors
    assert [shown(path) for path, tree in doors.items() if len(tree.body) != 1] == []


def test_every_module_says_what_it_is() -> None:
    assert [shown(path) for path, tree in TREES.items() if not ast.get_docstring(tree)] == []


def test_files_stay_under_six_hundred_lines() -> None:
    assert [shown(path) for path, text in FILES.items() if len(text.splitlines()) > 600] == []


def test_only_the_kernel_room_touches_ctypes_and_fcntl() -> None:
    assert [
        shown(path)
        for path, tree in TREES.items()
        if room_of(module_of(path)) != "linux" and {"ctypes", "fcntl"} & imported_modules(tree)
    ] == []
