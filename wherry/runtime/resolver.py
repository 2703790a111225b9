"""The sockets of the embedded DNS server, opened inside a container's network namespace.

They listen on ports of the kernel's choice, and what is sent to port 53 is redirected there, so
that a server of the container's own may have port 53 on all addresses, as with Docker.
"""

import os
import socket

from wherry.linux.fd import receive_message, send_message
from wherry.linux.namespace import CLONE_NEWNET, namespace_fd, setns
from wherry.linux.netlink.nftables import redirect_output
from wherry.linux.syscall import SyscallError
from wherry.runtime import operations as op
from wherry.runtime.context import Context, Report
from wherry.runtime.errors import StartFailed

ADDRESS = "127.0.0.11"
PORT = 53
_TABLE = "wherry-dns"
_BACKLOG = 64


def open_resolver(step: op.OpenResolver, context: Context) -> None:
    """Opens the sockets in init's namespace and gives them to the monitor."""
    import msgspec

    udp, tcp = open_sockets()
    with udp, tcp:
        send_message(
            context.channel, msgspec.json.encode(Report(stage="resolver")),
            [udp.fileno(), tcp.fileno()],
        )  # fmt: skip


def open_sockets() -> tuple[socket.socket, socket.socket]:
    """The UDP socket and the listening TCP socket in the caller's namespace, whose `lo` is up.

    Where the kernel cannot redirect they are on port 53 itself. Raises StartFailed.
    """
    try:
        udp, tcp = _bind(0)
        ports = {socket.IPPROTO_UDP: udp.getsockname()[1], socket.IPPROTO_TCP: tcp.getsockname()[1]}
        try:
            redirect_output(_TABLE, ADDRESS, PORT, ports)
        except SyscallError:
            udp.close()
            tcp.close()
            udp, tcp = _bind(PORT)
    except OSError as error:
        raise StartFailed(f"cannot open the DNS server's sockets at {ADDRESS}: {error}") from error
    return udp, tcp


def open_inside(pid: int) -> tuple[int, int]:
    """Descriptors of the sockets, opened in the namespace of a running process by a child.

    Only for single-threaded processes. Raises StartFailed.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        try:
            setns(namespace_fd(pid, "network"), CLONE_NEWNET)
            udp, tcp = open_sockets()
            send_message(theirs, b"+", [udp.fileno(), tcp.fileno()])
        except Exception as error:
            theirs.send(str(error).encode(errors="replace")[:4000])
        finally:
            os._exit(0)
    theirs.close()
    try:
        data, descriptors = receive_message(ours)
    finally:
        ours.close()
        os.waitpid(child, 0)
    if len(descriptors) != 2:
        raise StartFailed(data.decode(errors="replace") or "cannot open the DNS server's sockets")
    return descriptors[0], descriptors[1]


def _bind(port: int) -> tuple[socket.socket, socket.socket]:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        udp.bind((ADDRESS, port))
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind((ADDRESS, port))
        tcp.listen(_BACKLOG)
    except BaseException:
        udp.close()
        tcp.close()
        raise
    return udp, tcp
