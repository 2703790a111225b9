"""All that can be done with secrets."""

import base64
import binascii

from wherry.base.errors import InvalidParameter
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.filters import Filters, check_filters, matches_labels
from wherry.engine.secrets.record import SecretInUse
from wherry.engine.secrets.state import SecretState
from wherry.model.docker.secret import Secret, SecretSpec

FILTERS = frozenset({"id", "label", "name", "names"})


class SecretUseCases:
    """Creates, shows, relabels and removes secrets; `index` tells which containers mount them."""

    def __init__(self, state: SecretState, index: ContainerIndex) -> None:
        self._state = state
        self._index = index

    def list(self, filters: Filters) -> list[Secret]:
        """Secrets by name; raises InvalidParameter for filters that do not exist."""
        check_filters(filters, FILTERS)
        begins = {"id": filters.get("id", ()), "name": filters.get("name", ())}
        names = filters.get("names", ())
        found = [
            record for record in self._state.records()
            if (not begins["id"] or record.id.startswith(tuple(begins["id"])))
            and (not begins["name"] or record.name.startswith(tuple(begins["name"])))
            and (not names or record.name in names)
            and matches_labels(record.labels, filters.get("label", ()))
        ]  # fmt: skip
        return [record.shown() for record in sorted(found, key=lambda item: item.name)]

    def inspect(self, reference: str) -> Secret:
        """One secret, without its content; raises NoSuchSecret."""
        return self._state.get(reference).shown()

    async def create(self, spec: SecretSpec) -> str:
        """A new secret's id; raises InvalidParameter, SecretExists."""
        for value, what in ((spec.driver, "secret drivers"), (spec.templating, "templates")):
            if value:
                raise InvalidParameter(f"{what} need a swarm: leave them out")
        try:
            content = base64.b64decode(spec.data or "", validate=True)
        except binascii.Error as error:
            raise InvalidParameter(f"secret data is not base64: {error}") from None
        return (await self._state.create(spec.name, content, spec.labels)).id

    async def update(self, reference: str, version: int, spec: SecretSpec) -> None:
        """Changes labels; raises InvalidParameter for all else and for an outdated version."""
        record = self._state.get(reference)
        if version != record.version:
            raise InvalidParameter("rpc error: code = Unknown desc = update out of sequence")
        if spec.data or spec.name not in ("", record.name):
            raise InvalidParameter("only updates to Labels are allowed")
        await self._state.relabel(record, spec.labels)

    async def remove(self, reference: str) -> None:
        """Removes a secret; raises NoSuchSecret, SecretInUse."""
        record = self._state.get(reference)
        users = [
            container.name for container in self._index.all()
            if any(point.secret == record.id for point in container.record.mounts)
        ]  # fmt: skip
        if users:
            raise SecretInUse(record.name, users)
        await self._state.remove(record)
