"""Digests: the names of immutable content (OCI image specification, descriptor.md)."""

import hashlib
import re

from wherry.base.errors import InvalidParameter

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


class Digest(str):
    """`algorithm:hex`, well formed; made by `parse` or `of`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Digest":
        """Raises InvalidParameter if the text is no digest that this engine can verify."""
        if not _DIGEST.fullmatch(text):
            raise InvalidParameter(f"invalid digest: {text}")
        return cls(text)

    @classmethod
    def of(cls, data: bytes) -> "Digest":
        """The sha256 digest of bytes."""
        return cls(f"sha256:{hashlib.sha256(data).hexdigest()}")

    @property
    def algorithm(self) -> str:
        """The part before the colon."""
        return self.partition(":")[0]

    @property
    def hex(self) -> str:
        """The part after the colon."""
        return self.partition(":")[2]


def chain_ids(diff_ids: tuple[str, ...]) -> tuple[str, ...]:
    """Chain ids, lowest layer first: what a layer is on top of those below (config.md)."""
    chain: list[str] = []
    for diff_id in diff_ids:
        chain.append(diff_id if not chain else str(Digest.of(f"{chain[-1]} {diff_id}".encode())))
    return tuple(chain)
