"""A volume's files archived, unpacked and copied, in children that see nothing but the volume."""

import io
import os
from collections.abc import Callable

from wherry.linux.confine import confine
from wherry.linux.tree import copy_tree
from wherry.store.layer.apply import ApplyRequest, apply
from wherry.store.layer.compression import decompress
from wherry.store.layer.diff import write_tree

EXPORT_TASK, IMPORT_TASK, COPY_TASK = "volume.export", "volume.import", "volume.copy"


def export_task(
    parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]
) -> bytes:
    """Writes everything below the directory of descriptor 0 to descriptor 1 as a tar archive."""
    confine(descriptors[0])
    with io.BufferedWriter(io.FileIO(descriptors[1], "w"), 1 << 18) as target:
        write_tree(target, whiteouts=False)
    return b""


def import_task(
    parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]
) -> bytes:
    """Unpacks the archive of descriptor 1, compressed or not, into the directory of descriptor 0.

    Raises InvalidParameter for what is no archive, or ends in the middle.
    """
    with io.BufferedReader(io.FileIO(descriptors[1]), 1 << 18) as file:
        stream = decompress(file)
        confine(descriptors[0])
        os.umask(0)
        apply(stream, ApplyRequest(whiteouts=False))
    return b""


def copy_task(parameters: bytes, descriptors: list[int], report: Callable[[bytes], None]) -> bytes:
    """Copies what is below the directory of descriptor 0 into that of descriptor 1.

    Blocks are shared where the file system can (copy_file_range(2)).
    """
    os.umask(0)
    copy_tree(descriptors[0], descriptors[1])
    return b""
