"""Taking a link between containers back: `docker rm --link parent/alias`."""

import msgspec

from wherry.base.errors import Conflict, InvalidParameter
from wherry.engine.containers.index import ContainerIndex, NoSuchContainer


class RemoveLink:
    """Forgets a link; a container that runs keeps the name in its hosts file meanwhile."""

    def __init__(self, index: ContainerIndex) -> None:
        self._index = index

    async def __call__(self, name: str) -> None:
        """`name` is that of the container with the link, and the link's alias after a slash.

        Raises NoSuchContainer, Conflict for the container's own name, InvalidParameter.
        """
        parent, slash, alias = name.strip("/").rpartition("/")
        if not slash:
            self._index.get(name)
            raise Conflict("Conflict, cannot remove the default link name of the container")
        container = self._index.find(parent)
        if container is None:
            raise InvalidParameter(f"Cannot get parent /{parent} for link name /{name}")
        async with container.lock:
            host = container.record.host
            links = [word for word in host.links or () if _alias(word) != alias]
            if len(links) == len(host.links or ()):
                raise NoSuchContainer(name)
            changed = msgspec.structs.replace(host, links=links or None)
            container.record = msgspec.structs.replace(container.record, host=changed)
            await self._index.save(container, durable=True)


def _alias(word: str) -> str:
    name, _, alias = word.partition(":")
    return (alias or name).rpartition("/")[2]
