"""Which version of the engine this is: the answer to `docker version`."""

import platform

from wherry.engine.system.facts import EngineFacts
from wherry.engine.system.host import Host
from wherry.model.docker.system import (
    API_VERSION,
    MIN_API_VERSION,
    ComponentVersion,
    VersionResponse,
)


class Version:
    """Tells versions; answered from memory."""

    def __init__(self, facts: EngineFacts, host: Host) -> None:
        """`facts` and `host` hold all there is to tell."""
        self._facts = facts
        self._host = host

    def __call__(self) -> VersionResponse:
        """The versions; `GoVersion` names the interpreter, since there is no Go."""
        facts, host = self._facts, self._host
        interpreter = f"python{platform.python_version()}"
        details = {
            "ApiVersion": API_VERSION,
            "Arch": host.architecture,
            "BuildTime": facts.build_time,
            "Experimental": "false",
            "GitCommit": facts.git_commit,
            "GoVersion": interpreter,
            "KernelVersion": host.kernel,
            "MinAPIVersion": MIN_API_VERSION,
            "Os": "linux",
        }
        return VersionResponse(
            platform={"Name": "Wherry"},
            components=[ComponentVersion(name="Engine", version=facts.version, details=details)],
            version=facts.version,
            api_version=API_VERSION,
            min_api_version=MIN_API_VERSION,
            git_commit=facts.git_commit,
            go_version=interpreter,
            os="linux",
            arch=host.architecture,
            kernel_version=host.kernel,
            build_time=facts.build_time,
        )
