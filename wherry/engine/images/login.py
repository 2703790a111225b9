"""Checking a user's credentials with their registry."""

from wherry.engine.pools import Pools
from wherry.model.credentials import Credentials
from wherry.remote.endpoint import RegistrySettings
from wherry.remote.login import log_in


class LogIn:
    """Asks registries; keeps nothing."""

    def __init__(self, pools: Pools, settings: RegistrySettings) -> None:
        self._pools = pools
        self._settings = settings

    async def __call__(self, credentials: Credentials) -> str:
        """The identity token to keep instead of the password, or empty; raises LoginFailed."""
        return await self._pools.run("pull", log_in, credentials, self._settings)
