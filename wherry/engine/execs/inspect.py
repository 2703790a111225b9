"""What is known of an exec."""

import base64

import msgspec

from wherry.engine.execs.registry import ExecRegistry
from wherry.model.docker.exec import ExecInspect, ExecProcess


class InspectExec:
    """Describes execs."""

    def __init__(self, registry: ExecRegistry) -> None:
        self._registry = registry

    def __call__(self, identifier: str) -> ExecInspect:
        """Raises NoSuchExec."""
        process = self._registry.get(identifier)
        request = process.request
        command = request.cmd or []
        keys = process.detach_keys if request.detach_keys else ""
        return ExecInspect(
            id=process.id,
            running=process.running,
            exit_code=process.exit_code,
            process_config=ExecProcess(
                tty=request.tty,
                entrypoint=command[0],
                arguments=command[1:],
                privileged=request.privileged,
                user=request.user or msgspec.UNSET,
            ),
            open_stdin=request.attach_stdin,
            open_stderr=request.attach_stderr,
            open_stdout=request.attach_stdout,
            can_remove=process.exit_code is not None,
            container_id=process.container.id,
            detach_keys=base64.b64encode(keys.encode("latin-1")).decode(),
            pid=process.pid,
        )
