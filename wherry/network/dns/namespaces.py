"""Containers' network namespaces, as the dns process holds them."""

import errno
import os


class Namespace:
    """A container's network namespace, by a descriptor; equal to itself alone.

    Not the bare number: that is another container's soon after this one has ended, while a question
    of this one may still be under way.
    """

    def __init__(self, descriptor: int) -> None:
        """Takes the descriptor over."""
        self._descriptor = descriptor

    def fileno(self) -> int:
        """The descriptor; raises OSError if the container has ended."""
        if self._descriptor < 0:
            raise OSError(errno.ESTALE, "the container has ended")
        return self._descriptor

    def close(self) -> None:
        """Lets go of the namespace; repeating it is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
