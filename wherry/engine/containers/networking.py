"""A container's part in networks: endpoints before its start, files that go with them."""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from wherry.base.clock import parse_rfc3339
from wherry.base.errors import Conflict, WherryError
from wherry.base.files import write_atomic
from wherry.engine.containers.container import Container
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.dns_member import resolves_names
from wherry.engine.containers.endpoint_requests import endpoint_request, port_requests
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.containers.name_service import NameService
from wherry.engine.networks.state import NetworkState
from wherry.engine.pools import Pools
from wherry.model.interface import Interface
from wherry.network import files as network_files
from wherry.network.attachments import Attachments
from wherry.network.endpoint import Endpoint

_FILES = {"/etc/hostname": "hostname", "/etc/hosts": "hosts", "/etc/resolv.conf": "resolv.conf"}


class ContainerNetwork:
    """Joins containers to their networks and takes them off again."""

    def __init__(
        self, index: ContainerIndex, networks: NetworkState, attachments: Attachments,
        pools: Pools, defaults: ContainerDefaults, names: NameService,
    ) -> None:  # fmt: skip
        self._names = names
        self._index = index
        self._networks = networks
        self._attachments = attachments
        self._pools = pools
        self._defaults = defaults
        self._unlinking: set[asyncio.Task[None]] = set()

    async def join(self, container: Container) -> tuple[Interface, ...]:
        """Endpoints on all networks of a container; the interfaces are the runtime's to make."""
        if container.record.host.network_mode.startswith("container:"):
            return ()
        try:
            requests = [
                endpoint_request(container.record, self._networks.catalog.get(name), settings)
                for name, settings in container.record.networks.items()
            ]
            if any(request.ipv4 or request.ipv6 or request.mac for request in requests):
                await self.settle()  # the address may be that of a link on its way out
            ports = port_requests(container.record)
            prepared = await self._pools.run("network", self._attachments.prepare, requests, ports)
        except WherryError as error:
            error.args = (f"failed to set up container networking: {error.message}",)
            raise
        container.record = msgspec.structs.replace(container.record, endpoints=prepared.endpoints)
        self._networks.publish_endpoints("connect", prepared.endpoints)
        return prepared.interfaces

    def resolves_names(self, container: Container) -> bool:
        """Whether a container is on a network where names are answered."""
        records = {item.id: item for item in self._networks.catalog.records()}
        return any(
            item.network in records and resolves_names(records[item.network])
            for item in container.record.endpoints
            if not item.pending
        )

    async def announce(self, container: Container) -> None:
        """Tells the networks of a running container its names and addresses, as they are now.

        To be called when it has started, was renamed, or has joined or left a network.
        """
        await self._names.publish(container)

    async def leave(self, container: Container) -> None:
        """Takes a container's endpoints back; repeating it is harmless.

        Its links go in the background, where that is a matter of milliseconds of the kernel's.
        """
        await self._names.withdraw(container)
        endpoints = container.record.endpoints
        if not endpoints:
            return
        await self._pools.run("network", self._attachments.release, endpoints)
        container.record = msgspec.structs.replace(container.record, endpoints=())
        self._networks.publish_endpoints("disconnect", endpoints)
        if any(endpoint.host_interface for endpoint in endpoints):
            work = self._pools.run("links", self._attachments.unlink, endpoints)
            task = asyncio.create_task(work)
            self._unlinking.add(task)
            task.add_done_callback(self._unlinking.discard)

    async def settle(self) -> None:
        """Waits for links that are on their way out."""
        if self._unlinking:
            await asyncio.wait(tuple(self._unlinking))

    async def rename(self, container: Container, old: str) -> None:
        """Gives the endpoints of a running container its new name; the record is not stored."""
        if container.record.endpoints:
            endpoints = await self._pools.run(
                "network", self._attachments.renamed, container.record.endpoints, old,
                container.name,
            )  # fmt: skip
            container.record = msgspec.structs.replace(container.record, endpoints=endpoints)

    def rewrite_files(self, container: Container, gone: Iterable[Endpoint] = ()) -> None:
        """Brings hosts and resolv.conf of a running container in line with its endpoints, in place.

        What was written into hosts inside stays; lines of endpoints that are `gone` go.
        """
        self._rewrite_resolver(container)
        record = container.record
        path = self._defaults.container_dir(record.id) / "hosts"
        if not path.exists():
            return
        host, domain = record.config.hostname, record.config.domainname
        live = [item for item in record.endpoints if not item.pending]
        content = network_files.renewed_hosts(path.read_bytes(), host, domain, live, tuple(gone))
        with path.open("r+b") as file:  # the file itself is what the container has mounted
            file.truncate()
            file.write(content)

    def write_files(self, container: Container) -> dict[str, str]:
        """Writes hosts, hostname and resolv.conf; returns their places by path inside."""
        record, defaults = container.record, self._defaults
        mode = record.host.network_mode
        if mode.startswith("container:"):
            other = self._index.get(mode.removeprefix("container:"))
            directory = defaults.container_dir(other.id)
            return {target: str(directory / name) for target, name in _FILES.items()
                    if (directory / name).exists()}  # fmt: skip
        directory = defaults.container_dir(record.id)
        contents = {
            "hostname": network_files.hostname_file(record.config.hostname or os.uname().nodename),
            "hosts": self._hosts(container),
            "resolv.conf": self._resolver(container),
        }
        for name, content in contents.items():
            write_atomic(directory / name, content, mode=0o644)
            (directory / name).chmod(0o644)
        return {target: str(directory / name) for target, name in _FILES.items()}

    def _hosts(self, container: Container) -> bytes:
        record = container.record
        extra = [*(record.host.extra_hosts or ()), *self._links(container)]
        gateway = self._gateways(record.endpoints)
        if record.host.network_mode == "host":
            content = Path("/etc/hosts").read_bytes() if Path("/etc/hosts").exists() else b""
            return network_files.host_hosts_file(content, extra, gateway)
        return network_files.hosts_file(
            record.config.hostname, record.config.domainname, record.endpoints, extra, gateway
        )

    def _links(self, container: Container) -> list[str]:
        """Names of linked containers, as extra hosts; raises Conflict for one that is not up.

        Where names are answered, links are names that this container alone uses.
        """
        found: list[str] = []
        if self.resolves_names(container):
            return found
        for word in container.record.host.links or ():
            name, _, alias = word.partition(":")
            other = self._index.get(name)
            address = next((item.ipv4 for item in other.record.endpoints if item.ipv4), "")
            if not address:
                raise Conflict(
                    f"Cannot link to a non running container: /{other.name} AS "
                    f"/{container.name}/{alias or name}"
                )
            names = dict.fromkeys((alias or name, other.id[:12], other.name))
            found += [f"{item}:{address}" for item in names]
        return found

    def _gateways(self, endpoints: tuple[Endpoint, ...]) -> tuple[str, ...]:
        if self._defaults.host_gateway:
            return self._defaults.host_gateway
        return tuple(item.gateway for item in endpoints if item.gateway)[:1]

    def _resolver(self, container: Container) -> bytes:
        host, defaults = container.record.host, self._defaults
        settings = network_files.ResolverSettings(
            tuple(host.dns or defaults.dns),
            tuple(host.dns_search or defaults.dns_search),
            tuple(host.dns_options or defaults.dns_options),
        )
        text = network_files.read_host_resolv_conf()
        if host.network_mode == "host":
            return network_files.host_resolv_conf(text, settings)
        if self.resolves_names(container):
            return network_files.internal_resolv_conf(text, settings)
        ipv6 = any(item.ipv6 for item in container.record.endpoints)
        return network_files.resolv_conf(text, settings, ipv6=ipv6)

    def _rewrite_resolver(self, container: Container) -> None:
        """Brings resolv.conf in line with the networks, unless it was changed inside.

        In place, since the container has the file mounted and not its name; the time of change is
        put back, as the sign that the file is still ours.
        """
        path = self._defaults.container_dir(container.id) / "resolv.conf"
        content = self._resolver(container)
        if not path.exists() or path.read_bytes() == content:
            return
        status = path.stat()
        if status.st_mtime_ns > parse_rfc3339(container.state.started_at):
            return
        path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
