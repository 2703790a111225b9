"""Who a client is to a registry."""

import base64

import msgspec


class Credentials(msgspec.Struct, frozen=True):
    """What a client sends in X-Registry-Auth."""

    username: str = ""
    password: str = ""
    identitytoken: str = ""
    registrytoken: str = ""
    auth: str = ""
    serveraddress: str = ""

    @property
    def basic(self) -> str:
        """The value of an Authorization header, empty without a user."""
        if not self.username:
            return ""
        pair = f"{self.username}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode()
