"""Registries' errors in the words of dockerd."""

import pytest

from wherry.base.errors import Forbidden, NotFound, WherryError
from wherry.remote.errors import (
    AuthorizationExpired,
    PushDenied,
    RateLimited,
    RegistryBusy,
    push_refused,
    rate_limit,
    read_fault,
    refused,
)


def body(code: str, message: str = "said so") -> bytes:
    return f'{{"errors":[{{"code":"{code}","message":"{message}"}}]}}'.encode()


@pytest.mark.parametrize(
    ("status", "data", "kind", "words"),
    [
        (404, body("MANIFEST_UNKNOWN"), NotFound, "manifest for a:1 not found: manifest unknown"),
        (404, body("NAME_UNKNOWN"), NotFound, "repository a not found"),
        (403, body("DENIED"), NotFound, "pull access denied for a, repository does not exist"),
        (429, b"", RateLimited, "toomanyrequests: too many requests"),
        (503, b"", RegistryBusy, "received unexpected HTTP status: 503 for a:1"),
        (500, b"<html>", RegistryBusy, "received unexpected HTTP status: 500 for a:1: <html>"),
    ],
)
def test_an_answer_to_a_pull_is_told(
    status: int, data: bytes, kind: type[WherryError], words: str
) -> None:
    error = refused(status, read_fault(status, data), "a", "a:1")
    assert isinstance(error, kind)
    assert words in error.message


@pytest.mark.parametrize(
    ("status", "data", "asked", "kind", "words"),
    [
        (401, body("UNAUTHORIZED", "authentication required"), "", AuthorizationExpired,
         "unauthorized: authentication required"),
        (401, body("UNAUTHORIZED"), 'Bearer error="insufficient_scope"', PushDenied,
         "denied: requested access to the resource is denied"),
        (403, b"", "", PushDenied, "denied: requested access to the resource is denied"),
        (429, b"", "", RateLimited, "toomanyrequests: too many requests"),
        (502, b"", "", RegistryBusy, "received unexpected HTTP status: 502 for a:1"),
    ],
)  # fmt: skip
def test_an_answer_to_a_push_is_told(
    status: int, data: bytes, asked: str, kind: type[WherryError], words: str
) -> None:
    error = push_refused(status, read_fault(status, data, asked), "a:1")
    assert isinstance(error, kind)
    assert error.message == words


def test_a_limit_is_told_with_what_the_registry_says_of_it() -> None:
    limit = rate_limit("registry.example", {"ratelimit-limit": "100;w=60", "Retry-After": "7"})
    error = refused(429, read_fault(429, b""), "a", "a:1", limit)
    assert isinstance(error, Forbidden)
    assert error.message == (
        "toomanyrequests: too many requests (registry.example: limit 100 requests in 60 seconds, "
        "try again in 7 seconds)"
    )
    assert rate_limit("registry.example", {"Retry-After": "soon"}).retry_after == 0
