"""Operations on /dev: nodes, links, the console."""

import errno
import os
import socket
import stat

from wherry.linux import mount as km
from wherry.linux.fd import openat2
from wherry.linux.terminal import set_window_size, unlock
from wherry.runtime import operations as op
from wherry.runtime.context import Context
from wherry.runtime.errors import StartFailed
from wherry.runtime.targets import make_path, open_target

_TYPES = {"c": stat.S_IFCHR, "b": stat.S_IFBLK, "p": stat.S_IFIFO}


def make_device(step: op.MakeDevice, context: Context) -> None:
    """Makes a node, replacing nothing; raises StartFailed naming it."""
    parent_path, _, name = step.path.rpartition("/")
    make_path(context.root, parent_path, file=False)
    parent = openat2(context.root, parent_path or "/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        device = os.makedev(step.major, step.minor)
        try:
            os.mknod(name, _TYPES[step.type] | step.mode, device, dir_fd=parent)
        except FileExistsError:
            return
        # The umask took bits of the mode, and the owner is the maker.
        node = openat2(parent, name, os.O_PATH | os.O_NOFOLLOW)
        try:
            os.chmod(f"/proc/self/fd/{node}", step.mode & 0o7777)
            os.chown(f"/proc/self/fd/{node}", step.uid, step.gid)
        finally:
            os.close(node)
    except OSError as error:
        raise StartFailed(f"cannot make device {step.path}: {error.strerror}") from error
    finally:
        os.close(parent)


def make_symlink(step: op.MakeSymlink, context: Context) -> None:
    """Makes a link where nothing is; in /dev an old file of the image gives way."""
    parent_path, _, name = step.path.rpartition("/")
    make_path(context.root, parent_path, file=False)
    parent = openat2(context.root, parent_path or "/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.symlink(step.target, name, dir_fd=parent)
    except FileExistsError:
        return
    finally:
        os.close(parent)


def open_console(step: op.OpenConsole, context: Context) -> None:
    """Takes a terminal of the container's devpts; its master travels to the monitor.

    The terminal's file is bound on /dev/console by descriptor, so that no link of the image can
    turn the bind elsewhere.
    """
    flags = os.O_RDWR | os.O_NOCTTY
    master = openat2(context.root, "/dev/pts/ptmx", flags)
    number = unlock(master)
    slave = openat2(context.root, f"/dev/pts/{number}", flags | os.O_NOFOLLOW)
    height, width = context.plan.process.console_size
    if height and width:
        set_window_size(master, height, width)
    target = open_target(context.root, "/dev/console", file=True)
    try:
        tree = km.clone_tree(slave, recursive=False)
        try:
            km.move_mount(tree, target)
        finally:
            os.close(tree)
    finally:
        os.close(target)
    send_console(context, master)
    os.close(master)
    context.console = slave


def send_console(context: Context, master: int) -> None:
    """Hands the terminal's master side to the monitor."""
    socket.send_fds(context.channel, [b'{"stage":"console"}'], [master])


def open_terminal() -> tuple[int, int]:
    """Master and slave of a new terminal of the devpts that the caller sees at /dev/pts."""
    master = os.open("/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        number = unlock(master)
        slave = os.open(f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        os.close(master)
        if error.errno == errno.ENOENT:
            raise StartFailed("the container has no /dev/pts to open a terminal in") from error
        raise
    return master, slave
