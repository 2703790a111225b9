"""Where Wherry is meant to differ from the newest dockerd, each with the reason.

That one keeps its images in a graph driver, as this engine does. A difference that is listed and
does not occur fails the test, so that the list stays true.
"""

_INSIDE = "users are looked up in the container by who starts there, not by the daemon in its files"
_NO_REMARKS = "nothing but what is asked for stands in resolver files"
_NOT_MOUNTED = "an image is no mount here, so it has no directories of one to show"
_NOT_BUILT = "nothing is built, and no Go module is"
_NO_CONTAINERD = "there is no containerd, nor its shims that would be runtimes"
_RENAMED = "a rename leaves names there, which the default network does not resolve"
_NO_FEATURES = "`wherry-runtime features` shows them; the daemon starts no runtime to be told"
_NO_DEVICES = "no directories with devices' specifications (CDI) are read"
_CGROUPS = "version 1 of cgroups stays, so nobody is warned that it goes"

OUTPUT: dict[tuple[str, str], str] = {
    ("run in every manner", "run --rm --dns 192.0.2.8 --dns-search example.test "
     "--dns-option ndots:2 busybox cat /etc/resolv.conf"): _NO_REMARKS,
    ("a running container", "exec -u nosuch r1 true"): _INSIDE,
    ("networks", "network create --subnet 10.77.0.0/24 n3"): "names the subnets and the network",
    ("networks", "network create --subnet bad n3"): "the words of older releases, not Go's own",
    ("networks", "exec w1 cat /etc/resolv.conf"): _NO_REMARKS,
    ("the system", "info --format '{{json .Plugins.Log}}'"): "drivers that send logs away are not "
    "offered",
    ("sharing", "run --rm --link s1:other busybox sh -c 'grep -c other /etc/hosts'"): "links on "
    "the default network stay",
}  # fmt: skip
"""Exit codes or output, by scenario and line."""

KEYS: dict[tuple[str, str], str] = {
    ("container", "+[].NetworkSettings.Networks.bridge.DNSNames: NoneType"): _RENAMED,
    ("container", "-[].NetworkSettings.Networks.bridge.DNSNames: list"): _RENAMED,
    ("container", "-[].NetworkSettings.Networks.bridge.DNSNames[]: str"): _RENAMED,
    ("image", "+[].GraphDriver.Data: NoneType"): _NOT_MOUNTED,
    ("image", "-[].GraphDriver.Data: dict"): _NOT_MOUNTED,
    ("image", "-[].GraphDriver.Data.LowerDir: str"): _NOT_MOUNTED,
    ("image", "-[].GraphDriver.Data.MergedDir: str"): _NOT_MOUNTED,
    ("image", "-[].GraphDriver.Data.UpperDir: str"): _NOT_MOUNTED,
    ("image", "-[].GraphDriver.Data.WorkDir: str"): _NOT_MOUNTED,
    ("version", "-BuildTime: str"): _NOT_BUILT,
    ("version", "-Components[].Details.Module: str"): _NOT_BUILT,
    ("version", "-Components[].Details.ModuleVersion: str"): _NOT_BUILT,
    ("info", "+Warnings: NoneType"): _CGROUPS,
    ("info", "-Warnings: list"): _CGROUPS,
    ("info", "-Warnings[]: str"): _CGROUPS,
    ("info", "-CDISpecDirs[]: str"): _NO_DEVICES,
    ("info", "-Containerd: dict"): _NO_CONTAINERD,
    ("info", "-Containerd.Address: str"): _NO_CONTAINERD,
    ("info", "-Containerd.Namespaces: dict"): _NO_CONTAINERD,
    ("info", "-Containerd.Namespaces.Containers: str"): _NO_CONTAINERD,
    ("info", "-Containerd.Namespaces.Plugins: str"): _NO_CONTAINERD,
    ("info", "-FirewallBackend.Info: list"): "nftables has nothing to add; that is of iptables",
    ("info", "-FirewallBackend.Info[]: list"): "nftables has nothing to add; that is of iptables",
    ("info", "-FirewallBackend.Info[][]: str"): "nftables has nothing to add; that is of iptables",
    ("info", "-Runtimes.io.containerd.runc.v2: dict"): _NO_CONTAINERD,
    ("info", "-Runtimes.io.containerd.runc.v2.path: str"): _NO_CONTAINERD,
    ("info", "-Runtimes.io.containerd.runc.v2.status: dict"): _NO_CONTAINERD,
    ("info", "-Runtimes.io.containerd.runc.v2.status.org.opencontainers.runtime-spec.features: str"
     ): _NO_CONTAINERD,
    ("info", "-Runtimes.runc.status: dict"): _NO_FEATURES,
    ("info", "-Runtimes.runc.status.org.opencontainers.runtime-spec.features: str"): _NO_FEATURES,
}  # fmt: skip
"""Keys of what is inspected, by noun and `+path: type` (only Wherry's) or `-path: type`."""

_JOINED = "its networks are joined before its program is looked for; both are told of as they are"
_NEVER_EXISTED = "what was refused never existed"
_NEVER_BEGAN = "what could not be started is not said to have been"

EVENTS: dict[tuple[str, str], str] = {
    ("run in every manner", "+5 network connect (container,name,type)"): _JOINED,
    ("run in every manner", "-2 container destroy (image,name)"): _NEVER_EXISTED,
    ("a running container", "+1 container exec_create: true  (execID,image,name,tier)"): _INSIDE,
    ("a running container", "-1 container exec_start: nosuch  (execID,image,name,tier)"):
    _NEVER_BEGAN,
    ("a running container", "-1 container exec_start: true  (execID,image,name,tier)"):
    _NEVER_BEGAN,
    ("networks", "-1 network disconnect (container,name,type)"): "it tells one leave twice",
    ("sharing", "+1 network connect (container,name,type)"): _JOINED,
    ("sharing", "-2 container destroy (image,name)"): _NEVER_EXISTED,
    ("restarts and health", "+1 network connect (container,name,type)"): _JOINED,
}  # fmt: skip
"""Events, by scenario and `+count event` or `-count event`."""

NEWER_ATTRIBUTES: frozenset[str] = frozenset()
"""Attributes of events that are not compared: none."""
