"""The daemon's main function: configuration, locks, signals; everything else is wired elsewhere."""

import asyncio
import contextlib
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Sequence

from wherry.base import crash_points
from wherry.base.errors import WherryError
from wherry.daemon.config import Config, load_config
from wherry.daemon.engine import Engine
from wherry.daemon.lock import DaemonLock, PidFile
from wherry.daemon.log import start_logging

logger = logging.getLogger("wherry.daemon")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the daemon until SIGTERM or SIGINT; the exit code is 1 if it could not start."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        config = load_config(given)
        crash_points.arm(os.environ.get(crash_points.VARIABLE, ""))
    except WherryError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    _apply_to_log(config)
    if os.geteuid() != 0:
        logger.critical("the wherry daemon needs root: start it as root, or with sudo")
        return 1
    try:
        with asyncio.Runner() as runner:
            runner.run(_serve(config, given))
    except (WherryError, OSError) as error:
        logger.critical("failed to start daemon: %s", error)
        logger.debug("where it failed", exc_info=True)
        return 1
    return 0


async def _serve(config: Config, arguments: Sequence[str]) -> None:
    _prepare_process()
    for directory, mode in ((config.data_root, 0o710), (config.exec_root, 0o711)):
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(mode)
    with contextlib.ExitStack() as locks:
        for root, option in ((config.data_root, "--data-root"), (config.exec_root, "--exec-root")):
            locks.callback(DaemonLock(root, option).close)
        pidfile = PidFile(config.pidfile) if config.pidfile else None
        try:
            await _run(config, arguments)
        finally:
            if pidfile:
                pidfile.close()


async def _run(config: Config, arguments: Sequence[str]) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    engine = Engine(config)
    try:
        await engine.start()
        loop.add_signal_handler(signal.SIGHUP, _reload, engine, arguments)
        _notify("READY=1")
        for host in config.hosts:
            logger.info("API listen on %s", host)
        await ended.wait()
        logger.info("stopping: containers %s", "stay" if config.live_restore else "stop")
        _notify("STOPPING=1")
    finally:
        await engine.stop()


def _reload(engine: Engine, arguments: Sequence[str]) -> None:
    """Reads the configuration again; one that cannot be changes nothing."""
    try:
        config = load_config(arguments)
    except WherryError as error:
        logger.error("the configuration stays as it is: %s", error.message)
        return
    _apply_to_log(config)
    engine.reload(config)


def _apply_to_log(config: Config) -> None:
    start_logging("debug" if config.debug else config.log_level, config.log_format)


def _prepare_process() -> None:
    """Takes as many descriptors as the hard limit allows and files private by default."""
    os.umask(0o022)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _notify(state: str) -> None:
    """Tells systemd the daemon's state (sd_notify(3)) where it asked for it."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.connect("\0" + address[1:] if address.startswith("@") else address)
        notify.send(state.encode())


if __name__ == "__main__":
    sys.exit(main())
