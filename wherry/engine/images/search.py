"""Searching an index, with Docker's filters."""

import msgspec

from wherry.base.errors import InvalidParameter
from wherry.engine.filters import Filters, check_filters, flag
from wherry.engine.pools import Pools
from wherry.model.credentials import Credentials
from wherry.remote.endpoint import RegistrySettings
from wherry.remote.search import Found, search

FILTERS = frozenset({"is-automated", "is-official", "stars"})
_LIMIT = 25


class SearchImages:
    """Finds repositories by a term."""

    def __init__(self, pools: Pools, settings: RegistrySettings) -> None:
        self._pools = pools
        self._settings = settings

    async def __call__(
        self, term: str, limit: int | None, filters: Filters, credentials: Credentials
    ) -> list[Found]:
        """At most `limit` results, 25 without one; raises InvalidParameter and what remote does."""
        check_filters(filters, FILTERS)
        if limit is not None and limit < 0:
            raise InvalidParameter(f"invalid limit specified: {limit}")
        official = flag(filters, "is-official")
        stars = max((_number(text) for text in filters.get("stars", ())), default=0)
        if flag(filters, "is-automated"):
            return []  # no index marks them any longer
        found = await self._pools.run(
            "pull", search, term, limit or _LIMIT, credentials, self._settings
        )
        return [
            msgspec.structs.replace(item, is_automated=False)
            for item in found
            if official in (None, item.is_official) and item.star_count >= stars
        ]


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidParameter(
            f"invalid filter 'stars={text}': strconv.Atoi: parsing \"{text}\": invalid syntax"
        ) from None
