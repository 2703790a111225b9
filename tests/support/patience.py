"""How long tests wait for what should come soon, on a machine that may be slow.

Under emulation everything takes ten to twenty times as long; WHERRY_TEST_PATIENCE says so there.
"""

import os

_FACTOR = float(os.environ.get("WHERRY_TEST_PATIENCE", "1"))


def patience(seconds: float) -> float:
    """The seconds after which to give up, where an ordinary machine may take `seconds`."""
    return seconds * _FACTOR
