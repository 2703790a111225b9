"""Seccomp profiles in Docker's and OCI's format, compiled to the BPF that seccomp(2) takes.

The calls of one architecture become a binary search over ranges of numbers; conditions on
arguments are compared as two words each (seccomp_unotify aside, all actions are known).
"""

import ctypes
import errno
import json
import os
import struct
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from wherry.linux.syscall import syscall

_INSTRUCTION = struct.Struct("=HBBI")
_LD_WORD, _JA, _JEQ, _JGT, _JGE, _AND, _RET = 0x20, 0x05, 0x15, 0x25, 0x35, 0x54, 0x06
_X32_BIT = 0x40000000
_SET_MODE_FILTER = 1

AUDIT_ARCHITECTURES = {"x86_64": 0xC000003E, "x86": 0x40000003, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_* of each architecture that has a table of numbers (linux/audit.h)."""

OCI_ARCHITECTURES = {
    "SCMP_ARCH_X86_64": "x86_64", "SCMP_ARCH_X86": "x86", "SCMP_ARCH_AARCH64": "aarch64",
}  # fmt: skip
"""Architectures by their OCI names; others of a profile are passed over."""
OPERATORS = ("SCMP_CMP_EQ", "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_GT",
             "SCMP_CMP_GE", "SCMP_CMP_MASKED_EQ")  # fmt: skip
"""Comparisons of arguments."""
_GO_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "x86": "x86"}

ACTIONS = {
    "SCMP_ACT_KILL": 0x00000000, "SCMP_ACT_KILL_THREAD": 0x00000000,
    "SCMP_ACT_KILL_PROCESS": 0x80000000, "SCMP_ACT_TRAP": 0x00030000,
    "SCMP_ACT_ERRNO": 0x00050000, "SCMP_ACT_TRACE": 0x7FF00000, "SCMP_ACT_LOG": 0x7FFC0000,
    "SCMP_ACT_ALLOW": 0x7FFF0000,
}  # fmt: skip
"""SECCOMP_RET_* of each action; errno and trace carry a value in their low half."""


class Condition(NamedTuple):
    """A comparison of one argument; for MASKED_EQ `value` is the mask."""

    argument: int
    op: str
    value: int
    second: int


class Rule(NamedTuple):
    """What happens to a call when all conditions hold."""

    action: int
    conditions: tuple[Condition, ...]


def default_profile() -> dict[str, Any]:
    """Docker's default profile, as data."""
    return _load("seccomp_default.json")


@lru_cache(maxsize=2)
def _load(name: str) -> dict[str, Any]:
    with open(os.path.join(os.path.dirname(__file__), name)) as file:
        content: dict[str, Any] = json.load(file)
    return content


def compile_profile(
    profile: dict[str, Any],
    capabilities: Collection[str],
    *,
    machine: str | None = None,
    kernel: tuple[int, int] | None = None,
) -> bytes:
    """The BPF program of a profile for a process with these capabilities.

    `includes` and `excludes` (Docker's extension: capabilities, architectures, least kernel) are
    resolved here. Raises ValueError naming an unknown action or operator.
    """
    machine = machine or os.uname().machine
    kernel = kernel or _kernel_version()
    default = _action(profile["defaultAction"], profile.get("defaultErrnoRet"))
    entries = [
        entry for entry in profile.get("syscalls") or ()
        if _applies(entry, capabilities, machine, kernel)
    ]  # fmt: skip
    program: list[bytes] = []
    for architecture in _architectures(profile, machine):
        body = _architecture_program(architecture, entries, default)
        test = [_jump(_JEQ, AUDIT_ARCHITECTURES[architecture], 1, 0), _goto(len(body))]
        program += [*test, *body]
    program = [_load_word(4), *program, _return(ACTIONS["SCMP_ACT_KILL_PROCESS"])]
    return b"".join(program)


def load_filter(program: bytes, *, log: bool = False) -> None:
    """Puts the calling thread under a program for good; needs CAP_SYS_ADMIN or no_new_privs."""
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("=HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    header = ctypes.create_string_buffer(head, len(head))
    syscall("seccomp", _SET_MODE_FILTER, 2 if log else 0, header, path="filter")


def _kernel_version() -> tuple[int, int]:
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int("".join(char for char in minor if char.isdecimal()) or 0)


def _architectures(profile: dict[str, Any], machine: str) -> list[str]:
    named = [OCI_ARCHITECTURES.get(name) for name in profile.get("architectures") or ()]
    known = [name for name in named if name in AUDIT_ARCHITECTURES]
    if not known:
        known = [machine, "x86"] if machine == "x86_64" else [machine]
    return [name for name in dict.fromkeys(known) if name]


def _applies(
    entry: dict[str, Any], capabilities: Collection[str], machine: str, kernel: tuple[int, int]
) -> bool:
    includes, excludes = entry.get("includes") or {}, entry.get("excludes") or {}
    architecture = _GO_ARCHITECTURES.get(machine, machine)
    wanted = includes.get("arches")
    if wanted and architecture not in wanted:
        return False
    if architecture in (excludes.get("arches") or ()):
        return False
    if not all(name in capabilities for name in includes.get("caps") or ()):
        return False
    if any(name in capabilities for name in excludes.get("caps") or ()):
        return False
    least, below = includes.get("minKernel"), excludes.get("minKernel")
    if least and kernel < _version(least):
        return False
    return not (below and kernel >= _version(below))


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor or 0)


def _action(name: str, value: int | None) -> int:
    if name not in ACTIONS:
        raise ValueError(f"seccomp action {name} is not known")
    action = ACTIONS[name]
    if name in ("SCMP_ACT_ERRNO", "SCMP_ACT_TRACE"):
        action |= (errno.EPERM if value is None else value) & 0xFFFF
    return action


def _architecture_program(
    architecture: str, entries: Iterable[dict[str, Any]], default: int
) -> list[bytes]:
    numbers: dict[str, int] = _load("syscall_numbers.json")[architecture]
    rules: dict[int, list[Rule]] = {}
    for entry in entries:
        action = _action(entry["action"], entry.get("errnoRet"))
        conditions = tuple(_condition(item) for item in entry.get("args") or ())
        for name in entry.get("names") or [entry["name"]]:
            if name in numbers:
                rules.setdefault(numbers[name], []).append(Rule(action, conditions))
    tree = _search(_ranges(rules, default))
    head = [_load_word(0)]
    if architecture == "x86_64":
        head += [_jump(_JGE, _X32_BIT, 0, 1), _return(default)]
    return head + tree


def _condition(item: dict[str, Any]) -> Condition:
    op = item["op"].removeprefix("SCMP_CMP_")
    if f"SCMP_CMP_{op}" not in OPERATORS:
        raise ValueError(f"seccomp operator {item['op']} is not known")
    return Condition(item["index"], op, item.get("value", 0), item.get("valueTwo", 0))


def _ranges(rules: dict[int, list[Rule]], default: int) -> list[tuple[int, list[bytes]]]:
    """First number and code of each range of numbers that end alike, from 0 on."""
    ranges: list[tuple[int, list[bytes]]] = [(0, [_return(default)])]
    previous = -1
    for number in sorted(rules):
        if number != previous + 1:
            _append(ranges, previous + 1, [_return(default)])
        _append(ranges, number, _leaf(rules[number], default))
        previous = number
    _append(ranges, previous + 1, [_return(default)])
    return ranges


def _append(ranges: list[tuple[int, list[bytes]]], first: int, code: list[bytes]) -> None:
    if ranges[-1][0] == first:
        ranges.pop()
    if not ranges or ranges[-1][1] != code:
        ranges.append((first, code))


def _search(ranges: Sequence[tuple[int, list[bytes]]]) -> list[bytes]:
    if len(ranges) == 1:
        return list(ranges[0][1])
    middle = len(ranges) // 2
    left, right = _search(ranges[:middle]), _search(ranges[middle:])
    return [_jump(_JGE, ranges[middle][0], 0, 1), _goto(len(left)), *left, *right]


def _leaf(rules: Sequence[Rule], default: int) -> list[bytes]:
    fallback = default
    code: list[bytes] = []
    for rule in rules:
        if rule.conditions:
            code += _conditional(rule)
        else:
            fallback = rule.action
    return [*code, _return(fallback)]


def _conditional(rule: Rule) -> list[bytes]:
    code = [_return(rule.action)]
    for condition in reversed(rule.conditions):
        code = _comparison(condition, len(code)) + code
    return code


def _comparison(condition: Condition, skip: int) -> list[bytes]:
    """Falls through if the condition holds, else jumps over `skip` instructions after it."""
    low = 16 + 8 * condition.argument
    high = low + 4
    first, second = condition.value, condition.second
    if condition.op == "MASKED_EQ":
        return [
            _load_word(high), _statement(_AND, first >> 32 & 0xFFFFFFFF),
            _jump(_JEQ, second >> 32 & 0xFFFFFFFF, 0, skip + 3),
            _load_word(low), _statement(_AND, first & 0xFFFFFFFF),
            _jump(_JEQ, second & 0xFFFFFFFF, 0, skip),
        ]  # fmt: skip
    top, bottom = first >> 32 & 0xFFFFFFFF, first & 0xFFFFFFFF
    if condition.op == "EQ":
        return [
            _load_word(high), _jump(_JEQ, top, 0, skip + 2),
            _load_word(low), _jump(_JEQ, bottom, 0, skip),
        ]  # fmt: skip
    if condition.op == "NE":
        return [
            _load_word(high), _jump(_JEQ, top, 0, 2),
            _load_word(low), _jump(_JEQ, bottom, skip, 0),
        ]  # fmt: skip
    greater = condition.op in ("GT", "GE")
    low_test = _JGT if condition.op in ("GT", "LE") else _JGE
    if greater:
        return [
            _load_word(high), _jump(_JGT, top, 3, 0), _jump(_JEQ, top, 0, skip + 2),
            _load_word(low), _jump(low_test, bottom, 0, skip),
        ]  # fmt: skip
    return [
        _load_word(high), _jump(_JGT, top, skip + 3, 0), _jump(_JEQ, top, 0, 2),
        _load_word(low), _jump(low_test, bottom, skip, 0),
    ]  # fmt: skip


def _statement(code: int, value: int) -> bytes:
    return _INSTRUCTION.pack(code, 0, 0, value)


def _load_word(offset: int) -> bytes:
    return _statement(_LD_WORD, offset)


def _return(action: int) -> bytes:
    return _statement(_RET, action)


def _goto(offset: int) -> bytes:
    return _statement(_JA, offset)


def _jump(code: int, value: int, if_true: int, if_false: int) -> bytes:
    return _INSTRUCTION.pack(code, if_true, if_false, value)
