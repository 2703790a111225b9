"""Making a directory all that a process sees, before it looks at names that others chose."""

import os
import sys


def confine(root: int) -> None:
    """Changes the root to an open directory, closes it, and forbids imports from then on.

    Needs CAP_SYS_CHROOT (chroot(2)). Text codecs are loaded before, since they are found by
    import; nothing below the new root may ever be (CVE-2019-14271).
    """
    for encoding in ("utf-8", "ascii", "latin-1"):
        "".encode(encoding)
    os.fchdir(root)
    os.chroot(".")
    os.close(root)
    sys.path.clear()
    sys.path_importer_cache.clear()
