"""Challenges and what is given for them."""

from typing import Any

import pytest

from wherry.model.credentials import Credentials
from wherry.remote.auth import authorization, challenges
from wherry.remote.errors import LoginFailed

BEARER = 'Bearer realm="https://auth.example/token",service="registry",scope="repository:a:pull"'
USER = Credentials(username="gulliver", password="yahoo")


class Answer:
    """What the token service says."""

    def __init__(self, status: int, data: bytes) -> None:
        self.status = status
        self.data = data


class Service:
    """A token service that keeps what it is asked."""

    def __init__(
        self, status: int = 200, data: bytes = b'{"token":"t","refresh_token":"r"}'
    ) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes | None]] = []
        self._answer = Answer(status, data)

    def __call__(self, *request: Any) -> Any:
        self.asked.append(request)
        return self._answer


def test_challenges_are_told_apart() -> None:
    found = challenges(f'{BEARER}, Basic realm="a, b"')
    assert found["bearer"]["realm"] == "https://auth.example/token"
    assert found["basic"] == {"realm": "a, b"}
    assert challenges("nonsense") == {}


def test_a_password_is_given_where_the_registry_asks_itself() -> None:
    service = Service()
    assert authorization('Basic realm="x"', USER, (), service) == (USER.basic, "")
    assert authorization('Basic realm="x"', Credentials(), (), service) == ("", "")
    assert service.asked == []


def test_a_token_is_asked_for_what_is_wanted() -> None:
    service = Service()
    found = authorization(BEARER, Credentials(), ("repository:b:pull,push",), service)
    assert found == ("Bearer t", "r")
    method, url, headers, body = service.asked[0]
    assert (method, headers, body) == ("GET", {}, None)
    assert url == ("https://auth.example/token?service=registry&scope=repository%3Ab%3Apull%2Cpush")


def test_a_login_asks_for_a_token_to_keep() -> None:
    service = Service()
    authorization(BEARER, USER, (), service)
    assert "offline_token=true" in service.asked[0][1]
    assert service.asked[0][2] == {"Authorization": USER.basic}


def test_a_token_that_is_kept_is_traded() -> None:
    service = Service(data=b'{"access_token":"a"}')
    known = Credentials(username="gulliver", identitytoken="kept")
    assert authorization(BEARER, known, (), service)[0] == "Bearer a"
    method, _, _, body = service.asked[0]
    assert method == "POST"
    assert body and b"refresh_token=kept" in body
    assert b"scope=repository%3Aa%3Apull" in body


def test_a_service_that_refuses_says_why() -> None:
    with pytest.raises(LoginFailed, match="incorrect username or password"):
        authorization(
            BEARER, USER, (), Service(401, b'{"details":"incorrect username or password"}')
        )
