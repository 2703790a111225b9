"""A container's part in networks: endpoints before its start, files that go with them."""

import os
from pathlib import Path

import msgspec

from wherry.base.errors import Conflict, InvalidParameter, WherryError
from wherry.base.files import write_atomic
from wherry.engine.containers.container import Container
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.containers.index import ContainerIndex
from wherry.engine.networks.state import NetworkState
from wherry.engine.pools import Pools
from wherry.model.docker.container import PortBinding
from wherry.model.interface import Interface
from wherry.network import files as network_files
from wherry.network.attachments import Attachments
from wherry.network.endpoint import Endpoint, EndpointRequest, PortRequest

_FILES = {"/etc/hostname": "hostname", "/etc/hosts": "hosts", "/etc/resolv.conf": "resolv.conf"}


class ContainerNetwork:
    """Joins containers to their networks and takes them off again."""

    def __init__(
        self, index: ContainerIndex, networks: NetworkState, attachments: Attachments,
        pools: Pools, defaults: ContainerDefaults,
    ) -> None:  # fmt: skip
        self._index = index
        self._networks = networks
        self._attachments = attachments
        self._pools = pools
        self._defaults = defaults

    async def join(self, container: Container) -> tuple[Interface, ...]:
        """Endpoints on all networks of a container; the interfaces are the runtime's to make."""
        if container.record.host.network_mode.startswith("container:"):
            return ()
        try:
            requests = self._requests(container)
            prepared = await self._pools.run("network", self._attachments.prepare, requests)
        except WherryError as error:
            error.args = (f"failed to set up container networking: {error.message}",)
            raise
        container.record = msgspec.structs.replace(container.record, endpoints=prepared.endpoints)
        self._networks.publish_endpoints("connect", prepared.endpoints)
        return prepared.interfaces

    async def leave(self, container: Container) -> None:
        """Takes a container's endpoints back; repeating it is harmless."""
        endpoints = container.record.endpoints
        if not endpoints:
            return
        await self._pools.run("network", self._attachments.release, endpoints)
        container.record = msgspec.structs.replace(container.record, endpoints=())
        self._networks.publish_endpoints("disconnect", endpoints)

    def _requests(self, container: Container) -> list[EndpointRequest]:
        record = container.record
        requests: list[EndpointRequest] = []
        for number, (name, settings) in enumerate(record.networks.items()):
            ipam = settings.ipam_config
            requests.append(EndpointRequest(
                container_id=record.id,
                container_name=record.name,
                network=self._networks.catalog.get(name).id,
                interface=f"eth{number}",
                ipv4=ipam.ipv4_address if ipam else "",
                ipv6=ipam.ipv6_address if ipam else "",
                mac=settings.mac_address or (record.config.mac_address if number == 0 else ""),
                gateway_priority=settings.gw_priority,
                aliases=tuple(settings.aliases or ()),
                ports=tuple(self._ports(container)) if number == 0 else (),
            ))  # fmt: skip
        return requests

    def _ports(self, container: Container) -> list[PortRequest]:
        host, config = container.record.host, container.record.config
        found: list[PortRequest] = []
        for port, bindings in (host.port_bindings or {}).items():
            number, _, protocol = port.partition("/")
            for binding in bindings or [PortBinding()]:
                first, last = _port_range(binding.host_port)
                found.append(PortRequest(
                    int(number), protocol or "tcp", binding.host_ip, first, last
                ))  # fmt: skip
        if host.publish_all_ports:
            bound = {port if "/" in port else f"{port}/tcp" for port in host.port_bindings or ()}
            for port in config.exposed_ports or ():
                number, _, protocol = port.partition("/")
                if f"{number}/{protocol or 'tcp'}" not in bound:
                    found.append(PortRequest(int(number), protocol or "tcp"))
        return found

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
        """Names of linked containers, as extra hosts; raises Conflict for one that is not up."""
        found: list[str] = []
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
        ipv6 = any(item.ipv6 for item in container.record.endpoints)
        return network_files.resolv_conf(text, settings, ipv6=ipv6)


def _port_range(text: str) -> tuple[int, int]:
    """First and last of a host port or range; zeros for any."""
    if not text:
        return 0, 0
    first, _, last = text.partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()) or int(last or first) > 65535:
        raise InvalidParameter(f"invalid port specification: {text!r}".replace("'", '"'))
    return int(first), int(last or 0)
