"""Device rules on version 2: a BPF program on the group (BPF_PROG_TYPE_CGROUP_DEVICE).

The program receives the access type in the low 16 bits and the access in the high 16 bits of its
first word, then major and minor (linux/bpf.h, struct bpf_cgroup_dev_ctx). The last rule that
matches decides, as in a list written one line after another on version 1.
"""

import ctypes
import os
import struct
from collections.abc import Sequence

from wherry.linux.cgroup.resources import DeviceRule
from wherry.linux.syscall import syscall

_INSTRUCTION = struct.Struct("<BBhi")
_PROG_LOAD = 5
_PROG_ATTACH = 8
_PROG_TYPE_CGROUP_DEVICE = 15
_ATTACH_CGROUP_DEVICE = 6
_ALLOW_MULTI = 2
_ACCESS = {"m": 1, "r": 2, "w": 4}
_TYPES = {"b": 1, "c": 2}
_ALL_ACCESS = 7


def _instruction(code: int, dst: int = 0, src: int = 0, offset: int = 0, value: int = 0) -> bytes:
    return _INSTRUCTION.pack(code, dst | src << 4, offset, value)


_LOAD_WORD = 0x61
_MOVE_REGISTER = 0xBF
_MOVE_VALUE = 0xB7
_AND_VALUE = 0x57
_SHIFT_RIGHT = 0x77
_JUMP_NOT_EQUAL = 0x55
_EXIT = 0x95


def assemble(rules: Sequence[DeviceRule]) -> bytes:
    """The program for a list of rules; without a matching rule the answer is no."""
    program = [
        _instruction(_LOAD_WORD, 2, 1, 0),
        _instruction(_AND_VALUE, 2, value=0xFFFF),
        _instruction(_LOAD_WORD, 3, 1, 0),
        _instruction(_SHIFT_RIGHT, 3, value=16),
        _instruction(_LOAD_WORD, 4, 1, 4),
        _instruction(_LOAD_WORD, 5, 1, 8),
    ]
    for rule in reversed(rules):
        program.extend(_block(rule))
        if rule.type == "a":
            break  # the verifier refuses what can never be reached
    else:
        program += [_instruction(_MOVE_VALUE, 0, value=0), _instruction(_EXIT)]
    return b"".join(program)


def _block(rule: DeviceRule) -> list[bytes]:
    access = 0
    for letter in rule.access:
        access |= _ACCESS[letter]
    tests: list[tuple[int, int, int]] = []  # register, mask (0 for none), value to equal
    if rule.type != "a":
        tests.append((2, 0, _TYPES[rule.type]))
        if access != _ALL_ACCESS:
            # Allowing asks that nothing outside the rule is wanted; denying, that something is.
            tests.append((3, ~access & _ALL_ACCESS if rule.allow else -access, 0))
        if rule.major >= 0:
            tests.append((4, 0, rule.major))
        if rule.minor >= 0:
            tests.append((5, 0, rule.minor))
    end = [_instruction(_MOVE_VALUE, 0, value=int(rule.allow)), _instruction(_EXIT)]
    block: list[bytes] = []
    for register, mask, value in reversed(tests):
        after = len(block) + len(end)
        if mask > 0:
            block = [
                _instruction(_MOVE_REGISTER, 1, register),
                _instruction(_AND_VALUE, 1, value=mask),
                _instruction(_JUMP_NOT_EQUAL, 1, offset=after, value=value),
                *block,
            ]
        elif mask < 0:
            block = [
                _instruction(_MOVE_REGISTER, 1, register),
                _instruction(_AND_VALUE, 1, value=-mask),
                _instruction(0x15, 1, offset=after, value=0),
                *block,
            ]
        else:
            block = [_instruction(_JUMP_NOT_EQUAL, register, offset=after, value=value), *block]
    return block + end


def attach_device_program(directory: str, rules: Sequence[DeviceRule]) -> None:
    """Loads the program of `rules` and attaches it to the group; raises SyscallError."""
    program = assemble(rules)
    code = ctypes.create_string_buffer(program, len(program))
    license_text = ctypes.create_string_buffer(b"Apache-2.0")
    load = struct.pack(
        "<IIQQIIQ", _PROG_TYPE_CGROUP_DEVICE, len(program) // 8, ctypes.addressof(code),
        ctypes.addressof(license_text), 0, 0, 0,
    ).ljust(128, b"\0")  # fmt: skip
    attributes = ctypes.create_string_buffer(load, len(load))
    descriptor = syscall("bpf", _PROG_LOAD, attributes, len(load), path="device program")
    group = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        attach = struct.pack("<IIII", group, descriptor, _ATTACH_CGROUP_DEVICE, _ALLOW_MULTI)
        attributes = ctypes.create_string_buffer(attach.ljust(128, b"\0"), 128)
        syscall("bpf", _PROG_ATTACH, attributes, 128, path=directory)
    finally:
        os.close(group)
        os.close(descriptor)
