"""The daemon's own log, on standard error."""

import logging
import sys

from wherry.base.log_lines import LEVELS, formatter


def start_logging(level: str, layout: str = "text") -> None:
    """Sends the records of all rooms from `level` on to standard error, as text or as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(layout))
    logging.basicConfig(level=LEVELS[level], handlers=[handler], force=True)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("urllib3").setLevel(logging.WARNING)
