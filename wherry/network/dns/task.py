"""The beginning of the dns process, a task of the zygote: everything that takes privileges.

It listens for daemons on `dns.sock` in the exec root, starts the process of outlets, and then is
nobody. asyncio is imported between the two: that process does not carry it along, and nobody may
not be able to read the interpreter's files.
"""

import json
import os
import pwd
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from wherry.linux.capability import capset
from wherry.linux.process import set_dumpable, set_name, set_no_new_privileges
from wherry.network.dns.outlets import start_outlets

CONTROL = "dns.sock"


def dns_task(parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]) -> bytes:
    """The process's main function: parameters are the exec root, the log's level and layout."""
    directory, level, layout = json.loads(parameters)
    os.setsid()
    set_name("wherry-dns")
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    control = _listen(Path(directory))
    _raise_limit()
    outlets = start_outlets()
    # Nothing here speaks TLS, and asyncio without it takes 1.3 MB less.
    sys.modules["ssl"] = None  # type: ignore[assignment]
    from wherry.network.dns.process import log_to_stderr, serve

    log_to_stderr(level, layout)
    _drop_privileges()
    serve(control, outlets.open, lambda: report(b"ready"))
    outlets.close()
    return b""


def _listen(directory: Path) -> socket.socket:
    """The control socket; by descriptor, since its path may have 107 bytes only (unix(7))."""
    (directory / CONTROL).unlink(missing_ok=True)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mask = os.umask(0o177)
    handle = os.open(directory, os.O_PATH | os.O_CLOEXEC)
    try:
        control.bind(f"/proc/self/fd/{handle}/{CONTROL}")
    finally:
        os.close(handle)
        os.umask(mask)
    control.listen(4)
    return control


def _raise_limit() -> None:
    """Each container takes four descriptors, each forwarded question one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _drop_privileges() -> None:
    """Nothing that a packet can do to this process gives more than nobody has."""
    try:
        entry = pwd.getpwnam("nobody")
        uid, gid = entry.pw_uid, entry.pw_gid
    except KeyError:
        uid = gid = 65534
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    capset(0, 0, 0)
    set_no_new_privileges()
    set_dumpable(False)
