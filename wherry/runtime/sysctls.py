"""Which kernel settings a container may have: those of its own namespaces (namespaces(7))."""

import re

from wherry.model.runtime_spec import Linux
from wherry.runtime.errors import StartFailed

_OWNERS = {
    "network": re.compile(r"net[./].+"),
    "ipc": re.compile(
        r"kernel[./](msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced"
        r"|auto_msgmni|msg_next_id|sem_next_id|shm_next_id)|fs[./]mqueue[./].+"
    ),
    "uts": re.compile(r"kernel[./](domainname|hostname)"),
}


def check_sysctl(key: str, linux: Linux) -> None:
    """Raises StartFailed for a setting that is, or would be, the host's own."""
    owner = next((kind for kind, keys in _OWNERS.items() if keys.fullmatch(key)), None)
    if owner is None:
        raise StartFailed(f'sysctl "{key}" is not in a separate kernel namespace')
    if all(item.type != owner for item in linux.namespaces):
        raise StartFailed(f'sysctl "{key}" is not allowed in the host\'s {owner} namespace')
