"""Settings that change while the daemon runs."""

from typing import Self

import msgspec


class LiveSettings(msgspec.Struct):
    """Settings that a reload of the configuration renews in place.

    They are read where they are needed, every time, and never copied.
    """

    def renew(self, newer: Self) -> None:
        """Becomes like `newer`; on the event loop's thread."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(newer, name))
