"""nftables through libnftables(3) and ctypes: whole transactions of nft(8) commands, no exec.

One context belongs to one network namespace, the one its thread was in when it was opened. Calls
are serialised by a lock; the library must never be loaded in a process that forks (the zygote).
"""

import ctypes
import ctypes.util
import json
import re
import threading
from typing import Any

from wherry.base.errors import NotSupported

_NFT_CTX_DEFAULT = 0
_NFT_CTX_OUTPUT_JSON = 1 << 4
_ERROR_LINE = re.compile(r"^.*?Error: (?P<text>.*)$", re.MULTILINE)


class NftablesMissing(NotSupported):
    """libnftables is not installed, or is too old to be used."""


class NftablesError(OSError):
    """A transaction was refused; nothing of it was applied. `text` is nft's own first line."""

    def __init__(self, text: str, command: str) -> None:
        """Keeps the message and the command that it is about."""
        super().__init__(text)
        self.text = text
        self.command = command

    @property
    def missing_object(self) -> bool:
        """Whether a table, set or element that the command names does not exist (ENOENT)."""
        return "No such file or directory" in self.text

    @property
    def exists(self) -> bool:
        """Whether what the command adds is there already (EEXIST)."""
        return "File exists" in self.text

    @property
    def not_permitted(self) -> bool:
        """Whether CAP_NET_ADMIN is missing (EPERM)."""
        return "Operation not permitted" in self.text


class Nftables:
    """A libnftables context: runs command texts atomically, reads rule sets as JSON."""

    def __init__(self) -> None:
        """Loads the library and opens its socket; raises NftablesMissing in one line."""
        self._library = _load()
        self._lock = threading.Lock()
        self._context: int | None = self._library.nft_ctx_new(_NFT_CTX_DEFAULT)
        if not self._context:
            raise NftablesMissing("libnftables cannot open a context in this network namespace")
        self._library.nft_ctx_buffer_output(self._context)
        self._library.nft_ctx_buffer_error(self._context)

    def run(self, commands: str) -> None:
        """Applies nft(8) commands as one transaction; raises NftablesError if it is refused."""
        self._run(commands, 0)

    def query(self, command: str) -> list[dict[str, Any]]:
        """The objects that a `list` command prints (libnftables-json(5)), without the metadata."""
        output = self._run(command, _NFT_CTX_OUTPUT_JSON)
        objects = json.loads(output)["nftables"] if output.strip() else []
        return [entry for entry in objects if "metainfo" not in entry]

    def close(self) -> None:
        """Frees the context; tables stay in the kernel."""
        with self._lock:
            if self._context:
                self._library.nft_ctx_free(self._context)
                self._context = None

    def _run(self, commands: str, flags: int) -> str:
        with self._lock:
            if not self._context:
                raise NftablesError("the nftables context is closed", commands)
            self._library.nft_ctx_output_set_flags(self._context, flags)
            failed = self._library.nft_run_cmd_from_buffer(self._context, commands.encode())
            output = self._library.nft_ctx_get_output_buffer(self._context) or b""
            errors = self._library.nft_ctx_get_error_buffer(self._context) or b""
        if failed:
            raise NftablesError(_first_error(errors.decode(errors="replace")), commands)
        return bytes(output).decode()


def _first_error(text: str) -> str:
    found = _ERROR_LINE.search(text)
    if found:
        return found["text"].strip()
    return text.strip().partition("\n")[0] or "nftables refused the command"


def _load() -> Any:
    try:
        library = ctypes.CDLL("libnftables.so.1")
        library.nft_ctx_new.argtypes = [ctypes.c_uint32]
        library.nft_ctx_new.restype = ctypes.c_void_p
        library.nft_ctx_free.argtypes = [ctypes.c_void_p]
        library.nft_ctx_free.restype = None
        library.nft_ctx_buffer_output.argtypes = [ctypes.c_void_p]
        library.nft_ctx_buffer_error.argtypes = [ctypes.c_void_p]
        library.nft_ctx_output_set_flags.argtypes = [ctypes.c_void_p, ctypes.c_uint]
        library.nft_ctx_output_set_flags.restype = None
        library.nft_ctx_get_output_buffer.argtypes = [ctypes.c_void_p]
        library.nft_ctx_get_output_buffer.restype = ctypes.c_char_p
        library.nft_ctx_get_error_buffer.argtypes = [ctypes.c_void_p]
        library.nft_ctx_get_error_buffer.restype = ctypes.c_char_p
        library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        library.nft_run_cmd_from_buffer.restype = ctypes.c_int
    except (OSError, AttributeError) as error:
        raise NftablesMissing(
            f"libnftables.so.1 cannot be used ({error}): install the package libnftables1"
        ) from None
    return library
