"""Sealing what must not lie readable on disk: AES-256-GCM with one key for the data root."""

import os
from pathlib import Path

from wherry.base.errors import DataCorrupt, InvalidParameter
from wherry.base.files import write_atomic

KEY_BYTES = 32
_NONCE_BYTES = 12


class Vault:
    """Seals and opens; the key is read when it is first needed, and made if there is none.

    The key file holds 32 bytes that only its owner may read. Kept beside the data it guards against
    a copy of the records alone; kept elsewhere, against a copy of the whole data root.
    """

    def __init__(self, key_file: Path) -> None:
        """`key_file` need not exist."""
        self._key_file = key_file
        self._key = b""

    def seal(self, name: str, content: bytes) -> bytes:
        """The sealed content, which opens under the same name only."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._read_key(make=True)).encrypt(nonce, content, name.encode())

    def open(self, name: str, sealed: bytes) -> bytes:
        """The content; raises DataCorrupt if it was changed or sealed with another key."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce, content = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return AESGCM(self._read_key(make=False)).decrypt(nonce, content, name.encode())
        except InvalidTag:
            raise DataCorrupt(
                f"a secret cannot be opened with the key {self._key_file}: it was sealed with "
                "another one, or its record is damaged; remove the secret and create it anew"
            ) from None

    def _read_key(self, *, make: bool) -> bytes:
        if self._key:
            return self._key
        try:
            key = self._key_file.read_bytes()
        except FileNotFoundError:
            if not make:
                raise DataCorrupt(
                    f"secrets cannot be opened: their key {self._key_file} is gone"
                ) from None
            key = os.urandom(KEY_BYTES)
            write_atomic(self._key_file, key, durable=True)
        if len(key) != KEY_BYTES or self._key_file.stat().st_mode & 0o077:
            raise InvalidParameter(
                f"{self._key_file} is no key for secrets: it must hold {KEY_BYTES} bytes that "
                "only its owner can read (mode 0600)"
            )
        self._key = key
        return key
