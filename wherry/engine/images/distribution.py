"""What a registry says of an image, without pulling it."""

from typing import Any

import msgspec

from wherry.base.errors import WherryError
from wherry.engine.pools import Pools
from wherry.model.credentials import Credentials
from wherry.model.digest import Digest
from wherry.model.manifest import Descriptor, Index, Manifest, Platform, parse_manifest
from wherry.model.reference import Reference
from wherry.remote.endpoint import RegistrySettings
from wherry.remote.registry import Registry

_CONFIG_LIMIT = 8 << 20


class InspectDistribution:
    """Asks for the descriptor behind a name, and for the platforms there are."""

    def __init__(self, pools: Pools, settings: RegistrySettings) -> None:
        self._pools = pools
        self._settings = settings

    async def __call__(self, reference: Reference, credentials: Credentials) -> dict[str, Any]:
        """The answer in the API's shape; raises ManifestUnknown, AccessDenied and their kin."""
        return await self._pools.run("pull", self._ask, reference, credentials)

    def _ask(self, reference: Reference, credentials: Credentials) -> dict[str, Any]:
        registry = Registry(reference, self._settings, credentials)
        found = registry.manifest(reference.digest or reference.tag)
        document = parse_manifest(found.data, reference.familiar(), found.media_type)
        kind = document.media_type or found.media_type
        return {
            "Descriptor": Descriptor(kind, str(Digest.of(found.data)), len(found.data)),
            "Platforms": _platforms(registry, document),
        }


def _platforms(registry: Registry, document: Index | Manifest) -> list[Platform]:
    if isinstance(document, Index):
        return [entry.platform or Platform() for entry in document.manifests]
    if document.config.size > _CONFIG_LIMIT:
        return []
    try:
        pieces, _ = registry.blob(document.config.digest)
        platform = msgspec.json.decode(b"".join(pieces), type=Platform)
    except (WherryError, msgspec.MsgspecError):
        return []  # the descriptor is what was asked for
    return [platform] if platform.os or platform.architecture else []
