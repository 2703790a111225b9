"""A setting that is the host's own is refused, whoever asks."""

import pytest

from wherry.model.runtime_spec import Linux, Namespace
from wherry.runtime.errors import StartFailed
from wherry.runtime.sysctls import check_sysctl

OWNED = [("net.ipv4.ip_forward", "network"), ("kernel.shmmax", "ipc"), ("fs.mqueue.msg_max", "ipc"),
         ("kernel.domainname", "uts")]  # fmt: skip


@pytest.mark.parametrize(("key", "kind"), OWNED)
def test_a_setting_is_for_containers_with_its_namespace(key: str, kind: str) -> None:
    everything = tuple(Namespace(item) for item in ("network", "ipc", "uts", "mount"))
    check_sysctl(key, Linux(namespaces=everything))
    without = tuple(item for item in everything if item.type != kind)
    with pytest.raises(StartFailed, match=f"not allowed in the host's {kind} namespace"):
        check_sysctl(key, Linux(namespaces=without))
    joined = (*without, Namespace(kind, "/proc/1/ns/x"))
    check_sysctl(key, Linux(namespaces=joined))


@pytest.mark.parametrize("key", ["vm.swappiness", "kernel.panic", "kernel.shmmax.x", "network.x"])
def test_a_setting_of_no_namespace_is_refused(key: str) -> None:
    with pytest.raises(StartFailed, match="not in a separate kernel namespace"):
        check_sysctl(key, Linux(namespaces=(Namespace("ipc"), Namespace("network"))))
