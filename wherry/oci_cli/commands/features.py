"""`features`: what this runtime can do, as the specification's features.md words it."""

import msgspec

from wherry.linux.capability import NAMES
from wherry.linux.cgroup.layout import CgroupLayout
from wherry.linux.mount import OPTION_NAMES
from wherry.linux.namespace import KINDS
from wherry.linux.seccomp import ACTIONS, OCI_ARCHITECTURES, OPERATORS
from wherry.oci_cli.log import Log
from wherry.oci_cli.main import SPEC_VERSION
from wherry.oci_cli.options import Values


def run(root: str, values: Values, log: Log) -> int:
    """Prints them."""
    version = CgroupLayout.detect().version
    content = {
        "ociVersionMin": "1.0.0",
        "ociVersionMax": SPEC_VERSION,
        "hooks": ["prestart", "createRuntime", "createContainer", "startContainer", "poststart",
                  "poststop"],
        "mountOptions": sorted(OPTION_NAMES),
        "linux": {
            "namespaces": sorted(kind for kind in KINDS if kind != "time"),
            "capabilities": list(NAMES),
            "cgroup": {"v1": version == 1, "v2": version == 2, "systemd": False,
                       "systemdUser": False, "rdma": False},
            "seccomp": {"enabled": True, "actions": sorted(ACTIONS), "operators": list(OPERATORS),
                        "archs": sorted(OCI_ARCHITECTURES)},
            "apparmor": {"enabled": True},
            "selinux": {"enabled": True},
            "intelRdt": {"enabled": False},
            "mountExtensions": {"idmap": {"enabled": True}},
        },
        "potentiallyUnsafeConfigAnnotations": [],
    }  # fmt: skip
    print(msgspec.json.format(msgspec.json.encode(content), indent=2).decode())
    return 0
