"""The built-in image: a static program of a few hundred bytes, assembled here.

What hello-world is for Docker, without a registry: it proves that a container starts. The program
is an ELF executable with one segment that writes a text and exits (elf(5), write(2)).
"""

import io
import struct
import tarfile

GREETING = (
    "Hello from Wherry!\n"
    "This message shows that your installation works: a static program of this image ran in\n"
    "namespaces, a control group and a root file system of its own.\n"
)

_BASE = 0x400000
_ELF_MACHINE = {"amd64": 62, "arm64": 183}
_HEADERS = 64 + 56


def hello_program(architecture: str) -> bytes:
    """The executable's bytes for amd64 or arm64; raises KeyError for another architecture."""
    text = GREETING.encode()
    build = {"amd64": _amd64, "arm64": _arm64}[architecture]
    size = len(build(0, len(text)))
    code = build(_BASE + _HEADERS + size, len(text))
    total = _HEADERS + len(code) + len(text)
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = identity + struct.pack(
        "<HHIQQQIHHHHHH", 2, _ELF_MACHINE[architecture], 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1,
        0, 0, 0,
    )  # fmt: skip
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, total, total, 0x1000)
    return header + segment + code + text


def _amd64(address: int, length: int) -> bytes:
    return b"".join((
        b"\xb8\x01\x00\x00\x00",                       # mov eax, 1 (write)
        b"\xbf\x01\x00\x00\x00",                       # mov edi, 1
        b"\x48\xbe" + struct.pack("<Q", address),      # mov rsi, address
        b"\xba" + struct.pack("<I", length),           # mov edx, length
        b"\x0f\x05",                                   # syscall
        b"\xb8\x3c\x00\x00\x00",                       # mov eax, 60 (exit)
        b"\x31\xff",                                   # xor edi, edi
        b"\x0f\x05",                                   # syscall
    ))  # fmt: skip


def _arm64(address: int, length: int) -> bytes:
    def move(register: int, value: int, shift: int = 0, keep: bool = False) -> bytes:
        base = 0xF2800000 if keep else 0xD2800000
        return struct.pack("<I", base | shift << 21 | (value & 0xFFFF) << 5 | register)

    call = struct.pack("<I", 0xD4000001)
    return b"".join((
        move(0, 1), move(1, address), move(1, address >> 16, 1, keep=True),
        move(2, length), move(8, 64), call,
        move(0, 0), move(8, 93), call,
    ))  # fmt: skip


def hello_archive(architecture: str) -> bytes:
    """The image's root file system as a tar archive: one file, `/hello`."""
    program = hello_program(architecture)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("hello")
        entry.size, entry.mode = len(program), 0o755
        archive.addfile(entry, io.BytesIO(program))
    return buffer.getvalue()
