"""What may run in a child of the zygote: one literal table, by name."""

from wherry.daemon.front_door import HOLD_TASK
from wherry.engine.containers.live_network import TASK as PLUG_TASK
from wherry.engine.containers.name_service import DNS_TASK
from wherry.engine.volumes.transfer_tasks import COPY_TASK, EXPORT_TASK, IMPORT_TASK
from wherry.runtime.live_mounts import ATTACH_TASK, DETACH_TASK

PROXY_TASK = "network.proxy"

TASKS = {
    HOLD_TASK: "wherry.wire.server.holder:hold_task",
    PROXY_TASK: "wherry.network.proxy:proxy_task",
    PLUG_TASK: "wherry.runtime.plug:plug_task",
    "layer.diff": "wherry.store.layer.diff:diff_task",
    "layer.changes": "wherry.store.layer.changes:changes_task",
    "tree.read": "wherry.engine.containers.tree_tasks:read_task",
    "tree.write": "wherry.engine.containers.tree_tasks:write_task",
    "tree.export": "wherry.engine.containers.tree_tasks:export_task",
    "layer.apply": "wherry.store.layer.apply:apply_task",
    DNS_TASK: "wherry.network.dns.task:dns_task",
    "volume.copy_up": "wherry.store.volume.copy_up:copy_up_task",
    ATTACH_TASK: "wherry.runtime.live_mounts:attach_task",
    DETACH_TASK: "wherry.runtime.live_mounts:detach_task",
    EXPORT_TASK: "wherry.engine.volumes.transfer_tasks:export_task",
    IMPORT_TASK: "wherry.engine.volumes.transfer_tasks:import_task",
    COPY_TASK: "wherry.engine.volumes.transfer_tasks:copy_task",
}
"""Module and function by name."""
