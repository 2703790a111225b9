"""Further processes in a running container: what they are."""

import msgspec

from wherry.linux.capability import NAMES
from wherry.runtime.operations import ProcessPlan
from wherry.supervisor.messages import ExecRequest


def process_plan(base: ProcessPlan, request: ExecRequest) -> ProcessPlan:
    """What an exec'd process is: the container's own, but for what the request says."""
    capabilities = base.capabilities
    if request.privileged:
        everything = tuple(NAMES)
        capabilities = {"bounding": everything, "effective": everything, "permitted": everything}
    names = {item.partition("=")[0] for item in request.env}
    inherited = tuple(item for item in base.env if item.partition("=")[0] not in names)
    return msgspec.structs.replace(
        base,
        args=request.args,
        env=(*inherited, *request.env),
        cwd=request.cwd or base.cwd,
        user=request.user or base.user,
        group_add=request.group_add or base.group_add,
        terminal=request.tty,
        console_size=request.console_size,
        capabilities=capabilities,
        oom_score_adj=None,
    )
