"""What goes wrong with registries, in the words of dockerd."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import urllib3

from wherry.base.errors import Forbidden, InternalError, NotFound, Unauthorized, WherryError


class AccessDenied(NotFound):
    """The repository is not there for this user."""


class ManifestUnknown(NotFound):
    """The repository has no such tag or digest."""


class RepositoryUnknown(NotFound):
    """The registry has no such repository."""


class BlobUnknown(NotFound):
    """The registry lacks a blob that a manifest names."""


class RegistryUnreachable(InternalError):
    """No endpoint of the registry answered."""


class RegistryRefused(InternalError):
    """The registry answered with an error of its own."""


class RegistryBusy(RegistryRefused):
    """The registry may answer when it is asked again."""


class ConnectionBroken(RegistryBusy):
    """The connection to the registry broke off in the middle."""


class PushDenied(Forbidden):
    """The user may not write there."""


class LoginFailed(Unauthorized):
    """The credentials are wrong."""


class AuthorizationExpired(RegistryRefused):
    """What authorized the request does no longer, or never did."""


class RateLimited(Forbidden):
    """The registry asks to come back later, in `retry_after` seconds if it said so."""

    def __init__(self, message: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimit(NamedTuple):
    """What a registry says of its limits (Docker Hub's ratelimit headers; RFC 9110, 10.2.3)."""

    text: str = ""
    retry_after: int = 0


class Fault(NamedTuple):
    """An error as a registry tells it (distribution specification, error codes)."""

    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.code.lower().replace('_', ' ')}: {self.message}"


class _Item(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


class _Errors(msgspec.Struct, frozen=True):
    errors: tuple[_Item, ...] = ()
    details: str = ""


_BY_STATUS = {
    401: Fault("UNAUTHORIZED", "authentication required"),
    403: Fault("DENIED", "requested access to the resource is denied"),
    429: Fault("TOOMANYREQUESTS", "too many requests"),
}


def read_fault(status: int, body: bytes, asked: str = "") -> Fault:
    """The first error of an answer, or what its status means; code empty if that is nothing.

    `asked` is its WWW-Authenticate header, which tells of a token that is good for too little
    (RFC 6750, 3.1).
    """
    if "insufficient_scope" in asked:
        return _BY_STATUS[403]
    try:
        parsed = msgspec.json.decode(body, type=_Errors)
    except msgspec.MsgspecError:
        parsed = _Errors()
    if parsed.errors and parsed.errors[0].code:
        return Fault(parsed.errors[0].code.upper(), parsed.errors[0].message)
    if status in _BY_STATUS:
        known = _BY_STATUS[status]
        return Fault(known.code, parsed.details or known.message)
    return Fault("", body[:200].decode(errors="replace").strip())


def rate_limit(registry: str, headers: Mapping[str, str]) -> RateLimit:
    """The limits in an answer, such as `ratelimit-limit: 100;w=21600`."""
    known = []
    limit, _, window = headers.get("ratelimit-limit", "").partition(";w=")
    if limit:
        known.append(f"limit {limit} requests" + (f" in {window} seconds" if window else ""))
    if left := headers.get("ratelimit-remaining", "").partition(";")[0]:
        known.append(f"{left} left")
    after = headers.get("Retry-After", "")
    seconds = int(after) if after.isdecimal() else 0
    if seconds:
        known.append(f"try again in {seconds} seconds")
    return RateLimit(f"{registry}: {', '.join(known)}" if known else registry, seconds)


def push_refused(status: int, fault: Fault, reference: str) -> WherryError:
    """The error of an answer to a push."""
    if fault.code == "DENIED":
        return PushDenied(str(fault))
    if status == 429 or fault.code == "TOOMANYREQUESTS":
        return RateLimited(str(fault))
    if status == 401:
        return AuthorizationExpired(str(fault))
    if fault.code:
        return RegistryRefused(str(fault))
    kind = RegistryBusy if status >= 500 else RegistryRefused
    detail = f": {fault.message}" if fault.message else ""
    return kind(f"received unexpected HTTP status: {status} for {reference}{detail}")


def refused(
    status: int, fault: Fault, name: str, reference: str, limit: RateLimit = RateLimit()
) -> WherryError:
    """The error of an answer to a request about a repository's `reference`."""
    if status == 429 or fault.code == "TOOMANYREQUESTS":
        text = f"{fault} ({limit.text})" if limit.text else str(fault)
        return RateLimited(text, limit.retry_after)
    if fault.code == "DENIED":
        return AccessDenied(
            f"pull access denied for {name}, repository does not exist or may require "
            f"'docker login': {fault}"
        )
    if fault.code == "NAME_UNKNOWN":
        return RepositoryUnknown(f"repository {name} not found: {fault}")
    if fault.code == "BLOB_UNKNOWN":
        return BlobUnknown(str(fault))
    if status == 404 or fault.code == "MANIFEST_UNKNOWN":
        shown = fault if fault.code else Fault("MANIFEST_UNKNOWN", "manifest unknown")
        return ManifestUnknown(f"manifest for {reference} not found: {shown}")
    if fault.code:
        return RegistryRefused(str(fault))
    kind = RegistryBusy if status >= 500 else RegistryRefused
    detail = f": {fault.message}" if fault.message else ""
    return kind(f"received unexpected HTTP status: {status} for {reference}{detail}")


def transport_reason(error: urllib3.exceptions.HTTPError, host: str) -> str:
    """Why a host could not be spoken to, in Go's words where clients know them."""
    cause: object = error
    while isinstance(cause, urllib3.exceptions.MaxRetryError | urllib3.exceptions.ProxyError):
        cause = (
            cause.reason
            if isinstance(cause, urllib3.exceptions.MaxRetryError)
            else (cause.original_error)
        )
    text = str(cause)
    if isinstance(cause, urllib3.exceptions.NameResolutionError):
        return f"dial tcp: lookup {host.partition(':')[0]}: no such host"
    if isinstance(cause, urllib3.exceptions.NewConnectionError):
        return f"dial tcp {host}: connect: {text.rpartition('] ')[2].lower()}"
    if isinstance(cause, urllib3.exceptions.SSLError):
        if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER" in text:
            return "http: server gave HTTP response to HTTPS client"
        if "CERTIFICATE_VERIFY_FAILED" in text:
            detail = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0]
            return f"tls: failed to verify certificate: x509: {detail or text}"
        return f"tls: {text}"
    if isinstance(cause, urllib3.exceptions.ProtocolError) and "RemoteDisconnected" in text:
        return "EOF"
    if isinstance(cause, urllib3.exceptions.TimeoutError):
        return "net/http: request canceled (Client.Timeout exceeded while awaiting headers)"
    return text.rpartition(": ")[2].strip("'\") ") or type(cause).__name__
