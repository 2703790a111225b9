"""What the configuration says to the rooms below: built at the start, renewed by a reload."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from wherry import __version__
from wherry.daemon.config import Config
from wherry.daemon.groups import Groups
from wherry.daemon.options import OPTIONS
from wherry.engine.containers.defaults import ContainerDefaults
from wherry.engine.system.facts import EngineFacts, engine_id, proxies
from wherry.linux.bounds import own_bounds
from wherry.linux.cgroup.facilities import find_facilities
from wherry.model.image_config import host_architecture
from wherry.remote.endpoint import RegistrySettings
from wherry.store.snapshot.driver import storage_status

_INIT_PROGRAMS = ("/usr/bin/tini-static", "/usr/bin/docker-init", "/usr/libexec/docker/docker-init")


class Settings:
    """The settings of containers, of registries, and of the engine itself, all live."""

    def __init__(self, config: Config, groups: Groups, instance: str, storage_driver: str) -> None:
        """`instance` names the daemon's kernel objects."""
        self.config = config
        self._instance = instance
        self._groups = groups
        self._storage_driver = storage_driver
        self.containers = _container_defaults(config, groups, instance)
        self.registries = _registry_settings(config)
        self.engine = _engine_facts(config, groups, storage_driver)

    def renew(self, newer: Config) -> tuple[list[str], list[str]]:
        """Takes over what may change in a running daemon; values in use follow at once.

        Returns the keys that changed and those that wait for a restart.
        """
        changed = [
            option for option in OPTIONS
            if getattr(newer, option.field) != getattr(self.config, option.field)
        ]  # fmt: skip
        live = {option.field: getattr(newer, option.field) for option in changed if option.live}
        self.config = msgspec.structs.replace(self.config, **live)
        self.containers.renew(_container_defaults(self.config, self._groups, self._instance))
        self.registries.renew(_registry_settings(self.config))
        self.engine.renew(_engine_facts(self.config, self._groups, self._storage_driver))
        return (
            [option.file_key for option in changed if option.live],
            [option.file_key for option in changed if not option.live],
        )

    def live(self) -> Mapping[str, object]:
        """The options that may change, by key, with their present values."""
        return {o.file_key: getattr(self.config, o.field) for o in OPTIONS if o.live}


def _container_defaults(config: Config, groups: Groups, instance: str) -> ContainerDefaults:
    layout = groups.layout
    init = config.init_path or next(filter(os.path.exists, _INIT_PROGRAMS), "")
    return ContainerDefaults(
        data_root=config.data_root,
        exec_root=config.exec_root,
        layout=layout,
        facilities=find_facilities(layout),
        bounds=own_bounds(),
        cgroup_parent=groups.parent,
        cgroup_driver=groups.driver,
        instance=instance,
        monitor_units=groups.monitor_units,
        cpus=os.cpu_count() or 1,
        memory_nodes=_memory_nodes(),
        architecture=host_architecture(),
        shm_size=config.default_shm_size,
        ipc_mode=config.default_ipc_mode,
        cgroupns_mode=config.default_cgroupns_mode,
        ulimits=tuple((item.name, item.soft, item.hard) for item in config.default_ulimits),
        no_new_privileges=config.no_new_privileges,
        seccomp_profile=config.seccomp_profile,
        init=config.init,
        init_path=init,
        log_driver=config.log_driver,
        log_opts=config.log_opts,
        dns=config.dns,
        dns_search=config.dns_search,
        dns_options=config.dns_opts,
        host_gateway=config.host_gateway_ips,
        stop_timeout=config.default_stop_timeout,
        live_restore=config.live_restore,
        shutdown_timeout=config.shutdown_timeout,
    )


def _registry_settings(config: Config) -> RegistrySettings:
    proxy = _proxies(config)
    return RegistrySettings(
        mirrors=config.registry_mirrors,
        insecure=config.insecure_registries,
        downloads=config.max_concurrent_downloads,
        uploads=config.max_concurrent_uploads,
        attempts=config.max_download_attempts,
        directories=(str(config.config_directory / "certs.d"), "/etc/docker/certs.d"),
        http_proxy=proxy["HTTP_PROXY"],
        https_proxy=proxy["HTTPS_PROXY"],
        no_proxy=proxy["NO_PROXY"],
    )


def _engine_facts(config: Config, groups: Groups, storage_driver: str) -> EngineFacts:
    shown = proxies(_proxies(config))
    return EngineFacts(
        id=engine_id(config.data_root), version=__version__, data_root=str(config.data_root),
        storage_driver=storage_driver,
        storage_status=storage_status(storage_driver, config.data_root),
        cgroup_driver=groups.driver,
        logging_driver=config.log_driver, labels=config.labels,
        debug=config.debug, live_restore=config.live_restore,
        iptables=config.iptables, insecure_registries=config.insecure_registries,
        registry_mirrors=config.registry_mirrors,
        address_pools=tuple((pool.base, pool.size) for pool in config.default_address_pools),
        http_proxy=shown["http_proxy"], https_proxy=shown["https_proxy"],
        no_proxy=shown["no_proxy"],
    )  # fmt: skip


def _proxies(config: Config) -> dict[str, str]:
    """The configured proxies, else those of the daemon's environment."""
    found = {}
    for key, configured in (
        ("HTTP_PROXY", config.http_proxy), ("HTTPS_PROXY", config.https_proxy),
        ("NO_PROXY", config.no_proxy),
    ):  # fmt: skip
        found[key] = configured or os.environ.get(key) or os.environ.get(key.lower(), "")
    return found


def _memory_nodes() -> int:
    """How many memory nodes there are; one where the kernel does not tell."""
    return len(list(Path("/sys/devices/system/node").glob("node[0-9]*"))) or 1
