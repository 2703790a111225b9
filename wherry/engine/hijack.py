"""Connections that were taken over from HTTP."""

import asyncio
import os
import socket
import stat

from wherry.linux.fd import unread_bytes

_PATIENCE = 1.0
_INTERVAL = 0.0002
_LONGEST_INTERVAL = 0.001
"""The process is not started meanwhile, so that every millisecond here is one of the user's."""


async def until_head_is_read(descriptor: int) -> None:
    """Waits until the client has read the answer's head, a second at most.

    Clients that read heads through a buffer (Python's http.client) lose what comes in the same
    read. The kernel tells of no event for it.
    """
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        if connection.family != socket.AF_UNIX:
            return
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE
        interval = _INTERVAL
        while unread_bytes(connection.fileno()) and loop.time() < deadline:
            await asyncio.sleep(interval)
            interval = min(interval * 2, _LONGEST_INTERVAL)
